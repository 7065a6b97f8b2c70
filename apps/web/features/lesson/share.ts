'use client';
// Where the learner left the sash, for each way the page is laid out. Kept in the browser; null where it was never moved.
import { useSyncExternalStore } from 'react';
import type { LayoutMode } from './layout-mode.ts';
import { clampShare } from './sash.tsx';

const listeners = new Set<() => void>();
const keyOf = (mode: LayoutMode) => `drydock-share-${mode}`;

/** The workbench's part of the room in percent, and how to change it. */
export function useShare(mode: LayoutMode): [number | null, (percent: number) => void] {
  const share = useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => {
      const kept = Number(localStorage.getItem(keyOf(mode)));
      return kept > 0 ? clampShare(kept) : null;
    },
    () => null,
  );
  const change = (percent: number) => {
    localStorage.setItem(keyOf(mode), String(percent));
    for (const tell of listeners) tell();
  };
  return [share, change];
}
