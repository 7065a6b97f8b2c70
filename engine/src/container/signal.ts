// Signals to a container from outside: kill, and the two steps of stop. A frozen process takes its signal when it is thawed.
import { EngineError } from '../model/engine-error.ts';
import { parseSignal, SIGKILL, SIGTERM } from '../model/signal.ts';
import { startNoMore } from './ended.ts';
import type { LiveContainer } from './live-container.ts';

export const DEFAULT_STOP_TIMEOUT_S = 10;

export const stopSignalOf = ({ record }: LiveContainer): number =>
  record.config.StopSignal === undefined ? SIGTERM : parseSignal(record.config.StopSignal);

/** In turn. Publishes `kill`. */
export async function send(container: LiveContainer, signal: number): Promise<void> {
  const { running, group } = container;
  if (!running) return;
  if (signal === SIGKILL && group) {
    // Everything at once, also what a frozen or a foreign parent would keep alive.
    await running.kept.signal(SIGKILL);
    await group.kill();
  } else await running.kept.signal(signal);
  container.publish('kill', { signal: String(signal) });
}

/** In turn. A frozen process could not end. */
export async function thawToEnd(container: LiveContainer): Promise<void> {
  if (container.state.status !== 'paused') return;
  await container.group?.thaw();
  container.changeState({ status: 'running' });
  container.publish('unpause');
}

/** Throws conflict in Docker's words when it does not run, invalid_argument for no signal. */
export function killContainer(container: LiveContainer, signalText: string | undefined): Promise<void> {
  const signal = signalText ? parseSignal(signalText) : SIGKILL;
  return container.inTurn(async () => {
    const refuse = (why: string) => new EngineError('conflict', `cannot kill container: ${container.name}: ${why}`);
    if (container.state.status === 'restarting' && container.running === null) {
      // Nothing is there to take the signal; but it is not to come back either.
      startNoMore(container);
      container.changeState({ status: 'exited', manuallyStopped: true });
      container.tell('ended');
      return;
    }
    if (container.running === null) throw refuse(`container ${container.id} is not running`);
    const isToEnd = signal === SIGKILL || signal === stopSignalOf(container);
    // Before the signal: its end may be seen at once, and is not for the restart policy.
    if (isToEnd) container.changeState({ manuallyStopped: true });
    await send(container, signal);
    if (isToEnd) await thawToEnd(container);
  });
}
