// One learner in one step: follows the kernel, judges every observation, keeps what the learner did. Everything that is
// said to a tab was stored before, except the verdict itself, which waits for nothing.
import type { Observation, Snapshot, Watch } from '@drydock/engine/model/observed.ts';
import type { Answers, StepProgress } from '@drydock/protocol/events.ts';
import { LANGUAGES, type Hint, type Language, type Text } from '@drydock/protocol/lesson.ts';
import type { Verdict } from '@drydock/protocol/verdict.ts';
import { evaluate, hintLadder } from '../checks/evaluate.ts';
import { observedForPrediction } from '../checks/prediction.ts';
import type { Context } from '../checks/world.ts';
import type { LoadedStep } from '../lessons/step-folder.ts';
import { LabError } from '../messages/messages.ts';
import type { Recordings } from '../repositories/recordings.ts';
import type { StepRef, StepRow, Steps } from '../repositories/steps.ts';
import { ObservationFeed } from './observation-feed.ts';
import { Recorder } from './recorder.ts';
import type { Tab } from './tab.ts';
import { together } from './together.ts';

export interface StepParts {
  observe(watch: Watch, signal: AbortSignal): AsyncIterable<Observation>;
  /** Is what the learner does now done in this step? Not when the step is only followed a little longer. */
  attended(): boolean;
  steps: Steps;
  recordings: Recordings;
  /** Something could not be stored or followed; whoever looks is told. */
  trouble(error: unknown): void;
  lost(error: unknown): void;
  back(): void;
}

/** Brings the sandbox to the step's start: terminals, and the step's script if it has one. */
export type Prepare = (script: string | null) => Promise<unknown>;

/** A contradiction that is gone sooner was on the way to something else, not an attempt. */
const ATTEMPT_SETTLES_MS = 400;
const MAX_HINTS = 3;

export class StepSession {
  readonly tabs = new Set<Tab>();
  readonly ref: StepRef;
  readonly loaded: LoadedStep;
  readonly #parts: StepParts;
  readonly #feed: ObservationFeed;
  readonly #recorder: Recorder;
  #row: StepRow | null = null;
  #baseline: ReadonlySet<string> = new Set();
  #verdicts: Record<Language, Verdict> | null = null;
  /** What was counted last, or stood before it could be; empty when nothing is tried. */
  #lastAttempt = '';
  #settling: { key: string; timer: NodeJS.Timeout } | null = null;
  /** Nothing was judged since the step began or was opened again. */
  #firstLook = true;
  #writes: Promise<void> = Promise.resolve();

