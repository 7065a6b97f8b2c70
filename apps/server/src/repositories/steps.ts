// A learner's steps: baseline, prediction, hints, attempts, the moment it was solved. Each method is one durable write.
import type { StepProgress } from '@drydock/protocol/events.ts';
import type { Text } from '@drydock/protocol/lesson.ts';
import type { Verdict } from '@drydock/protocol/verdict.ts';
import { write, type Database } from './database.ts';

/** Which step of whom. */
export interface StepRef {
  learner: string;
  track: string;
  lesson: string;
  step: string;
}

/** When a step was begun and what was there then; worth nothing once the sandbox lives anew (another epoch). */
export interface StepStart {
  startedAtMs: number;
  sandboxEpoch: string;
  baseline: string[];
}

export interface StepRow {
  id: number;
  start: StepStart;
  progress: StepProgress;
  /** What the kernel showed of the prediction, in both languages. */
  observed: Text | null;
  /** Something but "not yet" was seen in this step before. */
  hasFirstVerdict: boolean;
}

const EVERYTHING = { prediction: true, _count: { select: { attempts: true } } } as const;

export class Steps {
  readonly #db: Database;
  constructor(db: Database) {
    this.#db = db;
  }

  async find({ learner, track, lesson, step }: StepRef): Promise<StepRow | null> {
    const record = await this.#db.stepRecord.findFirst({
      where: { step, enrolment: { learnerId: learner, track, lesson } },
      include: EVERYTHING,
    });
    return record && rowOf(record);
  }

  /** Begins a step, or begins it again: what the learner answered and solved before stays. */
  async begin(ref: StepRef, start: StepStart, enrolment = this.enrol(ref)): Promise<StepRow> {
    const enrolmentId = await enrolment;
    const { step } = ref;
    const begun = {
      startedAt: new Date(start.startedAtMs),
      sandboxEpoch: start.sandboxEpoch,
      baseline: JSON.stringify(start.baseline),
    };
    const record = await write(() =>
      this.#db.stepRecord.upsert({
        where: { enrolmentId_step: { enrolmentId, step } },
        create: { enrolmentId, step, ...begun },
        update: begun,
        include: EVERYTHING,
      }),
    );
    return rowOf(record);
  }

  /** The learner is in this lesson from now on, if not before; answers the enrolment's id. */
  async enrol({ learner, track, lesson }: Omit<StepRef, 'step'>): Promise<number> {
    const { id } = await write(() =>
      this.#db.enrolment.upsert({
        where: { learnerId_track_lesson: { learnerId: learner, track, lesson } },
        create: { learnerId: learner, track, lesson },
        update: {},
      }),
    );
    return id;
  }

  /** Stores the prediction unless there is one; answers the one that stands. */
  async predict(stepId: number, option: string, madeAtMs: number): Promise<{ option: string; madeAtMs: number }> {
    const stored = await write(() =>
      this.#db.prediction.upsert({
        where: { stepId },
        create: { stepId, option, madeAt: new Date(madeAtMs) },
        update: {},
      }),
    );
    return { option: stored.option, madeAtMs: stored.madeAt.getTime() };
  }

  async observed(stepId: number, observed: Text): Promise<void> {
    await write(() =>
      this.#db.prediction.updateMany({ where: { stepId }, data: { observed: JSON.stringify(observed) } }),
    );
  }

  async hints(stepId: number, opened: readonly string[]): Promise<void> {
    await this.#update(stepId, { hintsOpened: JSON.stringify(opened) });
  }

  async solution(stepId: number): Promise<void> {
    await this.#update(stepId, { solutionOpened: true });
  }

  async explain(stepId: number, option: string): Promise<void> {
    await this.#update(stepId, { explained: option, explainedAt: new Date() });
  }

  async firstVerdict(stepId: number, verdict: Verdict): Promise<void> {
    await this.#update(stepId, { firstVerdict: JSON.stringify(verdict) });
  }

  /** An attempt, and with a solving one the moment: in one transaction. */
  async attempt(stepId: number, verdict: Verdict, atMs: number): Promise<void> {
    const at = new Date(atMs);
    const { solved, hint } = verdict;
    const add = this.#db.attempt.create({ data: { stepId, at, solved, hint, verdict: JSON.stringify(verdict) } });
    if (!solved) await write(() => add);
    else {
      const solve = this.#db.stepRecord.updateMany({ where: { id: stepId, solvedAt: null }, data: { solvedAt: at } });
      await write(() => this.#db.$transaction([add, solve]));
    }
  }

  /** What was done in the steps of one lesson; steps never opened are absent. */
  async ofLesson(learner: string, track: string, lesson: string): Promise<StepProgress[]> {
    const records = await this.#db.stepRecord.findMany({
      where: { enrolment: { learnerId: learner, track, lesson } },
      include: EVERYTHING,
    });
    return records.map((record) => rowOf(record).progress);
  }

  /** Every solved step of a learner. */
  async solved(learner: string): Promise<{ track: string; lesson: string; step: string }[]> {
    const records = await this.#db.stepRecord.findMany({
      where: { solvedAt: { not: null }, enrolment: { learnerId: learner } },
      select: { step: true, enrolment: { select: { track: true, lesson: true } } },
    });
    return records.map(({ step, enrolment }) => ({ ...enrolment, step }));
  }

  async #update(stepId: number, data: Parameters<Database['stepRecord']['update']>[0]['data']): Promise<void> {
    await write(() => this.#db.stepRecord.update({ where: { id: stepId }, data }));
  }
}

interface StoredStep {
  id: number;
  step: string;
  startedAt: Date;
  sandboxEpoch: string;
  baseline: string;
  hintsOpened: string;
  solutionOpened: boolean;
  explained: string | null;
  solvedAt: Date | null;
  firstVerdict: string | null;
  prediction: { option: string; madeAt: Date; observed: string | null } | null;
  _count: { attempts: number };
}

function rowOf(record: StoredStep): StepRow {
  const { prediction } = record;
  const observed: Text | null = prediction?.observed ? JSON.parse(prediction.observed) : null;
  return {
    id: record.id,
    start: {
      startedAtMs: record.startedAt.getTime(),
      sandboxEpoch: record.sandboxEpoch,
      baseline: JSON.parse(record.baseline),
    },
    progress: {
      step: record.step,
      predicted: prediction?.option ?? null,
      predictedAtMs: prediction?.madeAt.getTime() ?? null,
      hintsOpened: JSON.parse(record.hintsOpened),
      solutionOpened: record.solutionOpened,
      explained: record.explained,
      attempts: record._count.attempts,
      solvedAtMs: record.solvedAt?.getTime() ?? null,
    },
    observed,
    hasFirstVerdict: record.firstVerdict !== null,
  };
}
