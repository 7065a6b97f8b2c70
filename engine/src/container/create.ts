// Makes a container: everything it has while it does not run. It is there once its record is; before that, whatever fails
// is taken back, and what a crash leaves has a directory without a record, which the next start collects.
import { randomBytes } from 'node:crypto';
import { mkdirSync, rmSync } from 'node:fs';
import { hostname } from 'node:os';
import type { Image } from '../image/image-source.ts';
import { checkedName, madeUpName } from '../model/container-name.ts';
import type { ContainerConfig, HostConfig } from '../model/container-config.ts';
import { EngineError } from '../model/engine-error.ts';
import { withDefaults } from '../model/image-defaults.ts';
import { validateConfig } from '../model/validate-config.ts';
import { UndoList } from '../undo-list.ts';
import { planMounts } from '../volume/mount-plan.ts';
import { parseVolumesFrom } from '../volume/mount-spec.ts';
import type { ContainerRecord } from './container.ts';
import type { ContainerContext } from './context.ts';
import { LiveContainer } from './live-container.ts';
import { resolveModes } from './modes.ts';
import { makeSpec } from './spec.ts';
import { FRESH_STATE } from './store.ts';

export interface CreateAsk {
  /** Empty or absent: one is made up. */
  readonly name?: string | undefined;
  readonly config: ContainerConfig;
  readonly hostConfig: HostConfig;
  readonly networks: Readonly<Record<string, object>>;
}

/** Throws in Docker's words: invalid_argument, not_found (image, container of a mode), conflict (name). */
export async function createContainer(
  context: ContainerContext,
  ask: CreateAsk,
): Promise<{ id: string; warnings: string[] }> {
  const { host, containers, store, making } = context;
  const wanted = ask.name ? checkedName(ask.name) : undefined;
  const warnings = validateConfig(ask.config, ask.hostConfig);
  const limited = host.limits.ofNew(ask.hostConfig);
  warnings.push(...limited.warnings);
  if (ask.hostConfig.Runtime !== '' && !host.drivers.has(ask.hostConfig.Runtime))
    throw new EngineError('invalid_argument', `unknown or invalid runtime name: ${ask.hostConfig.Runtime}`);
  const image = host.images.find(ask.config.Image);
  const id = randomBytes(32).toString('hex');
  const record = recordOf(context, { ...ask, hostConfig: limited.hostConfig }, image, id);
  const plan = planMounts(
    { hostConfig: record.hostConfig, volumes: record.config.Volumes },
    (record.hostConfig.VolumesFrom ?? []).map(parseVolumesFrom).map(({ container, readOnly }) => ({
      readOnly,
      mounts: containers.find(container).record.mounts,
    })),
  );
  const undo = new UndoList();
  making.set(id, image.id);
  try {
    const name = reserveName(context, wanted, id);
    undo.add('name', () => containers.release(name, id));
    store.make(id);
    undo.add('directory', () => store.forget(id));
    await host.graph.createWritable(id, image.topLayer);
    undo.add('writable layer', () => host.graph.remove(id));
    const mounts = await host.volumes.acquire(id, plan, host.graph.mountOf(id));
    undo.add('volumes', () => host.volumes.releaseAndRemove(id, mounts));
    const container = new LiveContainer(host, store, { ...record, name, mounts }, (one) => makeSpec(context, one));
    mkdirSync(container.runDirectory, { recursive: true, mode: 0o711 });
    undo.add('run directory', () => rmSync(container.runDirectory, { recursive: true, force: true }));
    store.saveRecord(container.record);
    containers.add(container);
    container.publish('create');
  } catch (error) {
    await undo.run(host.log);
    throw error;
  } finally {
    making.delete(id);
  }
  return { id, warnings };
}

function reserveName({ containers }: ContainerContext, wanted: string | undefined, id: string): string {
  if (wanted !== undefined) {
    containers.reserve(wanted, id);
    return wanted;
  }
  let name = madeUpName(Math.random);
  for (let attempt = 1; containers.isTaken(name); attempt++) name = madeUpName(Math.random, attempt);
  containers.reserve(name, id);
  return name;
}

/** The record before its name and mounts are known: what the client said, the image's defaults, the engine's. */
function recordOf(context: ContainerContext, ask: CreateAsk, image: Image, id: string): ContainerRecord {
  const hostConfig = resolveModes(context, {
    ...ask.hostConfig,
    Runtime: ask.hostConfig.Runtime || context.host.defaultDriver,
  });
  const config = withDefaults(ask.config, image.defaults);
  const { NetworkMode, UTSMode } = hostConfig;
  const ownHostname = NetworkMode === 'host' || UTSMode === 'host' ? hostname() : id.slice(0, 12);
  const hasNamedNetwork = !NetworkMode.startsWith('container:');
  return {
    id,
    name: '',
    createdAtMs: Date.now(),
    config: { ...config, Hostname: config.Hostname || ownHostname },
    hostConfig,
    networks: Object.keys(ask.networks).length > 0 || !hasNamedNetwork ? ask.networks : { [NetworkMode]: {} },
    imageId: image.id,
    mounts: [],
    state: FRESH_STATE,
  };
}
