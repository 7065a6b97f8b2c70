// The exec driver that leaves the making of containers to another OCI runtime, runc or crun: writes its bundle, runs it
// under a keeper of ours, and takes away what it leaves.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Kept, Kernel, LaunchOptions, RunOptions } from '../kernel/kernel.ts';
import type { CgroupHost } from '../model/cgroup-host.ts';
import { EngineError } from '../model/engine-error.ts';
import type { LaunchPlan } from '../model/launch-plan.ts';
import type { OciMount, OciProcess, OciSpec } from '../model/oci-spec.ts';
import { PlanError } from '../model/plan-report.ts';
import type { ExecDriver, ExecOptions, Launchable, RunningContainer } from './driver.ts';
import { parseMountOptions } from './mount-options.ts';
import { OTHER_ROOT } from './mount-steps.ts';
import { terminalSize } from './native-plan.ts';
import { commandPlan, createPlan, LOG, type OciCreate, ociExecPlan, type OciRun } from './oci-plan.ts';

export interface OciOptions {
  /** As --runtime names it. */
  readonly name: string;
  /** Its absolute path. */
  readonly program: string;
  readonly kernel: Kernel;
  readonly cgroups: CgroupHost;
  /** A directory on a tmpfs, of this daemon's: bundles and the runtime's own state. */
  readonly directory: string;
}

/** The absolute path of a runtime on PATH; null where there is none. */
export function findRuntime(name: string): string | null {
  if (name.startsWith('/')) return existsSync(name) ? name : null;
  const directories = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'];
  return directories.map((directory) => join(directory, name)).find((path) => existsSync(path)) ?? null;
}

export class OciDriver implements ExecDriver {
  readonly name: string;
  readonly #options: OciOptions;

  constructor(options: OciOptions) {
    this.name = options.name;
    this.#options = options;
  }

