// The engine's events: who wants to know is told, and the last ones are kept for `since`. Knows nothing of HTTP.
import { EventEmitter } from 'node:events';

/** As GET /events sends it (moby's swagger, EventMessage). */
export interface EngineEvent {
  readonly Type: 'container' | 'image' | 'volume' | 'network' | 'daemon' | 'builder';
  /** "create", "start", "die", "exec_create: sh", "health_status: healthy" … */
  readonly Action: string;
  readonly Actor: { readonly ID: string; readonly Attributes: Readonly<Record<string, string>> };
  readonly scope: 'local';
  /** Nanoseconds since 1970: more than a double holds. */
  readonly timeNano: bigint;
}

/** As many as Docker keeps. */
const KEPT = 256;

export class Events {
  readonly #last: EngineEvent[] = [];
  readonly #emitter = new EventEmitter().setMaxListeners(0);
  readonly #bootNs = BigInt(Date.now()) * 1_000_000n - process.hrtime.bigint();

  publish(
    type: EngineEvent['Type'],
    action: string,
    id: string,
    attributes: Readonly<Record<string, string>> = {},
  ): void {
    const event: EngineEvent = {
      Type: type,
      Action: action,
      Actor: { ID: id, Attributes: attributes },
      scope: 'local',
      timeNano: this.#bootNs + process.hrtime.bigint(),
    };
    this.#last.push(event);
    if (this.#last.length > KEPT) this.#last.shift();
    this.#emitter.emit('event', event);
  }

  /** The last events, oldest first. */
  recent(): readonly EngineEvent[] {
    return [...this.#last];
  }

  get listeners(): number {
    return this.#emitter.listenerCount('event');
  }

  /** Call the result to stop listening. */
  listen(told: (event: EngineEvent) => void): () => void {
    this.#emitter.on('event', told);
    return () => this.#emitter.off('event', told);
  }
}
