// What happens when a container's process has ended: its exit code, and whether its restart policy starts it again.
import type { ProcessExit } from '../model/keeper-record.ts';
import { restartDelay } from '../model/restart-policy.ts';
import type { RunningContainer } from '../runtime/driver.ts';
import type { ContainerContext } from './context.ts';
import { exitCodeOf } from './exit-code.ts';
import type { LiveContainer } from './live-container.ts';

/**
 * In turn. Notes the end of a run, tells it, and takes down what the run had. `running` null: nothing is left of it. The
 * milliseconds until the restart policy wants the next run; null: it stays ended.
 */
export async function noteEnd(
  context: ContainerContext,
  container: LiveContainer,
  running: RunningContainer | null,
  exit: ProcessExit,
): Promise<number | null> {
  const { group } = container;
  const { startedAtMs, restartCount, manuallyStopped } = container.state;
  container.stopHealth?.();
  container.stopHealth = null;
  container.stopOom?.();
  container.stopOom = null;
  container.running = null;
  container.group = null;
  container.lastSpec = null;
  const finishedAtMs = running?.kept.endedAtMs ?? Date.now();
  const ranMs = Math.max(0, finishedAtMs - (startedAtMs ?? finishedAtMs));
  const exitCode = exitCodeOf(exit);
  const { lastDelayMs, record } = container;
  const policy = record.hostConfig.RestartPolicy;
  const delayMs = restartDelay(policy, { exitCode, ranMs, manuallyStopped, restartCount, lastDelayMs });
  const isSaved = container.changeState({
    status: delayMs === null ? 'exited' : 'restarting',
    exitCode,
    oomKilled: (group?.oomKills ?? 0) > 0,
    finishedAtMs,
    ...(delayMs !== null && { restartCount: restartCount + 1 }),
  });
  if (isSaved) running?.kept.dispose(); // else its record is all that knows the exit code
  container.publish('die', { exitCode: String(exitCode), execDuration: String(Math.floor(ranMs / 1000)) });
  container.tell('ended');
  // After the news: who waits for the exit code needn't wait for the kernel to take the groups down.
  await group
    ?.remove()
    .catch((error: unknown) => context.host.log.error(error, `container ${container.id}: its groups are still there`));
  await detachVolumes(context, container);
  return delayMs;
}

/** Takes down the mounts of volumes that only this run needed. */
export async function detachVolumes({ host }: ContainerContext, container: LiveContainer): Promise<void> {
  try {
    await host.volumes.detach(container.id);
  } catch (error) {
    host.log.error(error, `container ${container.id}: a volume of it is still mounted`);
  }
}

/** One more run of the restart policy, unless somebody starts, stops or removes it before. */
export function startLater(
  context: ContainerContext,
  container: LiveContainer,
  delayMs: number,
  again: () => Promise<void>,
): void {
  container.lastDelayMs = delayMs;
  container.restartTimer = setTimeout(() => {
    container
      .inTurn(async () => {
        if (container.restartTimer === null || container.state.status !== 'restarting') return;
        container.restartTimer = null;
        await again();
      })
      .catch((error: unknown) =>
        context.host.log.warn(error, `container ${container.name}: its restart policy could not start it`),
      );
  }, delayMs);
}

/** Takes back what startLater promised. */
export function startNoMore(container: LiveContainer): void {
  if (container.restartTimer !== null) clearTimeout(container.restartTimer);
  container.restartTimer = null;
}
