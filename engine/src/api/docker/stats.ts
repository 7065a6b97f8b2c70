// GET /containers/ID/stats: a sample a second, or one.
import type { FastifyInstance } from 'fastify';
import { setTimeout as pause } from 'node:timers/promises';
import { statsAnswer, type StatsSample } from '../../container/stats-shape.ts';
import { EngineError } from '../../model/engine-error.ts';
import { answerStream } from './answer-stream.ts';
import { queryFlag } from './query.ts';
import type { StreamsBackend } from './streams-backend.ts';

const EVERY_MS = 1_000;

export function statsRoute(app: FastifyInstance, backend: StreamsBackend): void {
  app.get<{ Params: { id: string } }>('/containers/:id/stats', async (request, reply) => {
    const { id } = request.params;
    const isStream = queryFlag(request.query, 'stream', true);
    const isOneShot = queryFlag(request.query, 'one-shot');
    if (isStream && isOneShot) throw new EngineError('invalid_argument', 'cannot have stream=true and one-shot=true');
    const first = backend.stats(id);
    if (!isStream) {
      // Two looks a second apart, for the percentages; of what does not run there is nothing to see.
      if (isOneShot || !first.sample) return statsAnswer(first, first.sample, null);
      await pause(EVERY_MS);
      return statsAnswer(first, backend.stats(first.id).sample, first.sample);
    }
    const left = new AbortController();
    await answerStream(reply, null, left, async (write) => {
      let before: StatsSample | null = null;
      for (let now = first; ; now = backend.stats(first.id)) {
        await write(`${JSON.stringify(statsAnswer(now, now.sample, before))}\n`);
        before = now.sample;
        await pause(EVERY_MS, undefined, { signal: left.signal }).catch(() => undefined);
        if (left.signal.aborted || !isThere(backend, first.id)) return;
      }
    });
    return reply;
  });
}

/** A container that was removed is no error: its stream ends. */
function isThere(backend: StreamsBackend, id: string): boolean {
  try {
    backend.stats(id);
    return true;
  } catch {
    return false;
  }
}
