// The exec driver that makes containers itself: by a launch plan, without another runtime.
import { closeSync, statSync } from 'node:fs';
import type { ContainerGroup } from '../kernel/cgroup/container-group.ts';
import type { Kept, Kernel, Launched, RunOptions } from '../kernel/kernel.ts';
import { pidfdOpen, startTicks } from '../kernel/pidfd.ts';
import { EngineError } from '../model/engine-error.ts';
import { encodeBpf } from '../model/bpf-assembler.ts';
import { ociSeccompPolicy } from '../model/oci-seccomp.ts';
import type { OciMount, OciProcess, OciSeccomp, OciSpec } from '../model/oci-spec.ts';
import { compileSeccomp } from '../model/seccomp-compile.ts';
import type { ExecDriver, ExecOptions, Launchable, RunningContainer } from './driver.ts';
import { execPlan } from './exec-plan.ts';
import type { MaskedPath } from './device-steps.ts';
import { containerPlan, type NativeContainer, type NativeGroup, type NativeHost, terminalSize } from './native-plan.ts';
import { startFailure } from './start-failure.ts';

/** Of an exec's output, for who reads it slowly; what nobody reads is thrown away. */
const EXEC_KEEP_BYTES = 2 ** 20;

export interface NativeOptions {
  readonly kernel: Kernel;
  readonly host: NativeHost;
}

export class NativeDriver implements ExecDriver {
  readonly name = 'native';
  readonly #options: NativeOptions;

  constructor(options: NativeOptions) {
    this.#options = options;
  }

  async start(container: Launchable, options: RunOptions = {}): Promise<RunningContainer> {
    const { kept } = await this.launch(container, options);
    return new NativeRunning(this.#options, container, kept);
  }

  /** The same, with the report of the plan. */
  async launch(container: Launchable, options: RunOptions = {}): Promise<Launched> {
    const { spec, directory, logPath, logKeepBytes = 0 } = container;
    const { height, width } = terminalSize(spec.process);
    try {
      return await this.#options.kernel.launch(containerPlan(this.#plannable(container)), {
        ...options,
        directory,
        outputPath: logPath,
        keepBytes: logKeepBytes,
        cols: width,
        rows: height,
      });
    } catch (error) {
      throw startFailure(error, 'start');
    }
  }

  async recover(container: Launchable): Promise<RunningContainer | null> {
    const kept = await this.#options.kernel.recover(container.directory, container.logPath);
    return kept === null ? null : new NativeRunning(this.#options, container, kept);
  }

  #plannable({ group, ...container }: Launchable): NativeContainer {
    const { spec } = container;
    const { host } = this.#options;
    return {
      ...container,
      host: { ...host, cgroups: { ...host.cgroups, hierarchies: group.hierarchies() } },
      group: nativeGroup(group),
      seccomp: seccompOf(spec),
      files: fileSources(spec.mounts),
      masked: (spec.linux.maskedPaths ?? []).flatMap(maskedPath),
    };
  }
}

class NativeRunning implements RunningContainer {
  readonly kept: Kept;
  readonly #options: NativeOptions;
  readonly #container: Launchable;
  readonly #startTicks: number | null;

  constructor(options: NativeOptions, container: Launchable, kept: Kept) {
    this.#options = options;
    this.#container = container;
    this.kept = kept;
    this.#startTicks = startTicks(kept.pid);
  }

  get pid(): number {
    return this.kept.pid;
  }

  async exec(process: OciProcess, { directory, openStdin }: ExecOptions): Promise<Kept> {
    const { group, spec } = this.#container;
    const { height, width } = terminalSize(process);
    const rlimits = process.rlimits ?? spec.process.rlimits;
    const plan = execPlan({
      process: rlimits === undefined ? process : { ...process, rlimits },
      group: nativeGroup(group),
      openStdin,
      seccomp: seccompOf(spec),
    });
    const init = this.#pidfd();
    try {
      const { kept } = await this.#options.kernel.launch(plan, {
        directory,
        descriptors: { init },
        keepBytes: EXEC_KEEP_BYTES,
        cols: width,
        rows: height,
      });
      return kept;
    } catch (error) {
      throw startFailure(error, 'exec');
    } finally {
      closeSync(init);
    }
  }

  release(): void {
    this.kept.release();
  }

  /** Of the container's first process, checked to be it and not another that got its number. */
  #pidfd(): number {
    const gone = () => new EngineError('conflict', `container ${this.#container.id} is not running`);
    if (!this.kept.alive) throw gone();
    const fd = pidfdOpen(this.pid);
    if (this.#startTicks !== null && startTicks(this.pid) === this.#startTicks) return fd;
    closeSync(fd);
    throw gone();
  }
}

/** A child that is born in its v2 group need not write to that group's file, which would wait for RCU. */
function nativeGroup(group: ContainerGroup): NativeGroup {
  const directory = group.cgroupDirectory();
  const join = group.joinFiles().filter((file) => directory === null || !file.startsWith(`${directory}/`));
  return { join, keeperJoin: group.keeperJoinFiles(), directory };
}

/** A profile is compiled once: its object is the same for all containers that have it (spec.ts). */
const filters = new WeakMap<OciSeccomp, Uint8Array>();

function seccompOf(spec: OciSpec): Uint8Array | null {
  const { seccomp } = spec.linux;
  if (seccomp === undefined) return null;
  const architecture = process.arch === 'arm64' ? 'aarch64' : 'x86_64';
  const filter = filters.get(seccomp) ?? encodeBpf(compileSeccomp(ociSeccompPolicy(seccomp, architecture)));
  filters.set(seccomp, filter);
  return filter;
}

/** The kernel shows every container the same files and directories in /proc and /sys; elsewhere only the image knows. */
function maskedPath(path: string): MaskedPath[] {
  if (!/^\/(proc|sys)\//.test(path)) return [{ path, kind: null }];
  const stat = statSync(path, { throwIfNoEntry: false });
  return stat === undefined ? [] : [{ path, kind: stat.isDirectory() ? 'directory' : 'file' }];
}

/** What is no directory is mounted on a file. A source that is not there is the plan's to refuse. */
function fileSources(mounts: readonly OciMount[]): Set<string> {
  const sources = mounts.flatMap(({ type, source, options }) =>
    source !== undefined && (type === 'bind' || options?.some((word) => word === 'bind' || word === 'rbind'))
      ? [source]
      : [],
  );
  return new Set(sources.filter((source) => statSync(source, { throwIfNoEntry: false })?.isDirectory() === false));
}
