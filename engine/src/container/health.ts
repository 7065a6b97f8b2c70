// Health checks: runs the check in the container again and again, and says when its state changes.
import type { HealthConfig } from '../model/container-config.ts';
import { afterProbe, checkDelayMs, healthCommand, type Health, type Probe, UNCHECKED } from '../model/health.ts';
import type { RunningContainer } from '../runtime/driver.ts';
import type { ContainerContext } from './context.ts';
import { runAndRead } from './exec-probe.ts';
import type { LiveContainer } from './live-container.ts';

/** Nothing where the container has no check. Its end is LiveContainer.stopHealth. */
export function beginHealth(context: ContainerContext, container: LiveContainer, known: Health = UNCHECKED): void {
  const { Healthcheck: config, Shell } = container.record.config;
  const command = config && healthCommand(config, Shell);
  container.health = command ? known : null;
  const { running } = container;
  if (!config || !command || !running) return;
  const ending = new AbortController();
  container.stopHealth = () => ending.abort();
  void check(context, container, running, { config, command, signal: ending.signal });
}

interface Check {
  readonly config: HealthConfig;
  readonly command: readonly string[];
  readonly signal: AbortSignal;
}

async function check(
  context: ContainerContext,
  container: LiveContainer,
  running: RunningContainer,
  { config, command, signal }: Check,
): Promise<void> {
  const runMs = () => Date.now() - (container.state.startedAtMs ?? 0);
  while (!signal.aborted) {
    const health = container.health ?? UNCHECKED;
    await sleep(checkDelayMs(config, health.Status, runMs()), signal);
    if (signal.aborted) return;
    // A frozen container can't answer: that says nothing of its health.
    if (container.state.status === 'paused') continue;
    const startedAtMs = runMs();
    const probe: Probe | null = await runAndRead(container, running, command, config, signal).catch(
      (error: unknown) => {
        context.host.log.warn(error, `container ${container.name}: its health check could not be run`);
        return null;
      },
    );
    if (signal.aborted || container.running !== running) return;
    if (!probe) continue;
    const after = afterProbe(config, health, probe, startedAtMs);
    container.health = after;
    if (after.Status !== health.Status) container.publish(`health_status: ${after.Status}`);
  }
}

function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', done);
  });
}
