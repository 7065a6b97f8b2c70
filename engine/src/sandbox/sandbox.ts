// One learner's sandbox and its life: created, running, frozen, stopped, reset. Each change is whole or undone; a daemon
// that was killed finds it again by its files. What happens inside it (terminals, programs, files) is in inside.ts.
import { closeSync, existsSync, rmSync } from 'node:fs';
import type { Sandbox as SandboxView, SandboxState, Stats } from '../api/lab/schemas.ts';
import type { SandboxGroup } from '../kernel/cgroup/sandbox-group.ts';
import type { Kept } from '../kernel/kernel.ts';
import { attachLoop } from '../kernel/loop.ts';
import { pidfdOpen, startTicks } from '../kernel/pidfd.ts';
import { EngineError } from '../model/engine-error.ts';
import { birthPlan, USER_LIMITS } from './birth-plan.ts';
import { diskUse, makeDisk } from './disk.ts';
import { groundDirectory, imageRootfs, keeperDirectory, type SandboxHost } from './host.ts';
import type { Runtime, SandboxFiles, SandboxRecord, TerminalRecord } from './record.ts';
import { baseOf } from './slots.ts';
import { UndoList } from '../undo-list.ts';

/** A running sandbox's kernel objects. */
export interface Life {
  readonly init: Kept;
  readonly group: SandboxGroup;
  readonly runtime: Runtime;
}

