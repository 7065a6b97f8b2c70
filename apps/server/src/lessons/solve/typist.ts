// Types at a terminal of the lab the way a learner does: through the engine's stream, one line at a time, waiting for the
// shell's prompt. Knows nothing of lessons.
import type { Duplex } from 'node:stream';
import type { EngineClient } from '../../engine-client/engine-client.ts';

/** A guard against a shell that never answers, not a time anything is measured by. */
const PROMPT_TIMEOUT_MS = 15_000;
/** What a shell of root or of a user ends its prompt with. */
const PROMPT = /(?:^|\n)[^\n]*[#$] $/;
const MAX_KEPT = 65_536;

const ESC = String.fromCharCode(27);
const BEL = String.fromCharCode(7);
/** Titles (OSC), cursor and modes (CSI), single functions (Fe): ECMA-48. */
const CONTROL = new RegExp(
  `${ESC}\\][^${BEL}${ESC}]*(?:${BEL}|${ESC}\\\\)|${ESC}\\[[0-?]*[ -/]*[@-~]|${ESC}[@-Z\\\\-_]`,
  'g',
);

/** What a terminal shows, without what only moves the cursor, colours or sets modes. Node’s own stripping leaves titles. */
export function visibleText(bytes: string): string {
  return bytes.replace(CONTROL, '').replaceAll('\r', '');
}

/** Does text that followed a typed line end in a prompt? The line itself comes back first: a newline has to follow it. */
export function endsInPrompt(since: string): boolean {
  const text = visibleText(since);
  return text.includes('\n') && PROMPT.test(text);
}

export class Typist {
  readonly id: string;
  readonly #stream: Duplex;
  #since = '';
  #ended = false;
  #changed: () => void = () => {};

  private constructor(id: string, stream: Duplex) {
    this.id = id;
    this.#stream = stream;
    const decoder = new TextDecoder();
    stream.on('data', (bytes: Uint8Array) => {
      this.#since = (this.#since + decoder.decode(bytes, { stream: true })).slice(-MAX_KEPT);
      this.#changed();
    });
    stream.on('close', () => {
      this.#ended = true;
      this.#changed();
    });
  }

  /** Opens a terminal in the sandbox and waits for its first prompt. */
  static async open(engine: EngineClient, sandbox: string): Promise<Typist> {
    const { id } = await engine.openTerminal(sandbox, { cols: 120, rows: 40 });
    const { duplex } = await engine.streamTerminal(sandbox, id, 0);
    const typist = new Typist(id, duplex);
    await typist.#until(() => PROMPT.test(visibleText(typist.#since)), 'its first prompt');
    return typist;
  }

  /** The shell has ended: nothing can be typed here any more. */
  get ended(): boolean {
    return this.#ended;
  }

  /** What was shown since the last line was typed. */
  get shown(): string {
    return visibleText(this.#since);
  }

  /** Types a line and Enter; with `prompt`, waits until the shell asks for the next, or has ended. */
  async type(line: string, wait: 'prompt' | 'nothing'): Promise<void> {
    if (this.#ended)
      throw new Error(`Cannot type ${JSON.stringify(line)} in terminal "${this.id}": its shell has ended`);
    this.#since = '';
    this.#stream.write(`${line}\r`);
    if (wait === 'prompt') await this.#until(() => endsInPrompt(this.#since), `a prompt after ${JSON.stringify(line)}`);
  }

  close(): void {
    this.#stream.destroy();
  }

  #until(holds: () => boolean, what: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(
        () =>
          finish(
            new Error(
              `Cannot go on in terminal "${this.id}": ${what} did not come; it shows ${JSON.stringify(this.shown.slice(-400))}`,
            ),
          ),
        PROMPT_TIMEOUT_MS,
      );
      const finish = (error?: Error): void => {
        clearTimeout(timer);
        this.#changed = () => {};
        if (error) reject(error);
        else resolve();
      };
      this.#changed = () => {
        if (this.#ended || holds()) finish();
      };
      this.#changed();
    });
  }
}
