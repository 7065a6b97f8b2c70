'use client';
// How the page is laid out, for what CSS cannot know: which way the sash runs, what opens first on a phone.
import { useSyncExternalStore } from 'react';

/** stacked: Scope over workbench; beside: side by side; tabs: one of the two; phone: one of three. */
export type LayoutMode = 'stacked' | 'beside' | 'tabs' | 'phone';

export const QUERIES = {
  phone: '(max-width: 900px)',
  beside: '(min-width: 1201px) and (max-height: 849.98px)',
  tabs: '(min-width: 900.02px) and (max-width: 1200.98px) and (max-height: 849.98px)',
} as const;

function read(): LayoutMode {
  if (matchMedia(QUERIES.phone).matches) return 'phone';
  if (matchMedia(QUERIES.beside).matches) return 'beside';
  return matchMedia(QUERIES.tabs).matches ? 'tabs' : 'stacked';
}

function subscribe(changed: () => void): () => void {
  const lists = Object.values(QUERIES).map((query) => matchMedia(query));
  for (const list of lists) list.addEventListener('change', changed);
  return () => {
    for (const list of lists) list.removeEventListener('change', changed);
  };
}

/** "stacked" on the server; the style sheet has the same breakpoints, so nothing moves when the browser takes over. */
export function useLayoutMode(): LayoutMode {
  return useSyncExternalStore(subscribe, read, () => 'stacked');
}
