// Everything of one learner that lives in this process: tabs, sandbox, terminals, open steps. All of it can be rebuilt
// from the database and the engine; nothing is lost with it.
import type { Logger } from 'pino';
import type { StepState } from '@drydock/protocol/events.ts';
import type { Language } from '@drydock/protocol/lesson.ts';
import type { EngineClient } from '../engine-client/engine-client.ts';
import type { LoadedStep } from '../lessons/step-folder.ts';
import { LabError, say, sentenceOf, type MessageKey, type Values } from '../messages/messages.ts';
import type { Leases } from '../repositories/leases.ts';
import type { Recordings } from '../repositories/recordings.ts';
import type { StepRef, Steps } from '../repositories/steps.ts';
import { RateLimit } from '../socket/rate-limit.ts';
import type { LeasePolicy } from './lease-policy.ts';
import { SandboxKeeper, type Ready } from './sandbox-keeper.ts';
import { StepSession, type Prepare } from './step-session.ts';
import type { Reply, Tab } from './tab.ts';
import { TerminalDesk } from './terminal-desk.ts';
import { together } from './together.ts';

export interface LearnerParts {
  learner: string;
  engine: EngineClient;
  steps: Steps;
  leases: Leases;
  recordings: Recordings;
  policy: LeasePolicy;
  log: Logger;
  /** The step as its files say; null when there is none (any more). */
  findStep(track: string, lesson: string, step: string): LoadedStep | null;
}

/** A reload comes back within this; until then a step goes on being followed. */
const LINGER_MS = 15_000;
const MEASURE_EVERY_MS = 1000;
const SET_UP_TIMEOUT_MS = 30_000;

export class LearnerLab {
  readonly tabs = new Set<Tab>();
  readonly keeper: SandboxKeeper;
  readonly terminals: TerminalDesk;
  /** For what makes the engine work hard: starts, resets, new terminals. */
  readonly costly = new RateLimit({ burst: 20, everyMs: 2000 });
  readonly #parts: LearnerParts;
  readonly #sessions = new Map<string, StepSession>();
  /** The step that was opened last. */
  #entered: StepSession | null = null;
  /** What the sandbox did before it was expected, and nobody was told yet. */
  #resumed: Ready['resumed'] = null;
  #measuring: NodeJS.Timeout | null = null;
  #changing: Promise<unknown> = Promise.resolve();

