// GET /events: what happens in the engine, a JSON object a line; what happened before where `since` asks for it.
import type { FastifyInstance } from 'fastify';
import type { EngineEvent } from '../../container/events.ts';
import { parseTimeNs } from '../../model/go-time.ts';
import { answerStream } from './answer-stream.ts';
import { eventLine, eventMatcher } from './event-filters.ts';
import { queryText } from './query.ts';
import type { StreamsBackend } from './streams-backend.ts';

/** So many events a slow client may be behind: then it is let go of. */
const MOST_WAITING = 10_000;
const MOST_TIMER_MS = 2 ** 31 - 1;

export function eventsRoute(app: FastifyInstance, backend: StreamsBackend): void {
  app.get('/events', async (request, reply) => {
    const nowNs = BigInt(Date.now()) * 1_000_000n;
    const time = (key: string) => {
      const value = queryText(request.query, key) ?? '';
      return value === '' ? null : parseTimeNs(value, nowNs);
    };
    // podman's clients end it so after what there is.
    const ends = queryText(request.query, 'stream') === 'false';
    const [sinceNs, untilNs] = [time('since'), time('until') ?? (ends ? nowNs : null)];
    const matches = eventMatcher(queryText(request.query, 'filters'));
    const isAsked = (event: EngineEvent) =>
      (sinceNs === null || event.timeNano >= sinceNs) &&
      (untilNs === null || event.timeNano <= untilNs) &&
      matches(event);
    const waiting: EngineEvent[] = sinceNs === null && untilNs === null ? [] : backend.events.recent().filter(isAsked);
    const left = new AbortController();
    let wake: () => void = () => undefined;
    const stop = backend.events.listen((event) => {
      if (!isAsked(event)) return;
      if (waiting.push(event) > MOST_WAITING) left.abort();
      wake();
    });
    left.signal.addEventListener('abort', () => wake());
    const forMs = untilNs === null ? Infinity : Number((untilNs - nowNs) / 1_000_000n);
    const timer = forMs < MOST_TIMER_MS ? setTimeout(() => left.abort(), Math.max(0, forMs)) : undefined;
    await answerStream(reply, 'application/json', left, async (write) => {
      try {
        for (;;) {
          for (let event = waiting.shift(); event; event = waiting.shift()) await write(eventLine(event));
          if (left.signal.aborted) return;
          await new Promise<void>((resolve) => (wake = resolve));
        }
      } finally {
        clearTimeout(timer);
        stop();
      }
    });
    return reply;
  });
}
