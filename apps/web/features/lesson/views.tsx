'use client';
// Which part of the page is in front: on a phone one of three, on a desk the terminal that was asked for.
import { createContext, useContext } from 'react';

export type View = 'lesson' | 'scope' | 'terminal';

export interface Views {
  view: View;
  show: (view: View) => void;
  /** Brings a terminal to the front and gives it the keyboard. */
  showTerminal: (id: string) => void;
  /** The tab of the workbench in front: a terminal's id or 'editor'; null: the first terminal. */
  tab: string | null;
  setTab: (tab: string) => void;
  /** The count rises each time a terminal should take the keyboard. */
  focusRequest: { terminal: string | null; count: number };
}

export const ViewsContext = createContext<Views | null>(null);

export function useViews(): Views {
  const views = useContext(ViewsContext);
  if (!views) throw new Error('useViews outside of its provider');
  return views;
}
