// One browser tab as the learner's parts see it: somewhere to send events to. Knows nothing of socket.io.
import type { ServerEvents } from '@drydock/protocol/events.ts';
import type { Language } from '@drydock/protocol/lesson.ts';

export interface Tab {
  readonly id: string;
  readonly language: Language;
  emit<N extends keyof ServerEvents>(name: N, ...payload: Parameters<ServerEvents[N]>): void;
  /** Its own send buffer is full. */
  congested(): boolean;
}

/**
 * An answer that is made and sent in one go: `value` is called when nothing can come between it and the sending,
 * `after` when it is on its way. So no patch overtakes the snapshot it belongs to.
 */
export interface Reply<T> {
  value(): T;
  after?(): void;
}

export const reply = <T>(value: T): Reply<T> => ({ value: () => value });
