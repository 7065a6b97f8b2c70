// For tests of what streams: a container with a real process under a real keeper, and nothing else of a container. Its
// execs are further processes of the same kind.
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Events } from '../container/events.ts';
import type { Container, ContainerFinder, ContainerNews, ContainerState } from '../container/container.ts';
import type { Kept } from '../kernel/kernel.ts';
import { linux } from '../kernel/linux.ts';
import type { ContainerConfig } from '../model/container-config.ts';
import { EngineError } from '../model/engine-error.ts';
import type { OciProcess } from '../model/oci-spec.ts';
import type { ExecOptions, RunningContainer } from '../runtime/driver.ts';
import { busyboxRoot, pipedPlan, terminalPlan } from './container-plan.ts';

export interface StreamingOptions {
  readonly config?: Partial<ContainerConfig>;
  readonly log?: { readonly Type: string; readonly Config: Readonly<Record<string, string>> };
  readonly keepBytes?: number;
}

const CONFIG = {
  Tty: false,
  OpenStdin: true,
  StdinOnce: false,
  Labels: { of: 'test' },
  Env: ['A=1'],
  Image: 'busybox',
};

export class StreamingContainer implements Container, ContainerFinder {
  readonly id = 'c0ffee'.padEnd(64, '0');
  readonly name = 'streaming';
  readonly group = null;
  readonly rootfs = { kind: 'directory', path: '/' } as const;
  readonly events = new Events();
  readonly directory: string;
  running: RunningContainer | null = null;
  status: ContainerState['status'] = 'created';
  readonly #root = busyboxRoot();
  readonly #options: StreamingOptions;
  readonly #watchers = new Set<(news: ContainerNews) => void>();
  #runs = 0;

  constructor(options: StreamingOptions = {}) {
    this.#options = options;
    this.directory = mkdtempSync('/dev/shm/drydock-streams-');
    mkdirSync(this.runDirectory);
  }

  get logPath(): string {
    return join(this.directory, 'log');
  }
  get runDirectory(): string {
    return join(this.directory, 'run');
  }
  get rootDirectory(): string {
    return join(this.#root.directory, 'rootfs');
  }

  /** Only what streams look at is there. */
  get record(): Container['record'] {
    return {
      config: { ...CONFIG, ...this.#options.config },
      hostConfig: { LogConfig: this.#options.log ?? { Type: '', Config: {} }, NetworkMode: 'none' },
      state: { status: this.status },
    } as unknown as Container['record'];
  }

  find(idOrName: string): Container {
    if (this.id.startsWith(idOrName) || idOrName === this.name) return this;
    throw new EngineError('not_found', `No such container: ${idOrName}`);
  }
  all(): Container[] {
    return [this];
  }
  spec(): Promise<never> {
    return Promise.reject(new EngineError('internal', 'not reached'));
  }
  watch(told: (news: ContainerNews) => void): () => void {
    this.#watchers.add(told);
    return () => this.#watchers.delete(told);
  }
  publish(action: string, more: Readonly<Record<string, string>> = {}): void {
    this.events.publish('container', action, this.id, { name: this.name, image: 'busybox', of: 'test', ...more });
  }

  /** One run of a shell script; resolves when it runs. `next`: its state once it has ended. */
  async start(script: string, next: ContainerState['status'] = 'exited'): Promise<Kept> {
    const plan = this.record.config.Tty ? terminalPlan : pipedPlan;
    const { kept } = await linux.launch(plan(this.#root.directory, script), {
      directory: join(this.runDirectory, `keeper-${(this.#runs += 1)}`),
      outputPath: this.logPath,
      keepBytes: this.#options.keepBytes ?? 0,
    });
    const exec = (process: OciProcess, options: ExecOptions) => this.#exec(process, options);
    this.running = { pid: kept.pid, kept, exec, release: () => kept.release() };
    this.status = 'running';
    this.#tell('started');
    void this.#follow(kept, next);
    return kept;
  }

  async #follow(kept: Kept, next: ContainerState['status']): Promise<void> {
    await kept.exit;
    this.running = null;
    this.status = next;
    kept.dispose();
    this.#tell('ended');
  }

  async #exec(process: OciProcess, { directory }: ExecOptions): Promise<Kept> {
    const [program = '', , script = ''] = process.args;
    if (program !== 'sh')
      throw new EngineError(
        'invalid_argument',
        `OCI runtime exec failed: exec: "${program}": executable file not found`,
      );
    const plan = process.terminal ? terminalPlan : pipedPlan;
    const { kept } = await linux.launch(plan(this.#root.directory, script), { directory, keepBytes: 2 ** 20 });
    return kept;
  }

  #tell(news: ContainerNews): void {
    for (const told of this.#watchers) told(news);
  }

  async end(): Promise<void> {
    if (this.running) {
      const { kept } = this.running;
      await kept.signal(9);
      await kept.exit;
    }
    this.#tell('removed');
    rmSync(this.directory, { recursive: true, force: true });
    this.#root.remove();
  }
}
