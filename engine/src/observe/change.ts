// What an observer tells between two looks: a patch that has no number yet.
import type { Patch } from '../model/observed.ts';

export type Change = Omit<Patch, 'kind' | 'seq'>;

export const emptyChange = (): Change => ({ atMs: 0, upsert: [], exits: [], gone: [], events: [] });

/** Whether it says nothing. */
export const isEmpty = (change: Change): boolean =>
  change.upsert.length + change.exits.length + change.gone.length + change.events.length === 0 &&
  change.hostname === undefined &&
  change.coalesced === undefined;