  constructor(parts: LearnerParts) {
    this.#parts = parts;
    const { engine, leases, policy, learner } = parts;
    this.keeper = new SandboxKeeper({ engine, leases, policy, learner, changed: () => this.#tellStatus() });
    this.terminals = new TerminalDesk({ engine, sandbox: this.keeper.id, tabs: this.tabs });
  }

  join(tab: Tab): void {
    this.tabs.add(tab);
    this.#measuring ??= setInterval(() => void this.keeper.measure().catch(() => undefined), MEASURE_EVERY_MS);
  }

  async leave(tab: Tab): Promise<void> {
    this.tabs.delete(tab);
    this.terminals.leave(tab);
    for (const session of this.#sessions.values()) if (session.tabs.delete(tab)) this.#closeSoon(session);
    if (this.tabs.size > 0) return;
    if (this.#measuring) clearInterval(this.#measuring);
    this.#measuring = null;
    await this.keeper.left();
  }

  /** The step this tab has open. */
  sessionOf(tab: Tab): StepSession {
    for (const session of this.#sessions.values()) if (session.tabs.has(tab)) return session;
    throw new LabError('noStep');
  }

  /** A lesson's page is on its way to the learner: sandbox and terminals are made while the browser loads it. */
  async expect(): Promise<void> {
    if (this.#isAnyOpen()) return;
    await this.#alone(async () => {
      const { resumed } = await this.keeper.ready();
      this.#resumed ??= resumed;
      await this.terminals.ensure();
    });
  }

  /** Enters a step: sandbox, terminals, observation. The tab gets every change after the state it is answered. */
  async open(tab: Tab, track: string, lesson: string, step: string): Promise<Reply<StepState>> {
    const loaded = this.#parts.findStep(track, lesson, step);
    if (!loaded) throw new LabError('noLesson', { track, lesson, step });
    return this.#alone(async () => {
      const ready = await this.keeper.ready();
      const resumed = ready.resumed ?? this.#resumed;
      this.#resumed = null;
      if (resumed) this.#tell('info', resumed === 'frozen' ? 'resumedFrozen' : 'resumedStopped');
      const ref = { learner: this.#parts.learner, track, lesson, step };
      const session = await this.#withTerminals(async (prepare) => {
        const found = this.#ofFiles(ref, loaded) ?? (await this.#begin(ref, loaded, ready, prepare));
        if (found.epoch !== ready.epoch) await found.begin(ready.epoch, prepare);
        return found;
      });
      return this.#enter(tab, session);
    });
  }

  /** To the step's start (what runs is ended, files stay), or to a new sandbox (nothing stays). */
  async renew(tab: Tab, how: 'restart' | 'reset'): Promise<Reply<StepState>> {
    const session = this.sessionOf(tab);
    return this.#alone(async () => {
      for (const [name, each] of this.#sessions) {
        each.pause();
        // Its script would be run for nobody; who opens it again begins it then.
        if (each.tabs.size === 0) this.#sessions.delete(name);
      }
      this.terminals.drop();
      const ready = await this.keeper.renew(how);
      await this.#withTerminals(async (prepare) => {
        for (const each of this.#sessions.values()) await each.begin(ready.epoch, prepare);
      });
      this.#tell('info', how === 'restart' ? 'stepReset' : 'sandboxReset');
      return this.#enter(tab, session);
    });
  }

  state(session: StepSession, language: Language): StepState {
    return {
      progress: session.progress,
      solved: session.progress.solvedAtMs !== null,
      snapshot: session.snapshot,
      baseline: session.baseline,
      verdict: session.verdict(language),
      terminals: this.terminals.list(language),
      sandbox: this.keeper.status(language),
      observed: session.observed(language),
      predictedRight: session.predictedRight,
    };
  }

  /** Freezes or stops what nobody looks at, or what is at its time limit. */
  async enforceLease(): Promise<void> {
    const lookAway = (): void => {
      for (const session of this.#sessions.values()) session.pause();
    };
    const end = await this.#alone(() => this.keeper.enforce(this.tabs.size > 0, Date.now(), lookAway));
    if (end === null) return;
    this.#sessions.clear();
    this.terminals.drop();
    if (end === 'stop-clock') this.#tell('warn', 'stoppedClock');
  }

  async close(): Promise<void> {
    if (this.#measuring) clearInterval(this.#measuring);
    this.terminals.drop();
    await Promise.all([...this.#sessions.values()].map((session) => session.close()));
    if (this.tabs.size > 0) await this.keeper.left();
  }

  /** A step that is followed already; one whose files were read again since is followed anew. */
  #ofFiles(ref: StepRef, loaded: LoadedStep): StepSession | undefined {
    const found = this.#sessions.get(nameOf(ref));
    if (!found || found.loaded === loaded) return found;
    this.#sessions.delete(nameOf(ref));
    found.tabs.clear();
    void found.close();
    return undefined;
  }

  #isAnyOpen(): boolean {
    return [...this.#sessions.values()].some(({ tabs }) => tabs.size > 0);
  }

  #enter(tab: Tab, session: StepSession): Reply<StepState> {
    return {
      value: () => {
        for (const other of this.#sessions.values())
          if (other !== session && other.tabs.delete(tab)) this.#closeSoon(other);
        const state = this.state(session, tab.language);
        this.#entered = session;
        if (this.tabs.has(tab)) session.enter(tab);
        else this.#closeSoon(session);
        return state;
      },
    };
  }

  /** Opens the terminals while a step's script runs; the picture is taken after both, so that it holds their shells. */
  async #withTerminals<T>(work: (prepare: Prepare) => Promise<T>): Promise<T> {
    const terminals = this.terminals.ensure();
    const working = work((script) => together([terminals, script === null ? null : this.#setUp(script)]));
    const [done] = await together([working, terminals]);
    return done;
  }

  async #begin(ref: StepRef, loaded: LoadedStep, ready: Ready, prepare: Prepare): Promise<StepSession> {
    const { engine, steps, recordings, log } = this.#parts;
    const session: StepSession = new StepSession(ref, loaded, {
      observe: (watch, signal) => engine.observe(this.keeper.id, watch, signal),
      // Between a reload and the page's return no step is open: then it is the one that was.
      attended: () => session.tabs.size > 0 || (this.#entered === session && !this.#isAnyOpen()),
      steps,
      recordings,
      trouble: (error) => {
        log.error({ error, ref }, 'progress was not stored');
        for (const tab of session.tabs)
          tab.emit('notice', { kind: 'error', text: sentenceOf(error, tab.language) ?? say(tab.language, 'internal') });
      },
      lost: (error) => {
        log.warn({ error, ref }, 'observation interrupted');
        for (const tab of session.tabs)
          tab.emit('notice', {
            kind: 'warn',
            text: sentenceOf(error, tab.language) ?? say(tab.language, 'observationLost'),
          });
      },
      back: () => {
        for (const tab of session.tabs) tab.emit('notice', { kind: 'info', text: say(tab.language, 'engineBack') });
      },
    });
    try {
      await session.open(ready.epoch, prepare);
    } catch (error) {
      session.pause();
      throw error;
    }
    this.#sessions.set(nameOf(ref), session);
    return session;
  }

  async #setUp(script: string): Promise<void> {
    const result = await this.#parts.engine.exec(this.keeper.id, {
      argv: ['/bin/sh', '-c', script],
      cwd: '/root',
      timeoutMs: SET_UP_TIMEOUT_MS,
    });
    if (result.code === 0) return;
    const why = result.timedOut ? `${SET_UP_TIMEOUT_MS / 1000} s` : result.stderr.trim().split('\n').at(-1);
    throw new LabError('setupFailed', { message: why || `exit ${result.code ?? result.signal}` });
  }

  /** A step that no tab has open is followed a little longer, then closed. */
  #closeSoon(session: StepSession): void {
    setTimeout(() => {
      if (session.tabs.size > 0 || this.#sessions.get(nameOf(session.ref)) !== session) return;
      this.#sessions.delete(nameOf(session.ref));
      void session.close();
    }, LINGER_MS).unref();
  }

  /** One change of the sandbox at a time: two tabs that reset at once do it one after the other. */
  #alone<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#changing.then(work, work);
    this.#changing = done.catch(() => undefined);
    return done;
  }

  #tell(kind: 'info' | 'warn' | 'error', key: MessageKey, values: Values = {}): void {
    for (const tab of this.tabs) tab.emit('notice', { kind, text: say(tab.language, key, values) });
  }

  #tellStatus(): void {
    for (const tab of this.tabs) tab.emit('sandbox:status', this.keeper.status(tab.language));
  }
}

const nameOf = ({ track, lesson, step }: StepRef): string => `${track}/${lesson}/${step}`;
