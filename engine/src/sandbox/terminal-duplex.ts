// Both directions of a terminal as one stream: what a keeper keeps is read, what is written is typed.
import { Duplex, type Readable } from 'node:stream';

export class TerminalDuplex extends Duplex {
  readonly #output: Readable;
  readonly #type: (bytes: Uint8Array) => Promise<void>;

  /**
   * `output` is a follower of the terminal; it is destroyed with this stream. The end is told once `ended` resolves: who
   * asks then how the shell ended gets an answer.
   */
  constructor(output: Readable, type: (bytes: Uint8Array) => Promise<void>, ended: Promise<unknown>) {
    // The shell's end is the end of the output; the client may still be sending then.
    super({ allowHalfOpen: true, readableHighWaterMark: 65_536 });
    this.#output = output;
    this.#type = type;
    output.on('data', (bytes: Buffer) => {
      if (!this.push(bytes)) output.pause();
    });
    output.on('end', () => void ended.finally(() => this.push(null)));
    output.on('error', (error) => this.destroy(error));
  }

  override _read(): void {
    this.#output.resume();
  }

  override _write(bytes: Uint8Array, _encoding: string, done: (error?: Error | null) => void): void {
    const isDone = () => done();
    // What is typed after the shell's end goes nowhere, as on any terminal that hung up.
    void this.#type(bytes).then(isDone, isDone);
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#output.destroy();
    done(error);
  }
}
