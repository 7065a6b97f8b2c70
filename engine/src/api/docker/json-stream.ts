// Docker's JSON message stream: one object a line while something long goes on. What fails before the first line is an
// ordinary error with its status; what fails later is the last line.
import type { FastifyReply } from 'fastify';
import { PassThrough } from 'node:stream';
import { errorAnswer } from '../http-status.ts';

/** Runs `work`, sending what it tells. The answer begins with the first message. */
export async function jsonStream(
  reply: FastifyReply,
  work: (tell: (message: object) => void) => Promise<void>,
  errors: 'by status until the first line' | 'in the stream' = 'by status until the first line',
): Promise<FastifyReply> {
  const lines = new PassThrough();
  let begun = false;
  let begin = () => {};
  const first = new Promise<void>((resolve) => (begin = resolve));
  const tell = (message: object) => {
    begun = true;
    lines.write(`${JSON.stringify(message)}\r\n`);
    begin();
  };
  const worked = work(tell).then(
    () => lines.end(),
    (error: unknown) => {
      if (!begun && errors !== 'in the stream') throw error;
      const { message } = errorAnswer(error);
      tell({ errorDetail: { message }, error: message });
      lines.end();
    },
  );
  await Promise.race([first, worked]);
  worked.catch(() => undefined); // before the first line it was thrown just now
  return reply.type('application/json').send(lines);
}
