// GET /containers/ID/logs.
import type { FastifyInstance } from 'fastify';
import { endAt, type LogsAsked } from '../../container/logs.ts';
import { EngineError } from '../../model/engine-error.ts';
import { parseTimeNs } from '../../model/go-time.ts';
import { answerStream } from './answer-stream.ts';
import { queryFlag, queryText } from './query.ts';
import { frames, MULTIPLEXED_STREAM, RAW_STREAM } from './stream-frames.ts';
import type { StreamsBackend } from './streams-backend.ts';
import { requestedMinor } from './version-prefix.ts';

const FIRST_TO_NAME_FRAMES = 42;

function askedOf(query: unknown, nowNs: bigint): LogsAsked {
  const [stdout, stderr] = [queryFlag(query, 'stdout'), queryFlag(query, 'stderr')];
  if (!stdout && !stderr)
    throw new EngineError('invalid_argument', 'Bad parameters: you must choose at least one stream');
  const time = (key: string): bigint | null => {
    const value = queryText(query, key) ?? '';
    // "0" is how some clients write that there is no bound.
    return value === '' || value === '0' ? null : parseTimeNs(value, nowNs);
  };
  const tail = queryText(query, 'tail') ?? 'all';
  return {
    stdout,
    stderr,
    follow: queryFlag(query, 'follow'),
    timestamps: queryFlag(query, 'timestamps'),
    details: queryFlag(query, 'details'),
    sinceNs: time('since'),
    untilNs: time('until'),
    tail: /^\d{1,9}$/.test(tail) ? Number(tail) : null, // anything else is all, as for Docker
  };
}

export function logsRoute(app: FastifyInstance, backend: StreamsBackend): void {
  app.get<{ Params: { id: string } }>('/containers/:id/logs', async (request, reply) => {
    const nowNs = BigInt(Date.now()) * 1_000_000n;
    const asked = askedOf(request.query, nowNs);
    const ending = new AbortController();
    const { terminal, pieces } = backend.logs(request.params.id, asked, ending.signal);
    const isNamed = !terminal && requestedMinor(request.originalUrl) >= FIRST_TO_NAME_FRAMES;
    const stopTimer = endAt(asked.follow ? asked.untilNs : null, nowNs, () => ending.abort());
    await answerStream(reply, isNamed ? MULTIPLEXED_STREAM : RAW_STREAM, ending, async (write) => {
      try {
        for await (const some of pieces)
          await write(terminal ? Buffer.concat(some.map(({ bytes }) => bytes)) : frames(some));
      } finally {
        stopTimer();
      }
    });
    return reply;
  });
}
