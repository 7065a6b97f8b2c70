// Starts a container: gathers its specification, lets the exec driver make it, follows it to its end.
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { ContainerGroup } from '../kernel/cgroup/container-group.ts';
import { EngineError } from '../model/engine-error.ts';
import { logPolicy } from '../model/log-config.ts';
import type { ExecDriver, Launchable, RunningContainer } from '../runtime/driver.ts';
import type { ContainerState } from './container.ts';
import type { ContainerContext } from './context.ts';
import { detachVolumes, noteEnd, startLater } from './ended.ts';
import { writeEtcFiles } from './etc-files.ts';
import { beginHealth } from './health.ts';
import type { LiveContainer } from './live-container.ts';
import { joinedContainers } from './modes.ts';
import { followOom } from './oom.ts';
import { removeInTurn } from './remove.ts';
import { makeSpec } from './spec.ts';

/** Throws not_modified when it runs, conflict when it can't be started, and what the driver says of a failed start. */
export function startContainer(context: ContainerContext, container: LiveContainer): Promise<void> {
  return container.inTurn(async () => {
    if (container.state.status === 'paused')
      throw new EngineError('conflict', 'cannot start a paused container, try unpause instead');
    if (container.isUp) throw new EngineError('not_modified', `Container ${container.name} is running`);
    if (container.isRemoving || container.state.status === 'dead')
      throw new EngineError('conflict', 'container is marked for removal and cannot be started');
    container.lastDelayMs = 0;
    await launch(context, container, { manuallyStopped: false, restartCount: 0 });
  });
}

/** In turn. When it fails the container is as ended, with the reason in its state. `fresh`: what else the start sets. */
export async function launch(
  context: ContainerContext,
  container: LiveContainer,
  fresh: Partial<ContainerState> = {},
): Promise<void> {
  const { host } = context;
  const { hostConfig } = container.record;
  try {
    const driver = driverOf(context, container);
    const { resources } = host.groups.supported(host.limits.oci(hostConfig));
    const group = host.groups.create(container.id, resources, hostConfig.CgroupParent || null);
    container.group = group;
    mkdirSync(container.runDirectory, { recursive: true, mode: 0o711 }); // gone with the machine's last boot: a tmpfs
    rmSync(keeperDirectory(container), { recursive: true, force: true }); // of a run whose end could not be written down
    await host.volumes.attach(container.record);
    writeEtcFiles(container, joinedContainers(context.containers, hostConfig).network);
    container.lastSpec = await makeSpec(context, container);
    const running = await driver.start(launchable(container, group));
    began(context, container, running, fresh);
  } catch (error) {
    await failed(context, container, error, fresh);
    throw error;
  }
}

export function driverOf({ host }: ContainerContext, container: LiveContainer): ExecDriver {
  const name = container.record.hostConfig.Runtime;
  const driver = host.drivers.get(name);
  if (!driver) throw new EngineError('invalid_argument', `unknown or invalid runtime name: ${name}`);
  return driver;
}

export function launchable(container: LiveContainer, group: ContainerGroup): Launchable {
  const { config, hostConfig } = container.record;
  if (!container.lastSpec)
    throw new EngineError('internal', `Cannot start "${container.name}": it has no specification`);
  return {
    id: container.id,
    spec: container.lastSpec,
    rootfs: container.rootfs,
    group,
    directory: keeperDirectory(container),
    logPath: container.logPath,
    logKeepBytes: logPolicy(hostConfig.LogConfig).keepBytes,
    openStdin: config.OpenStdin,
    init: hostConfig.Init ?? false,
  };
}

export const keeperDirectory = (container: LiveContainer): string => join(container.runDirectory, 'keeper');

function began(
  context: ContainerContext,
  container: LiveContainer,
  running: RunningContainer,
  fresh: Partial<ContainerState>,
): void {
  container.running = running;
  container.changeState({
    ...fresh,
    status: 'running',
    exitCode: 0,
    oomKilled: false,
    error: '',
    startedAtMs: running.kept.startedAtMs,
  });
  container.publish('start');
  follow(context, container, running);
  container.tell('started');
}

/** From here on its end is seen, and its health looked after. */
export function follow(context: ContainerContext, container: LiveContainer, running: RunningContainer): void {
  beginHealth(context, container);
  container.stopOom = container.group && followOom(container, container.group);
  running.kept.exit
    .then((exit) =>
      container.inTurn(async () => {
        // A forced removal has dealt with it already.
        if (container.running !== running) return;
        await afterEnd(context, container, await noteEnd(context, container, running, exit));
      }),
    )
    .catch((error: unknown) =>
      context.host.log.error(error, `container ${container.id}: its end could not be dealt with`),
    );
}

/** In turn. What is next for one that has ended: another run, its removal, or nothing. */
export async function afterEnd(
  context: ContainerContext,
  container: LiveContainer,
  delayMs: number | null,
): Promise<void> {
  if (delayMs !== null) startLater(context, container, delayMs, () => launch(context, container));
  else if (container.record.hostConfig.AutoRemove) await removeInTurn(context, container, { withVolumes: true });
}

/** Docker's exit codes for what could not be executed: 127 not found, 126 not executable, 128 anything else. */
function exitCodeOf(message: string): number {
  if (/executable file not found|no such file or directory|system cannot find the file/i.test(message)) return 127;
  if (/permission denied|not a directory|is a directory|exec format error|invalid argument/i.test(message)) return 126;
  return 128;
}

async function failed(
  context: ContainerContext,
  container: LiveContainer,
  error: unknown,
  fresh: Partial<ContainerState>,
): Promise<void> {
  const message = error instanceof Error ? error.message : String(error);
  const { group } = container;
  container.group = null;
  await detachVolumes(context, container);
  await group
    ?.remove()
    .catch((cause: unknown) => context.host.log.error(cause, `container ${container.id}: its groups are still there`));
  container.changeState({
    ...fresh,
    // One that never ran is as it was made (moby does the same).
    status: container.state.startedAtMs === null ? 'created' : 'exited',
    exitCode: exitCodeOf(message),
    error: message,
    ...(container.state.startedAtMs !== null && { finishedAtMs: Date.now() }),
  });
  container.tell('ended');
  if (container.record.hostConfig.AutoRemove) await removeInTurn(context, container, { withVolumes: true });
}
