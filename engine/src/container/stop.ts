// Stops a container: its stop signal, then SIGKILL when it has not ended in time.
import { parseSignal, SIGKILL } from '../model/signal.ts';
import { startNoMore } from './ended.ts';
import { EngineError } from '../model/engine-error.ts';
import type { LiveContainer } from './live-container.ts';
import { DEFAULT_STOP_TIMEOUT_S, send, stopSignalOf, thawToEnd } from './signal.ts';

export interface StopAsk {
  /** Seconds until SIGKILL; below 0: never. Default: the container's own, or ten. */
  readonly timeoutS?: number | undefined;
  readonly signal?: string | undefined;
}

/** Throws not_modified when it does not run. */
export async function stopContainer(container: LiveContainer, ask: StopAsk = {}): Promise<void> {
  const signal = ask.signal ? parseSignal(ask.signal) : stopSignalOf(container);
  const timeoutS = ask.timeoutS ?? container.record.config.StopTimeout ?? DEFAULT_STOP_TIMEOUT_S;
  if (!container.isUp) throw new EngineError('not_modified', `Container ${container.name} is not running`);
  // Not in turn: a kill, a removal or another stop may come while this one waits.
  const over = ending(container);
  try {
    await container.inTurn(async () => {
      if (!container.isUp) return;
      // Before the signal: its end may be seen at once, and is not for the restart policy.
      startNoMore(container);
      container.changeState({ manuallyStopped: true });
      if (container.running === null) {
        container.changeState({ status: 'exited' });
        container.tell('ended');
        return;
      }
      await send(container, signal);
      await thawToEnd(container);
    });
    if (!(await over.within(timeoutS < 0 ? null : timeoutS * 1000))) {
      await container.inTurn(() => send(container, SIGKILL));
      await over.within(null);
    }
  } finally {
    over.leave();
  }
  container.publish('stop');
}

/** Waits for a container that runs to be up no more. */
function ending(container: LiveContainer): { within(ms: number | null): Promise<boolean>; leave(): void } {
  let tell: () => void = () => undefined;
  const over = new Promise<void>((resolve) => (tell = resolve));
  const leave = container.watch(() => !container.isUp && tell());
  if (!container.isUp) tell();
  return {
    leave,
    async within(ms) {
      if (ms === null) return over.then(() => true);
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<boolean>((resolve) => (timer = setTimeout(() => resolve(false), ms)));
      return Promise.race([over.then(() => true), late]).finally(() => clearTimeout(timer));
    },
  };
}
