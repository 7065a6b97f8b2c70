// One attempt at a step in a real sandbox: the step's set-up, its observation, scripts typed on real terminals, and what
// the checks said all the while. The same order of things as when a learner enters the step.
import type { Snapshot } from '@drydock/engine/model/observed.ts';
import type { Verdict } from '@drydock/protocol/verdict.ts';
import { evaluate } from '../../checks/evaluate.ts';
import type { EngineClient } from '../../engine-client/engine-client.ts';
import { ObservationFeed } from '../../learner/observation-feed.ts';
import type { Script } from '../script.ts';
import type { LoadedStep } from '../step-folder.ts';
import { Typist } from './typist.ts';

/** How long a state may take to show in a verdict before it is taken as not coming; nothing is measured by it. */
export const SETTLE_TIMEOUT_MS = 10_000;
/** A verdict has to stand this long to be taken as the attempt's: what has no event is read every 50 ms. */
const STANDS_MS = 400;

export class Attempt {
  readonly #engine: EngineClient;
  readonly #sandbox: string;
  readonly #loaded: LoadedStep;
  readonly #settleTimeoutMs: number;
  readonly #feed: ObservationFeed;
  readonly #typists = new Map<number, Typist>();
  #baseline: ReadonlySet<string> = new Set();
  #startedAtMs = 0;
  #wasSolved = false;
  #changed: () => void = () => {};

  constructor(engine: EngineClient, sandbox: string, loaded: LoadedStep, settleTimeoutMs = SETTLE_TIMEOUT_MS) {
    this.#settleTimeoutMs = settleTimeoutMs;
    this.#engine = engine;
    this.#sandbox = sandbox;
    this.#loaded = loaded;
    this.#feed = new ObservationFeed(
      {
        observe: (watch, signal) => engine.observe(sandbox, watch, signal),
        changed: () => {
          if (this.#startedAtMs > 0 && this.verdict().solved) this.#wasSolved = true;
          this.#changed();
        },
        lost: () => {},
        back: () => {},
      },
      loaded.step.watch,
    );
  }

  /** Enters the step, or resets it: set-up, then everything that is there is the baseline. Terminals stay open. */
  async begin(): Promise<Snapshot> {
    this.#feed.stop();
    this.#startedAtMs = 0;
    this.#wasSolved = false;
    const { setup } = this.#loaded;
    if (setup !== null) {
      const { code, stderr } = await this.#engine.exec(this.#sandbox, { argv: ['/bin/sh', '-c', setup] });
      if (code !== 0)
        throw new Error(`Cannot set up step "${this.#loaded.id}": setup.sh ended with ${code}: ${stderr.trim()}`);
    }
    for (const [number, typist] of this.#typists) {
      // The set-up may have ended what ran in this terminal; Enter brings a fresh prompt, or shows that the shell is gone.
      if (!typist.ended) await typist.type('', 'prompt');
      if (typist.ended) await this.#close(number);
    }
    await this.terminal(1);
    const snapshot = await this.#feed.start(true);
    this.#baseline = new Set(snapshot.processes.map(({ key }) => key));
    this.#startedAtMs = snapshot.atMs;
    return snapshot;
  }

  /** True once all checks were met together, if only for a moment. */
  get wasSolved(): boolean {
    return this.#wasSolved;
  }

  /** What the checks say of the latest state. */
  verdict(): Verdict {
    const { state } = this.#feed;
    if (!state) throw new Error(`Cannot judge step "${this.#loaded.id}": nothing was observed yet`);
    return evaluate(this.#loaded.id, this.#loaded.step, state, {
      language: 'en',
      stepStartedAtMs: this.#startedAtMs,
      baseline: this.#baseline,
    });
  }

  /** Types a script, line by line. */
  async play(script: Script): Promise<void> {
    for (const line of script.lines) {
      if (line.kind === 'type') await (await this.terminal(line.terminal)).type(line.text, line.wait);
      else await this.until(() => this.verdict().checks.some(({ id, state }) => id === line.check && state === 'met'));
    }
  }

  /**
   * Waits until a verdict holds and keeps holding, or does not come; says which. The caller looks at `verdict()` then.
   */
  async settles(wanted: (verdict: Verdict) => boolean): Promise<boolean> {
    const end = Date.now() + this.#settleTimeoutMs;
    while (Date.now() < end) {
      if (!(await this.until(() => wanted(this.verdict()), end - Date.now()))) return false;
      if (!(await this.until(() => !wanted(this.verdict()), STANDS_MS))) return true;
    }
    return false;
  }

  /** Resolves true when it holds, false when the time is over; looked at after each observation. */
  until(holds: () => boolean, timeoutMs = this.#settleTimeoutMs): Promise<boolean> {
    return new Promise((resolve) => {
      const finish = (result: boolean): void => {
        clearTimeout(timer);
        this.#changed = () => {};
        resolve(result);
      };
      const timer = setTimeout(() => finish(false), timeoutMs);
      this.#changed = () => {
        if (holds()) finish(true);
      };
      this.#changed();
    });
  }

  /** The lab's n-th terminal, opened when it is first used. */
  async terminal(number: number): Promise<Typist> {
    const open = this.#typists.get(number);
    if (open && !open.ended) return open;
    const typist = await Typist.open(this.#engine, this.#sandbox);
    this.#typists.set(number, typist);
    return typist;
  }

  /** Stops observing and closes the terminals. */
  async end(): Promise<void> {
    this.#feed.stop();
    for (const number of this.#typists.keys()) await this.#close(number);
  }

  async #close(number: number): Promise<void> {
    const typist = this.#typists.get(number);
    this.#typists.delete(number);
    typist?.close();
    if (typist) await this.#engine.closeTerminal(this.#sandbox, typist.id).catch(() => {});
  }
}