  async start(container: Launchable, options: RunOptions = {}): Promise<RunningContainer> {
    const { id, spec, rootfs, init } = container;
    if (init)
      throw new EngineError(
        'not_implemented',
        `Cannot start container "${id}" with an init: runtime "${this.name}" brings none; leave out --init, or use the runtime "native"`,
      );
    const files = new Bundle(this.#options, id);
    await files.remove(); // of an earlier run
    const foreign = foreignMounts(spec.mounts, files.path);
    files.write(spec, foreign);
    const plan = createPlan({
      ...this.#run(container, files.path, spec.process, container.openStdin),
      rootfs,
      foreign,
    });
    const { directory, logPath, logKeepBytes = 0 } = container;
    try {
      const where = { ...options, directory, outputPath: logPath, keepBytes: logKeepBytes };
      const kept = await this.#launch(plan, spec.process, where);
      return this.#running(container, kept, files);
    } catch (error) {
      const translated = files.failure(
        error,
        'failed to create task for container: failed to create shim task: OCI runtime create failed: ',
      );
      await files.remove();
      throw translated;
    }
  }

  async recover(container: Launchable): Promise<RunningContainer | null> {
    const kept = await this.#options.kernel.recover(container.directory, container.logPath);
    const files = new Bundle(this.#options, container.id);
    if (kept !== null) return this.#running(container, kept, files);
    await files.remove();
    return null;
  }

  #running(container: Launchable, kept: Kept, files: Bundle): RunningContainer {
    // The runtime's notes about a container that ended. Should it not work, the next start tries again.
    void kept.exit.then(() => files.remove()).catch(() => undefined);
    return {
      pid: kept.pid,
      kept,
      exec: (process, options) => this.#exec(container, files, process, options),
      release: () => kept.release(),
    };
  }

  async #exec({ group, id }: Launchable, files: Bundle, process: OciProcess, options: ExecOptions): Promise<Kept> {
    const bundle = files.forExec(process);
    try {
      const container = { id, group };
      return await this.#launch(ociExecPlan({ ...this.#run(container, bundle, process, options.openStdin) }), process, {
        directory: options.directory,
      });
    } catch (error) {
      throw files.failure(error, 'OCI runtime exec failed: ', bundle);
    } finally {
      rmSync(bundle, { recursive: true, force: true });
    }
  }

  async #launch(plan: LaunchPlan, process: OciProcess, options: LaunchOptions): Promise<Kept> {
    const { height, width } = terminalSize(process);
    const { kept } = await this.#options.kernel.launch(plan, { ...options, cols: width, rows: height });
    return kept;
  }

  #run(
    { id, group }: Pick<Launchable, 'id' | 'group'>,
    bundle: string,
    process: OciProcess,
    openStdin: boolean,
  ): OciRun {
    const { program, cgroups } = this.#options;
    const unified = hiddenTree(cgroups);
    const directory = group.cgroupDirectory();
    return {
      program,
      options: ['--root', stateOf(this.#options)],
      id,
      bundle,
      keeperJoin: group.keeperJoinFiles(),
      unified: directory === null || unified === null ? null : { group: directory, mountPoint: unified },
      openStdin,
      terminal: process.terminal ? terminalSize(process) : null,
    };
  }
}

/** The v2 tree of a host that has v1's controllers. */
const hiddenTree = ({ flavour, unified }: CgroupHost): string | null => (flavour === 'hybrid' ? unified : null);

const stateOf = ({ directory, name }: OciOptions): string => join(directory, `${name}-state`);

let execs = 0;

/** The files of one container: config.json, where its root is mounted, and what the runtime says. */
class Bundle {
  readonly path: string;
  readonly #options: OciOptions;
  readonly #id: string;

  constructor(options: OciOptions, id: string) {
    this.#options = options;
    this.#id = id;
    this.path = join(options.directory, id);
  }

  write(spec: OciSpec, foreign: OciCreate['foreign']): void {
    mkdirSync(join(this.path, 'rootfs'), { recursive: true, mode: 0o700 });
    const mounts = spec.mounts.map((mount) => {
      const other = foreign.find(({ source }) => source === mount.source);
      return other === undefined ? mount : { ...mount, source: other.target };
    });
    const config: OciSpec = { ...spec, mounts, root: { ...spec.root, path: 'rootfs' } };
    writeFileSync(join(this.path, 'config.json'), JSON.stringify(config), { mode: 0o600 });
  }

  /** A directory for one exec; the caller removes it. */
  forExec(process: OciProcess): string {
    execs += 1;
    const path = join(this.path, `exec-${execs}-${Date.now()}`);
    mkdirSync(path, { recursive: true, mode: 0o700 });
    writeFileSync(join(path, 'process.json'), JSON.stringify(process), { mode: 0o600 });
    return path;
  }

  /** What the runtime said of its failure, with Docker's prefix; any other error stays as it is. */
  failure(error: unknown, prefix: string, directory = this.path): unknown {
    if (!(error instanceof PlanError) || error.step.call !== 'wait') return error;
    const said = lastError(join(directory, LOG)) ?? error.message;
    const isUsers = /not found|no such file|permission denied|is a directory|not a directory/i.test(said);
    return new EngineError(isUsers ? 'invalid_argument' : 'internal', `${prefix}${said}: unknown`, { cause: error });
  }

  /** Ends and forgets the container, if the runtime knows it. Nothing there is fine. */
  async remove(): Promise<void> {
    const state = stateOf(this.#options);
    if (existsSync(join(state, this.#id))) {
      const { program, kernel, cgroups } = this.#options;
      const mountPoint = hiddenTree(cgroups);
      const unified = mountPoint === null ? null : { group: '', mountPoint };
      mkdirSync(this.path, { recursive: true, mode: 0o700 });
      const run = { program, options: ['--root', state], unified, bundle: this.path };
      await kernel.run(commandPlan(run, ['delete', '--force', this.#id])).catch((error: unknown) => {
        if (existsSync(join(state, this.#id))) throw this.failure(error, `Cannot remove container "${this.#id}": `);
      });
    }
    rmSync(this.path, { recursive: true, force: true });
    if (existsSync(state) && readdirSync(state).length === 0) rmSync(state, { recursive: true, force: true });
  }
}

/** The last line of a runtime's log that tells of an error: {"level": "error", "msg": …}. */
function lastError(path: string): string | null {
  if (!existsSync(path)) return null;
  for (const line of readFileSync(path, 'utf8').trim().split('\n').toReversed()) {
    try {
      const { level, msg } = JSON.parse(line) as { level?: unknown; msg?: unknown };
      if (typeof msg === 'string' && (level === 'error' || level === 'fatal' || level === undefined)) return msg;
    } catch {
      return line;
    }
  }
  return null;
}

function foreignMounts(mounts: readonly OciMount[], bundle: string): OciCreate['foreign'] {
  return mounts.flatMap(({ source = '', options }, index) => {
    if (!OTHER_ROOT.test(source)) return [];
    const { recursive } = parseMountOptions(options ?? []);
    const isFile = statSync(source, { throwIfNoEntry: false })?.isDirectory() === false;
    return [{ source, target: join(bundle, `foreign-${index}`), recursive, isFile }];
  });
}
