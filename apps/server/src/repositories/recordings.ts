// Recordings: gzipped runs of observations, each opening with a snapshot. A learner's oldest go when there are too many.
import { gunzip, gzip } from 'node:zlib';
import { promisify } from 'node:util';
import type { Observation } from '@drydock/engine/model/observed.ts';
import { write, type Database } from './database.ts';

const compress = promisify(gzip);
const decompress = promisify(gunzip);

/** Of compressed bytes, per learner: about an hour of a busy sandbox. */
export const MAX_BYTES_PER_LEARNER = 32 * 2 ** 20;
/** Of one chunk's text: decompressing refuses more. */
const MAX_CHUNK_TEXT_BYTES = 64 * 2 ** 20;

export interface RecordingChunk {
  fromMs: number;
  toMs: number;
  /** JSON values, one each. */
  lines: readonly string[];
}

export class Recordings {
  readonly #db: Database;
  readonly #maxBytes: number;
  constructor(db: Database, maxBytes = MAX_BYTES_PER_LEARNER) {
    this.#db = db;
    this.#maxBytes = maxBytes;
  }

  async append(stepId: number, { fromMs, toMs, lines }: RecordingChunk): Promise<void> {
    const data = new Uint8Array(await compress(lines.join('\n')));
    await write(() =>
      this.#db.recording.create({
        data: {
          stepId,
          fromMs: BigInt(Math.round(fromMs)),
          toMs: BigInt(Math.round(toMs)),
          entries: lines.length,
          bytes: data.length,
          data,
        },
      }),
    );
    await this.#dropOldest(stepId);
  }

  /** The observations of a step between two moments, oldest first. The first is always a snapshot. */
  async read(stepId: number, fromMs: number, toMs: number): Promise<Observation[]> {
    const chunks = await this.#db.recording.findMany({
      where: { stepId, toMs: { gte: BigInt(fromMs) }, fromMs: { lte: BigInt(toMs) } },
      orderBy: { id: 'asc' },
    });
    const observations: Observation[] = [];
    for (const { data } of chunks) {
      const text = (await decompress(data, { maxOutputLength: MAX_CHUNK_TEXT_BYTES })).toString('utf8');
      // SAFETY: the lines are observations that this process checked when it received them.
      for (const line of text.split('\n')) observations.push(JSON.parse(line));
    }
    return observations;
  }

  async #dropOldest(stepId: number): Promise<void> {
    const step = await this.#db.stepRecord.findUniqueOrThrow({ where: { id: stepId }, include: { enrolment: true } });
    const where = { step: { enrolment: { learnerId: step.enrolment.learnerId } } };
    const { _sum } = await this.#db.recording.aggregate({ where, _sum: { bytes: true } });
    let excess = (_sum.bytes ?? 0) - this.#maxBytes;
    if (excess <= 0) return;
    const oldest = await this.#db.recording.findMany({
      where,
      orderBy: { id: 'asc' },
      select: { id: true, bytes: true },
    });
    const ids: number[] = [];
    for (const { id, bytes } of oldest) {
      if (excess <= 0) break;
      ids.push(id);
      excess -= bytes;
    }
    await write(() => this.#db.recording.deleteMany({ where: { id: { in: ids } } }));
  }
}