export class Sandbox {
  readonly record: SandboxRecord;
  readonly files: SandboxFiles;
  readonly #host: SandboxHost;
  #life: Life | null = null;
  #state: SandboxState = 'stopped';
  #message: string | null = null;
  /** One change at a time: the last one asked for waits for those before it. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(host: SandboxHost, files: SandboxFiles, record: SandboxRecord) {
    this.#host = host;
    this.files = files;
    this.record = record;
  }

  get id(): string {
    return this.record.id;
  }

  get state(): SandboxState {
    return this.#state;
  }

  view(queuePlace: number | null): SandboxView {
    const { id, hostname, limits, createdAtMs } = this.record;
    return {
      id,
      hostname,
      limits,
      createdAtMs,
      state: queuePlace === null ? this.#state : 'starting',
      startedAtMs: this.#life?.runtime.startedAtMs ?? null,
      cgroup: this.#host.cgroups.host.flavour,
      queuePlace,
      message:
        queuePlace === null
          ? this.#message
          : `This machine is busy: the sandbox starts when there is room. Place ${queuePlace} in the queue.`,
    };
  }

  /** The kernel objects; throws conflict with a sentence when it does not run. */
  life(): Life {
    if (this.#life && this.#state === 'running') return this.#life;
    const why = this.#state === 'frozen' ? 'it is frozen; thaw it first' : 'it does not run; start it first';
    throw new EngineError('conflict', `Cannot use sandbox "${this.id}": ${why}`);
  }

  start(): Promise<void> {
    return this.#change(async () => {
      if (this.#state === 'frozen') await this.#thaw();
      if (this.#life) return;
      this.#state = 'starting';
      try {
        await this.#start();
      } catch (error) {
        this.#state = 'failed';
        this.#message = error instanceof Error ? error.message : String(error);
        throw error;
      }
    });
  }

  stop(why: string): Promise<void> {
    return this.#change(() => this.#stop(why));
  }

  freeze(): Promise<void> {
    return this.#change(async () => {
      const { group } = this.life();
      await group.freeze();
      this.#state = 'frozen';
      this.#message = 'Frozen: its processes stand still and keep their memory until they are thawed.';
    });
  }

  thaw(): Promise<void> {
    return this.#change(() => this.#thaw());
  }

  /** Back to the image: every process and every file of the learner is gone. */
  reset(): Promise<void> {
    return this.#change(async () => {
      await this.#stop('Reset.');
      rmSync(this.files.disk, { force: true });
      await this.#start();
    });
  }

  remove(): Promise<void> {
    return this.#change(async () => {
      await this.#stop('Removed.');
      this.files.remove();
      this.#host.slots.release(this.record.slot);
    });
  }

  stats(): Stats {
    const { memoryBytes: memoryLimitBytes, pids: pidsLimit, diskBytes: diskLimitBytes } = this.record.limits;
    const none = { cpuUsageUs: 0, memoryBytes: 0, memoryLimitBytes, oomKills: 0, pids: 0, pidsLimit };
    const { cpuUsageUs, memoryBytes, oomKills, pids } = this.#life?.group.stats() ?? none;
    const diskBytes = existsSync(this.files.disk) ? diskUse(this.files.disk) : 0;
    const limits = { memoryLimitBytes, pidsLimit, diskLimitBytes };
    return { cpuUsageUs, memoryBytes, oomKills, pids, diskBytes, ...limits, atMs: Date.now() };
  }

  /** For a daemon that ends: the sandbox goes on under its keeper. */
  release(): void {
    const life = this.#life;
    this.#life = null;
    life?.init.release();
  }

  rememberTerminals(terminals: TerminalRecord[]): void {
    const life = this.life();
    life.runtime.terminals = terminals;
    this.files.saveRuntime(life.runtime);
  }

  /** After a restart of the daemon: takes up a sandbox whose keeper lives, clears away what is left of one that ended. */
  async recover(): Promise<void> {
    const runtime = this.files.runtime();
    const directory = keeperDirectory(this.#host, this.id);
    const init = runtime && existsSync(directory) ? await this.#host.kernel.recover(directory) : null;
    if (runtime && init?.alive && startTicks(runtime.initPid) === runtime.initStartTicks) {
      this.#live({ init, runtime, group: this.#host.cgroups.open(this.id) });
      if (this.#life?.group.events().frozen) this.#state = 'frozen';
      return;
    }
    await this.#clear(runtime?.terminals ?? [], init);
    if (runtime) this.#message = 'It ended while the engine was not running; its files are kept.';
  }

  #change<T>(change: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(change);
    this.#turn = result.catch(() => undefined);
    return result;
  }

  async #thaw(): Promise<void> {
    if (!this.#life) throw new EngineError('conflict', `Cannot thaw sandbox "${this.id}": it does not run; start it`);
    await this.#life.group.thaw();
    this.#state = 'running';
    this.#message = null;
  }

  async #start(): Promise<void> {
    const { cgroups, kernel, network, rlimits, run, seccomp } = this.#host;
    const { hostname, limits, slot } = this.record;
    const base = baseOf(slot);
    const undo = new UndoList();
    try {
      const rootfs = imageRootfs(this.#host.root);
      const disk = existsSync(this.files.disk) ? null : makeDisk(this.files.disk, limits.diskBytes);
      // Side by side, and both waited for: a mke2fs that goes on behind a failed start would spoil the next one's disk.
      const [grouped, formatted] = await Promise.allSettled([cgroups.createSandbox(this.id, limits, base), disk]);
      if (grouped.status === 'rejected') throw grouped.reason;
      const group = grouped.value;
      undo.add('control groups', () => group.remove());
      if (formatted.status === 'rejected') throw formatted.reason;
      const loop = attachLoop(this.files.disk);
      const directory = keeperDirectory(this.#host, this.id);
      const { kept: init } = await kernel
        .launch(
          birthPlan({
            base,
            hostname,
            rootfs,
            rlimits,
            seccomp,
            ground: groundDirectory({ run }),
            disk: loop.path,
            lesson: this.files.lessonFiles(),
            groups: {
              keepers: group.joinFiles('keepers'),
              inner: group.joinFiles('inner'),
              leaf: group.joinFiles('inner/shell'),
            },
            hierarchies: hierarchiesOf(cgroups.host),
            userLimits: USER_LIMITS,
          }),
          { directory },
        )
        .finally(() => loop.close());
      undo.add('processes', async () => {
        await group.kill();
        await init.exit;
        init.dispose();
      });
      await network.attach({ slot, pid: init.pid });
      undo.add('network', () => network.detach(slot));
      const initStartTicks = startTicks(init.pid);
      if (initStartTicks === null)
        throw new EngineError('internal', `Cannot start sandbox "${this.id}": its init ended at once`);
      const runtime = { initPid: init.pid, initStartTicks, startedAtMs: Date.now(), terminals: [] };
      this.files.saveRuntime(runtime);
      this.#live({ init, group, runtime });
    } catch (error) {
      await undo.run(this.#host.log);
      throw error;
    }
  }

  #live(life: Life): void {
    this.#life = life;
    this.#state = 'running';
    this.#message = null;
    void life.init.exit.then(() =>
      this.#change(async () => {
        if (this.#life === life)
          await this.#stop('Its init ended: somebody or the kernel killed it. Its files are kept.');
      }),
    );
  }

  async #stop(why: string): Promise<void> {
    const life = this.#life;
    this.#life = null;
    this.#state = 'stopped';
    this.#message = why;
    if (!life) return;
    await life.group.kill();
    await life.init.exit;
    await this.#clear(life.runtime.terminals, life.init);
  }

  /** Removes what a sandbox without processes has left. */
  async #clear(terminals: readonly TerminalRecord[], init: Kept | null): Promise<void> {
    const { cgroups, kernel, network } = this.#host;
    for (const { id } of terminals) {
      const directory = keeperDirectory(this.#host, this.id, id);
      if (!existsSync(directory)) continue;
      const kept = await kernel.recover(directory);
      await kept?.exit;
      kept?.release();
      rmSync(directory, { recursive: true, force: true });
    }
    await network.detach(this.record.slot);
    if (cgroups.list().includes(this.id)) await cgroups.open(this.id).remove();
    init?.release();
    rmSync(keeperDirectory(this.#host, this.id), { recursive: true, force: true });
    this.files.forgetRuntime();
  }

  /** A pidfd of init, checked to be this sandbox's and not a process that got its number; the caller closes it. */
  initPidfd(): number {
    const { runtime } = this.life();
    const fd = pidfdOpen(runtime.initPid);
    if (startTicks(runtime.initPid) === runtime.initStartTicks) return fd;
    closeSync(fd);
    throw new EngineError('conflict', `Cannot enter sandbox "${this.id}": its init has ended`);
  }
}

/** What is shown under /sys/fs/cgroup: the host's hierarchies, each with the sandbox's own root. */
function hierarchiesOf(host: SandboxHost['cgroups']['host']): Parameters<typeof birthPlan>[0]['hierarchies'] {
  if (host.flavour === 'v2') return [{ name: 'unified', type: 'cgroup2', options: '' }];
  const v1 = host.hierarchies.map(({ controllers }) => {
    const options = controllers.join(',');
    return { name: options.replace('name=', ''), type: 'cgroup' as const, options };
  });
  return host.unified === null ? v1 : [...v1, { name: 'unified', type: 'cgroup2' as const, options: '' }];
}
