// Follows the observation of one sandbox and keeps its state. When the engine goes away it asks again; exits that an
// engine forgot in its restart are kept here, so a check that looks back loses nothing.
import { applyPatch, MAX_EXITS } from '@drydock/engine/model/apply-patch.ts';
import type { Observation, Snapshot, Watch } from '@drydock/engine/model/observed.ts';
import { EngineError } from '@drydock/engine/model/engine-error.ts';

export interface FeedParts {
  observe(watch: Watch, signal: AbortSignal): AsyncIterable<Observation>;
  /** After each observation, with the state it led to. */
  changed(observation: Observation, state: Snapshot): void;
  /** Interrupted for longer than a moment. */
  lost(error: unknown): void;
  /** After `lost`: it goes on. */
  back(): void;
}

const RETRY_MS = [50, 250, 500, 1000];
/** An engine that was restarted is back before this: nobody needs to be told. */
const LOST_AFTER_MS = 3000;

export class ObservationFeed {
  readonly #parts: FeedParts;
  readonly #watch: Watch;
  #state: Snapshot | null = null;
  #run: AbortController | null = null;

  constructor(parts: FeedParts, watch: Watch) {
    this.#parts = parts;
    this.#watch = watch;
  }

  /** The latest state; null before the first snapshot. */
  get state(): Snapshot | null {
    return this.#state;
  }

  /**
   * Begins, or begins again with a snapshot taken after this call; resolves with it. `forget`: the sandbox lives anew,
   * what ended in its former life is nothing to it.
   */
  start(forget: boolean): Promise<Snapshot> {
    this.stop();
    if (forget) this.#state = null;
    const run = new AbortController();
    this.#run = run;
    return new Promise((resolve, reject) => {
      run.signal.addEventListener('abort', () => reject(new Error('the observation was stopped')));
      void this.#follow(run.signal, resolve, reject);
    });
  }

  stop(): void {
    this.#run?.abort();
    this.#run = null;
  }

  async #follow(
    signal: AbortSignal,
    first: (state: Snapshot) => void,
    failed: (error: unknown) => void,
  ): Promise<void> {
    let [begun, told] = [false, false];
    let lostAtMs: number | null = null;
    for (let attempt = 0; !signal.aborted; attempt += 1) {
      let problem: unknown = new EngineError('unavailable', 'The engine ended the observation');
      try {
        for await (const observation of this.#parts.observe(this.#watch, signal)) {
          if (signal.aborted) return;
          const state = this.#apply(observation);
          if (told) this.#parts.back();
          [attempt, lostAtMs, told] = [0, null, false];
          this.#parts.changed(observation.kind === 'snapshot' ? state : observation, state);
          if (!begun) first(state);
          begun = true;
        }
      } catch (error) {
        // Before the first picture the caller decides; after it, this goes on trying.
        if (!begun && error instanceof EngineError) return failed(error);
        problem = error;
      }
      if (signal.aborted) return;
      lostAtMs ??= Date.now();
      if (!told && Date.now() - lostAtMs >= LOST_AFTER_MS) {
        if (!begun) return failed(problem);
        told = true;
        this.#parts.lost(problem);
      }
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS[Math.min(attempt, RETRY_MS.length - 1)]));
    }
  }

  #apply(observation: Observation): Snapshot {
    if (observation.kind === 'patch') {
      if (!this.#state) throw new RangeError('a patch came before the snapshot');
      this.#state = applyPatch(this.#state, observation);
    } else this.#state = { ...observation, exits: mergedExits(this.#state, observation) };
    return this.#state;
  }
}

function mergedExits(before: Snapshot | null, now: Snapshot): Snapshot['exits'] {
  if (!before) return now.exits;
  const known = new Set(now.exits.map(({ key }) => key));
  return [...before.exits.filter(({ key }) => !known.has(key)), ...now.exits]
    .sort((a, b) => a.atMs - b.atMs)
    .slice(-MAX_EXITS);
}
