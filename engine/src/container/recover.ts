// After the daemon's start: takes up what runs, deals with what ended meanwhile, and collects what a crash left half-made
// or half-removed.
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { EngineError } from '../model/engine-error.ts';
import { startsWithDaemon } from '../model/restart-policy.ts';
import type { ContainerGroup } from '../kernel/cgroup/container-group.ts';
import type { ContainerContext } from './context.ts';
import { noteEnd } from './ended.ts';
import { PROBE_PREFIX } from './exec-probe.ts';
import { LiveContainer } from './live-container.ts';
import { containerOfMode } from './modes.ts';
import { makeSpec } from './spec.ts';
import type { StoredContainer } from './store.ts';
import { afterEnd, driverOf, follow, keeperDirectory, launch, launchable } from './start.ts';

/** Restart policies are honoured behind it: `started` resolves when all of them were. */
export async function recoverContainers(context: ContainerContext): Promise<{ started: Promise<void> }> {
  const { store, host } = context;
  const halfDone: { id: string; stored: StoredContainer | null }[] = [];
  for (const id of store.ids()) {
    const stored = store.load(id);
    if (stored && !stored.removing) takeUp(context, stored.record);
    else halfDone.push({ id, stored });
  }
  // When it is known who uses which volume: not one of a half-made container that another has taken meanwhile.
  for (const { id, stored } of halfDone) {
    if (!stored) await host.volumes.removeMadeFor(id);
    else if (stored.removing?.withVolumes) await host.volumes.releaseAndRemove(id, stored.record.mounts);
  }
  // Who joins another's namespaces comes after it.
  const joins = ({ record: { hostConfig } }: LiveContainer) =>
    [hostConfig.NetworkMode, hostConfig.IpcMode, hostConfig.PidMode].some((mode) => containerOfMode(mode) !== null);
  const all = context.containers.all();
  const inOrder = [...all.filter((one) => !joins(one)), ...all.filter(joins)];
  for (const container of inOrder) await container.inTurn(() => findRun(context, container));
  await collect(context);
  return { started: startAgain(context, inOrder) };
}

function takeUp(context: ContainerContext, record: LiveContainer['record']): void {
  const { host, store, containers } = context;
  containers.reserve(record.name, record.id);
  containers.add(new LiveContainer(host, store, record, (one) => makeSpec(context, one)));
  host.volumes.adopt(record.id, record.mounts);
}

/** In turn. */
async function findRun(context: ContainerContext, container: LiveContainer): Promise<void> {
  const { host } = context;
  const group = openGroup(context, container);
  const running = group && (await recovered(context, container, group));
  forgetProbes(container);
  if (running) {
    await host.volumes.attach(container.record);
    container.running = running;
    container.group = group;
    const { startedAtMs } = running.kept;
    const isNews = container.state.startedAtMs !== startedAtMs;
    container.changeState({
      status: group.frozen ? 'paused' : 'running',
      ...(isNews && { startedAtMs, exitCode: 0, error: '', finishedAtMs: null, manuallyStopped: false }),
    });
    follow(context, container, running);
    return;
  }
  const { status } = container.state;
  await group?.remove();
  rmSync(keeperDirectory(container), { recursive: true, force: true });
  // Nobody saw its end: the machine went down with it.
  if (status === 'running' || status === 'paused') {
    await noteEnd(context, container, null, { code: null, signal: null });
    container.changeState({ status: 'exited' }); // what is started again is decided for all at once
  }
  if (status === 'restarting') container.changeState({ status: 'exited' });
}

/** Directories of health checks that were under way: nobody asks for their results any more, and the checks begin anew. */
function forgetProbes({ runDirectory }: LiveContainer): void {
  for (const name of existsSync(runDirectory) ? readdirSync(runDirectory) : [])
    if (name.startsWith(PROBE_PREFIX)) rmSync(join(runDirectory, name), { recursive: true, force: true });
}

function openGroup({ host }: ContainerContext, container: LiveContainer): ContainerGroup | null {
  try {
    return host.groups.open(container.id, container.record.hostConfig.CgroupParent || null);
  } catch (error) {
    if (error instanceof EngineError && error.kind === 'not_found') return null;
    throw error;
  }
}

async function recovered(context: ContainerContext, container: LiveContainer, group: ContainerGroup) {
  if (!existsSync(keeperDirectory(container))) return null;
  try {
    container.group = group; // its path is in the specification
    container.lastSpec = await makeSpec(context, container);
    return await driverOf(context, container).recover(launchable(container, group));
  } catch (error) {
    // A crash while a run was taken down, or before its keeper was whole.
    context.host.log.warn(error, `container ${container.id}: nothing that runs could be found of it`);
    return null;
  } finally {
    container.group = null;
  }
}

/** What has no container: groups, writable layers, directories. */
async function collect({ host, store, containers }: ContainerContext): Promise<void> {
  const known = new Set(containers.all().map(({ id }) => id));
  const attempt = async (what: string, id: string, work: () => Promise<void> | void) => {
    try {
      await work();
      host.log.info(`collected ${what} of container ${id}, which a crash had left`);
    } catch (error) {
      host.log.error(error, `Cannot collect ${what} of container ${id}`);
    }
  };
  const strangers = (ids: Iterable<string>) => [...ids].filter((id) => !known.has(id));
  for (const id of strangers(host.groups.list()))
    await attempt('control groups', id, () => host.groups.open(id, null).remove());
  for (const id of strangers(host.graph.list().writable))
    await attempt('writable layer', id, () => host.graph.remove(id));
  const runs = join(host.run, 'containers');
  for (const id of strangers(existsSync(runs) ? readdirSync(runs) : []))
    await attempt('run directory', id, () => rmSync(join(runs, id), { recursive: true, force: true }));
  for (const id of strangers(store.ids())) await attempt('directory', id, () => store.forget(id));
}

/** Restart policies, and --rm of what has ended. */
async function startAgain(context: ContainerContext, inOrder: readonly LiveContainer[]): Promise<void> {
  for (const container of inOrder)
    await container
      .inTurn(async () => {
        if (container.isUp || container.isRemoving || container.isRemoved) return;
        const { startedAtMs, finishedAtMs, exitCode, manuallyStopped, restartCount } = container.state;
        if (startedAtMs === null) return;
        const ranMs = Math.max(0, (finishedAtMs ?? startedAtMs) - startedAtMs);
        const last = { exitCode, ranMs, manuallyStopped, restartCount, lastDelayMs: 0 };
        if (startsWithDaemon(container.record.hostConfig.RestartPolicy, last))
          await launch(context, container, { manuallyStopped: false });
        else await afterEnd(context, container, null);
      })
      .catch((error: unknown) =>
        context.host.log.warn(error, `container ${container.name}: it could not be started with the daemon`),
      );
}
