// The keys that detach a client from a terminal without ending what runs there: "ctrl-p,ctrl-q" unless asked otherwise. Pure.
import { EngineError } from './engine-error.ts';

export const DEFAULT_DETACH_KEYS = 'ctrl-p,ctrl-q';

function keyByte(key: string): number {
  if (key.length === 1 && key.charCodeAt(0) < 0x80) return key.charCodeAt(0);
  const control = /^ctrl-([a-z@[\\\]^_])$/.exec(key)?.[1];
  // A control character is its letter without the bits 0x60; ctrl-@ is NUL.
  if (control !== undefined) return control.toUpperCase().charCodeAt(0) & 0x1f;
  throw new EngineError('invalid_argument', `Unknown character: '${key}'`);
}

/** The bytes of a comma-separated list; empty is the default. Throws invalid_argument as Docker words it. */
export function parseDetachKeys(text: string): Uint8Array {
  return Uint8Array.from((text === '' ? DEFAULT_DETACH_KEYS : text).split(','), keyByte);
}

/** Looks for the keys in what is typed, wherever they are cut; a beginning that leads to nothing is passed on. */
export class DetachWatch {
  readonly #keys: Uint8Array;
  #matched = 0;

  constructor(keys: Uint8Array) {
    this.#keys = keys;
  }

  /** What is input of these bytes, and whether the keys came: then what follows them is nobody's. */
  take(bytes: Uint8Array): { readonly input: Uint8Array; readonly detached: boolean } {
    const input: number[] = [];
    for (const byte of bytes) {
      while (this.#matched > 0 && byte !== this.#keys[this.#matched]) input.push(...this.#fallBack());
      if (byte !== this.#keys[this.#matched]) input.push(byte);
      else if (++this.#matched === this.#keys.length) return { input: Uint8Array.from(input), detached: true };
    }
    return { input: Uint8Array.from(input), detached: false };
  }

  /** What was held back of an input that ended. */
  rest(): Uint8Array {
    const held = this.#keys.slice(0, this.#matched);
    this.#matched = 0;
    return held;
  }

  /** Gives up the earliest of the bytes held back that can no more be the beginning of the keys. */
  #fallBack(): Uint8Array {
    const held = this.#keys.subarray(0, this.#matched);
    for (let skip = 1; skip <= held.length; skip++) {
      if (!held.subarray(skip).every((byte, at) => byte === this.#keys[at])) continue;
      this.#matched = held.length - skip;
      return held.subarray(0, skip);
    }
    return held;
  }
}