  constructor(ref: StepRef, loaded: LoadedStep, parts: StepParts) {
    this.ref = ref;
    this.loaded = loaded;
    this.#parts = parts;
    this.#feed = new ObservationFeed(
      {
        observe: (watch, signal) => parts.observe(watch, signal),
        changed: (observation, state) => this.#changed(observation, state),
        lost: (error) => parts.lost(error),
        back: () => parts.back(),
      },
      loaded.step.watch,
    );
    this.#recorder = new Recorder(async (chunk) => {
      if (this.#row) await parts.recordings.append(this.#row.id, chunk);
    });
  }

  /** Opens where the learner left it, or begins when the sandbox lives anew. `prepare` runs the step's script in between. */
  async open(epoch: string, prepare: Prepare): Promise<void> {
    this.#row = await this.#parts.steps.find(this.ref);
    if (this.#row?.start.sandboxEpoch === epoch) {
      this.#baseline = new Set(this.#row.start.baseline);
      this.#firstLook = true;
      await this.#feed.start(false);
    } else await this.begin(epoch, prepare);
  }

  /** To the step's start: set-up, then everything that is there now is the baseline. */
  async begin(epoch: string, prepare: Prepare): Promise<void> {
    this.pause();
    this.#row = null;
    this.#verdicts = null;
    this.#firstLook = true;
    const enrolment = this.#parts.steps.enrol(this.ref);
    await together([prepare(this.loaded.setup), enrolment]);
    const snapshot = await this.#feed.start(true);
    const baseline = snapshot.processes.map(({ key }) => key);
    const start = { startedAtMs: snapshot.atMs, sandboxEpoch: epoch, baseline };
    this.#row = await this.#parts.steps.begin(this.ref, start, enrolment);
    this.#baseline = new Set(baseline);
    this.#judge();
    for (const tab of this.tabs) tab.emit('scope:snapshot', this.snapshot, baseline);
  }

  /** Stops following; what was gathered is stored. */
  pause(): void {
    this.#feed.stop();
    this.#cancelAttempt();
    void this.#recorder.flush();
  }

  async close(): Promise<void> {
    this.pause();
    await this.#recorder.flush();
    await this.#writes;
  }

  get snapshot(): Snapshot {
    const { state } = this.#feed;
    if (!state) throw new LabError('noStep');
    return state;
  }

  /** The life of the sandbox that the baseline belongs to; null while the step is not begun. */
  get epoch(): string | null {
    return this.#row?.start.sandboxEpoch ?? null;
  }

  get progress(): StepProgress {
    return this.#stored.progress;
  }

  get baseline(): string[] {
    return [...this.#baseline];
  }

  verdict(language: Language): Verdict {
    if (!this.#verdicts) this.#judge();
    if (!this.#verdicts) throw new LabError('noStep');
    return this.#verdicts[language];
  }

  observed(language: Language): string | null {
    return this.#stored.observed?.[language] ?? null;
  }

  /** Of the prediction, by the step's own answer; null until there is one and the kernel has shown it. */
  get predictedRight(): boolean | null {
    const { observed, progress } = this.#stored;
    if (observed === null || progress.predicted === null) return null;
    return progress.predicted === this.loaded.step.predict.answer;
  }

  /** Run is refused until the learner said what they expect. */
  requirePrediction(): void {
    if (this.progress.predicted === null) throw new LabError('predictFirst');
  }

  async predict(option: string): Promise<StepProgress> {
    const row = this.#stored;
    if (row.progress.predicted !== null && row.progress.predicted !== option) throw new LabError('predicted');
    if (!this.loaded.step.predict.options.some(({ id }) => id === option)) throw new LabError('noOption', { option });
    const kept = await this.#parts.steps.predict(row.id, option, Date.now());
    if (row.observed) await this.#parts.steps.observed(row.id, row.observed);
    const progress = this.#progressed({ predicted: kept.option, predictedAtMs: kept.madeAtMs });
    // The kernel may have shown it before: then it is right or wrong from now on.
    if (row.observed && this.#verdicts) this.#tellVerdict(this.#verdicts);
    return progress;
  }

  async explain(option: string): Promise<Answers['step:explain']> {
    const { explain } = this.loaded.step;
    const chosen = explain.options.find(({ id }) => id === option);
    if (!chosen) throw new LabError('noOption', { option });
    await this.#parts.steps.explain(this.#stored.id, option);
    const progress = this.#progressed({ explained: option });
    return { ...progress, feedback: chosen.feedback, right: option === explain.answer };
  }

  /** The hint at this place: one opened before, or the next, chosen by what is observed now. */
  async hint(index: number): Promise<Answers['step:hint']> {
    const opened = this.progress.hintsOpened;
    const again = this.loaded.step.hints.find(({ id }) => id === opened[index]);
    if (again) return answerOf(again, this.progress);
    if (index > opened.length) throw new LabError('hintInOrder');
    const ladder = hintLadder(this.loaded.step, this.verdict('en'));
    const place = ladder[index];
    const next = place && !opened.includes(place.id) ? place : ladder.find(({ id }) => !opened.includes(id));
    if (!next || index >= MAX_HINTS) throw new LabError('noHint');
    const hintsOpened = [...opened, next.id];
    await this.#parts.steps.hints(this.#stored.id, hintsOpened);
    return answerOf(next, this.#progressed({ hintsOpened }));
  }

  async solution(): Promise<Answers['step:solution']> {
    const { hintsOpened, attempts, solvedAtMs, solutionOpened } = this.progress;
    if (hintsOpened.length === 0 && attempts === 0 && solvedAtMs === null) throw new LabError('solutionLocked');
    if (!solutionOpened) await this.#parts.steps.solution(this.#stored.id);
    return { text: this.loaded.solution.text, progress: this.#progressed({ solutionOpened: true }) };
  }

  get #stored(): StepRow {
    if (!this.#row) throw new LabError('noStep');
    return this.#row;
  }

  #changed(observation: Observation, state: Snapshot): void {
    // While the step begins anew there is no baseline: begin() says both together.
    if (!this.#row) return;
    for (const tab of this.tabs)
      if (observation.kind === 'patch') tab.emit('scope:patch', observation);
      else tab.emit('scope:snapshot', observation, this.baseline);
    this.#recorder.add(observation, state);
    this.#judge();
  }

  #judge(): void {
    const state = this.#feed.state;
    const row = this.#row;
    if (!state || !row) return;
    const before = this.#verdicts;
    const { id, step } = this.loaded;
    const context = (language: Language): Context => ({
      language,
      stepStartedAtMs: row.start.startedAtMs,
      baseline: this.#baseline,
    });
    const now = byLanguage((language) => evaluate(id, step, state, context(language)));
    const observed =
      row.observed ?? allOrNull(byLanguage((language) => observedForPrediction(step, state, context(language))));
    const newlyObserved = row.observed === null && observed !== null;
    row.observed = observed;
    this.#verdicts = now;
    if (newlyObserved || !before || !sameVerdict(before.en, now.en)) this.#tellVerdict(now);
    if (newlyObserved) this.#write(() => this.#parts.steps.observed(row.id, observed));
    this.#consider(row, now.en);
  }

  #tellVerdict(verdicts: Record<Language, Verdict>): void {
    for (const tab of this.tabs)
      tab.emit('step:verdict', verdicts[tab.language], this.observed(tab.language), this.predictedRight);
  }

  /** A tab opens the step: what came about while the learner was in another one counts now if it meets the goal. */
  enter(tab: Tab): void {
    this.tabs.add(tab);
    this.#judge();
  }

  /**
   * An attempt: the goal is met, or contradicted for more than a moment, by something not seen just before. What stands
   * already when the step is opened, or comes about while the learner is in another step, is no attempt at this one.
   */
  #consider(row: StepRow, verdict: Verdict): void {
    const contradicts = verdict.checks.some(({ state }) => state === 'contradicts');
    const key = verdict.solved || contradicts ? attemptKey(verdict) : '';
    if (this.#settling?.key === key) return;
    this.#cancelAttempt();
    const counts = this.#parts.attended() && (verdict.solved || !this.#firstLook);
    this.#firstLook = false;
    if (key === this.#lastAttempt) return;
    if (key === '' || !counts) this.#lastAttempt = verdict.solved ? '' : key;
    else if (verdict.solved) this.#attempted(row, verdict, key);
    else this.#settling = { key, timer: setTimeout(() => this.#attempted(row, verdict, key), ATTEMPT_SETTLES_MS) };
  }

  #cancelAttempt(): void {
    clearTimeout(this.#settling?.timer);
    this.#settling = null;
  }

  #attempted(row: StepRow, verdict: Verdict, key: string): void {
    this.#settling = null;
    this.#lastAttempt = key;
    const atMs = Date.now();
    if (!row.hasFirstVerdict) {
      row.hasFirstVerdict = true;
      this.#write(() => this.#parts.steps.firstVerdict(row.id, verdict));
    }
    this.#write(async () => {
      await this.#parts.steps.attempt(row.id, verdict, atMs);
      const { attempts, solvedAtMs } = row.progress;
      const solved = solvedAtMs ?? (verdict.solved ? atMs : null);
      this.#progressed({ attempts: attempts + 1, solvedAtMs: solved });
    });
  }

  /** Changes the progress in memory, after it was stored, and tells every tab of the step. */
  #progressed(change: Partial<StepProgress>): StepProgress {
    const row = this.#stored;
    row.progress = { ...row.progress, ...change };
    for (const tab of this.tabs) tab.emit('step:progress', row.progress);
    return row.progress;
  }

  /** Writes that nobody waits for, in order. */
  #write(work: () => Promise<void>): void {
    this.#writes = this.#writes.then(work).catch((error: unknown) => this.#parts.trouble(error));
  }
}

const byLanguage = <T>(make: (language: Language) => T): Record<Language, T> => ({ en: make('en'), zh: make('zh') });

const allOrNull = (texts: Record<Language, string | null>): Text | null =>
  LANGUAGES.every((language) => texts[language] !== null) ? { en: texts.en ?? '', zh: texts.zh ?? '' } : null;

const answerOf = ({ id, text }: Hint, progress: StepProgress): Answers['step:hint'] => ({ id, text, progress });

const attemptKey = ({ subject, checks }: Verdict): string =>
  JSON.stringify([subject, checks.map(({ id, state }) => [id, state])]);

/** Whether a tab would show the same. */
const sameVerdict = (a: Verdict, b: Verdict): boolean =>
  JSON.stringify({ ...a, seq: 0 }) === JSON.stringify({ ...b, seq: 0 });
