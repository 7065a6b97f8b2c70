// One container while the daemon lives: its record, what runs of it, and who waits for news of it. Its verbs are files of
// their own; they change it only inside `inTurn`, one at a time.
import { join } from 'node:path';
import type { RootfsMount } from '../image/graph-driver.ts';
import type { ContainerGroup } from '../kernel/cgroup/container-group.ts';
import type { Health } from '../model/health.ts';
import type { OciSpec } from '../model/oci-spec.ts';
import type { RunningContainer } from '../runtime/driver.ts';
import type { Container, ContainerNews, ContainerRecord, ContainerState } from './container.ts';
import type { ContainerHost } from './host.ts';
import type { ContainerStore } from './store.ts';

export class LiveContainer implements Container {
  running: RunningContainer | null = null;
  group: ContainerGroup | null = null;
  /** Waits for the next start of its restart policy. */
  restartTimer: NodeJS.Timeout | null = null;
  /** How long it last waited for one; 0 when somebody asked for the run. */
  lastDelayMs = 0;
  /** Ends its health checks. */
  stopHealth: (() => void) | null = null;
  health: Health | null = null;
  /** Ends what listens for OOM kills, and tells those not heard of. */
  stopOom: (() => void) | null = null;
  isRemoving = false;
  isRemoved = false;
  /** Why its last removal failed; it is `dead` then, and can be removed again. */
  removalError: string | null = null;
  /** As it was last started by this daemon. */
  lastSpec: OciSpec | null = null;
  readonly #host: ContainerHost;
  readonly #store: ContainerStore;
  readonly #watchers = new Set<(news: ContainerNews) => void>();
  readonly #makeSpec: (container: LiveContainer) => Promise<OciSpec>;
  #record: ContainerRecord;
  #turn: Promise<unknown> = Promise.resolve();
  #holds = 0;

  constructor(
    host: ContainerHost,
    store: ContainerStore,
    record: ContainerRecord,
    makeSpec: (container: LiveContainer) => Promise<OciSpec>,
  ) {
    this.#host = host;
    this.#store = store;
    this.#record = record;
    this.#makeSpec = makeSpec;
  }

  get id(): string {
    return this.#record.id;
  }

  get name(): string {
    return this.#record.name;
  }

  get record(): ContainerRecord {
    return this.#record;
  }

  get state(): ContainerState {
    return this.#record.state;
  }

  /** Where its files are: hosts, resolv.conf, the log. */
  get directory(): string {
    return this.#store.directory(this.id);
  }

  get logPath(): string {
    return join(this.directory, 'log');
  }

  get runDirectory(): string {
    return join(this.#host.run, 'containers', this.id);
  }

  get rootfs(): RootfsMount {
    return this.#host.graph.mountOf(this.id, { volatile: this.#record.hostConfig.AutoRemove });
  }

  /** Runs, or is between two runs of its restart policy: what Docker calls running. */
  get isUp(): boolean {
    return ['running', 'paused', 'restarting'].includes(this.state.status);
  }

  async spec(): Promise<OciSpec> {
    return this.lastSpec ?? this.#makeSpec(this);
  }

  watch(told: (news: ContainerNews) => void): () => void {
    this.#watchers.add(told);
    return () => this.#watchers.delete(told);
  }

  tell(news: ContainerNews): void {
    for (const told of Array.from(this.#watchers)) told(news); // who is told may leave
  }

  /** Runs the work when all that was asked before is done: two verbs never change one container at a time. */
  inTurn<T>(work: () => Promise<T> | T): Promise<T> {
    const mine = this.#turn.then(work);
    this.#turn = mine.catch(() => undefined);
    return mine;
  }

  change(change: Partial<Omit<ContainerRecord, 'state'>>): void {
    this.#record = { ...this.#record, ...change };
    this.#store.saveRecord(this.#record);
  }

  /**
   * False when the disk would not take it (it is full): what is true is known here, and of a run its keeper knows it too, so
   * nothing is refused for that.
   */
  changeState(change: Partial<ContainerState>): boolean {
    this.#record = { ...this.#record, state: { ...this.#record.state, ...change } };
    if (this.isRemoving) return true;
    try {
      this.#store.saveState(this.#record);
      return true;
    } catch (error) {
      this.#host.log.error(error, `container ${this.id}: its state could not be written`);
      return false;
    }
  }

  /** --rm waits until `release`: a restart is not the container's end. */
  holdRemoval(): { release(): void } {
    this.#holds += 1;
    return { release: () => (this.#holds -= 1) };
  }

  get isHeld(): boolean {
    return this.#holds > 0;
  }

  /** Tells the engine's listeners: its image, name and labels are in every event. */
  publish(action: string, more: Readonly<Record<string, string>> = {}): void {
    const { config, name } = this.#record;
    this.#host.events.publish('container', action, this.id, { ...config.Labels, ...more, image: config.Image, name });
  }
}
