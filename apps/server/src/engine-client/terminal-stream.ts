// A terminal's bytes over lab.sock: after the 101 the connection is the terminal, both ways.
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { errorOf, type EngineHttp } from './engine-http.ts';

/** `offset`: position of the first byte that `duplex` yields. Its end is the end of the shell, or of the engine. */
export interface EngineTerminalStream {
  offset: number;
  duplex: Duplex;
}

const CONNECT_TIMEOUT_MS = 10_000;
const MAX_REFUSAL_BYTES = 65_536;

/** Opens the stream. Throws EngineError when the engine refuses, EngineAbsentError when it is not there. */
export function openTerminalStream(http: EngineHttp, path: string): Promise<EngineTerminalStream> {
  return new Promise((resolve, reject) => {
    const request = http.upgrade(path, 'drydock-terminal');
    const timer = setTimeout(() => request.destroy(new Error('no answer')), CONNECT_TIMEOUT_MS);
    request.once('upgrade', (response: IncomingMessage, socket: Duplex, head: Buffer) => {
      clearTimeout(timer);
      const offset = Number(response.headers['drydock-offset']);
      if (!Number.isSafeInteger(offset) || offset < 0) {
        socket.destroy();
        reject(http.absent(new Error('the terminal stream has no offset')));
        return;
      }
      // An 'error' is followed by 'close', which is what the owner listens to.
      socket.on('error', () => socket.destroy());
      if (head.length > 0) socket.unshift(head);
      resolve({ offset, duplex: socket });
    });
    request.once('response', (response) => {
      clearTimeout(timer);
      void refusal(response).then((text) => reject(errorOf(response.statusCode ?? 0, text)));
    });
    request.once('error', (error) => {
      clearTimeout(timer);
      reject(http.absent(error));
    });
    request.end();
  });
}

async function refusal(response: IncomingMessage): Promise<string> {
  let text = '';
  response.setEncoding('utf8');
  try {
    for await (const chunk of response) {
      text += String(chunk);
      if (text.length > MAX_REFUSAL_BYTES) break;
    }
  } catch {
    // What came before the connection broke is the best there is.
  }
  return text;
}
