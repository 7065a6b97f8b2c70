// One learner's sandbox: started when it is needed, thawed, watched over while somebody looks, ended when its lease says
// so. Owns the status that the tabs see; never touches terminals or steps.
import type { Sandbox, Stats } from '@drydock/engine/api/lab/schemas.ts';
import { EngineError } from '@drydock/engine/model/engine-error.ts';
import type { SandboxStatus } from '@drydock/protocol/events.ts';
import type { Language } from '@drydock/protocol/lesson.ts';
import type { EngineClient } from '../engine-client/engine-client.ts';
import { LabError, say } from '../messages/messages.ts';
import type { Lease, Leases } from '../repositories/leases.ts';
import { dueEnd, extendedLease, freshLease, type LeaseEnd, type LeasePolicy } from './lease-policy.ts';
import { together } from './together.ts';

export interface KeeperParts {
  engine: EngineClient;
  leases: Leases;
  policy: LeasePolicy;
  learner: string;
  /** The status changed. */
  changed(): void;
}

/** What `ready` found: the sandbox runs; `resumed` says what it did before. */
export interface Ready {
  /** Another life of the sandbox has another epoch. */
  epoch: string;
  resumed: 'frozen' | 'stopped' | null;
}

const QUEUE_POLL_MS = 500;
/** How often "seen" is written down: a restart forgets at most this. */
const SEEN_EVERY_MS = 60_000;
const MINUTE_MS = 60_000;

export class SandboxKeeper {
  readonly #parts: KeeperParts;
  #lease: Lease | null = null;
  #sandbox: Sandbox | null = null;
  #stats: Stats | null = null;
  #cpuPercent = 0;
  #end: LeaseEnd = null;
  #starting: Promise<Ready> | null = null;

  constructor(parts: KeeperParts) {
    this.#parts = parts;
  }

  /** The learner's id is the sandbox's: one learner, one sandbox. */
  get id(): string {
    return this.#parts.learner;
  }

  get epoch(): string {
    return String(this.#sandbox?.startedAtMs ?? 0);
  }

  /** The sandbox runs when this resolves. Many may wait; it is started once. */
  ready(): Promise<Ready> {
    this.#starting ??= this.#start().finally(() => (this.#starting = null));
    return this.#starting;
  }

  /** Ends every process and starts anew: with its files ('restart'), or as new ('reset'). */
  async renew(how: 'restart' | 'reset'): Promise<Ready> {
    const { engine } = this.#parts;
    if (how === 'reset') await this.#settle(await engine.act(this.id, 'reset'));
    else await this.#settle(await engine.act(this.id, 'stop'));
    return this.ready();
  }

  /** Somebody looks, or just left: the idle clock begins anew. */
  async seen(nowMs = Date.now()): Promise<void> {
    if (this.#lease && nowMs - this.#lease.lastSeenAtMs >= SEEN_EVERY_MS)
      await this.#saveLease({ lastSeenAtMs: nowMs });
  }

  async left(nowMs = Date.now()): Promise<void> {
    if (this.#lease) await this.#saveLease({ lastSeenAtMs: nowMs });
  }

  async extend(nowMs = Date.now()): Promise<void> {
    if (!this.#lease) throw new LabError('noStep');
    const longer = extendedLease(this.#lease, nowMs, this.#parts.policy);
    if (!longer) throw new LabError('extendedMax', { hours: this.#parts.policy.mostMs / (60 * MINUTE_MS) });
    await this.#saveLease(longer);
    this.#parts.changed();
  }

  /**
   * Carries out what the lease says is due; answers what was done. `before` is called first: whoever follows the sandbox
   * has to look away, or the end of its processes would be taken for the learner's doing.
   */
  async enforce(watched: boolean, nowMs = Date.now(), before: () => void = () => {}): Promise<LeaseEnd> {
    this.#lease ??= await this.#parts.leases.find(this.#parts.learner);
    if (!this.#lease || this.#starting) return null;
    if (watched) await this.seen(nowMs);
    const end = dueEnd(this.#lease, watched, nowMs, this.#parts.policy);
    if (end === null) return null;
    before();
    try {
      this.#sandbox = await this.#parts.engine.act(this.id, end === 'freeze' ? 'freeze' : 'stop');
    } catch (error) {
      // It is gone already, or in another state than the lease thought: the lease follows.
      if (!(error instanceof EngineError) || (error.kind !== 'not_found' && error.kind !== 'conflict')) throw error;
    }
    this.#end = end;
    this.#stats = null;
    await this.#saveLease(end === 'freeze' ? { frozenAtMs: nowMs } : { stoppedAtMs: nowMs });
    this.#parts.changed();
    return end;
  }

  /** Reads use against limits; called once a second while somebody looks. Notices a sandbox that ended by itself. */
  async measure(): Promise<void> {
    if (this.#sandbox?.state !== 'running' || this.#starting) return;
    const before = this.#stats;
    try {
      this.#stats = await this.#parts.engine.stats(this.id);
    } catch (error) {
      if (!(error instanceof EngineError) || this.#starting) return;
      const found = await this.#find();
      if (this.#sandbox.state === found?.state) return;
      this.#stats = null;
      this.#sandbox = found ?? { ...this.#sandbox, state: 'stopped' };
    }
    const elapsedMs = before && this.#stats ? this.#stats.atMs - before.atMs : 0;
    if (before && this.#stats && elapsedMs > 0)
      this.#cpuPercent = Math.max(0, (this.#stats.cpuUsageUs - before.cpuUsageUs) / 10 / elapsedMs);
    this.#parts.changed();
  }

  status(language: Language, nowMs = Date.now()): SandboxStatus {
    const sandbox = this.#sandbox;
    const lease = this.#lease;
    const queued = sandbox?.state === 'starting' && sandbox.queuePlace !== null;
    const announced = lease && sandbox?.state === 'running' && lease.endsAtMs - nowMs <= this.#parts.policy.announceMs;
    return {
      state: queued ? 'queued' : (sandbox?.state ?? 'starting'),
      message: this.#message(language),
      endsAtMs: lease?.endsAtMs ?? null,
      ending: announced ? { reason: say(language, 'endingClock'), atMs: lease.endsAtMs } : null,
      cpuPercent: Math.round(this.#cpuPercent * 10) / 10,
      memoryBytes: this.#stats?.memoryBytes ?? 0,
      memoryLimitBytes: this.#stats?.memoryLimitBytes ?? sandbox?.limits.memoryBytes ?? 0,
      diskBytes: this.#stats?.diskBytes ?? 0,
      diskLimitBytes: this.#stats?.diskLimitBytes ?? sandbox?.limits.diskBytes ?? 0,
      pids: this.#stats?.pids ?? 0,
      pidsLimit: this.#stats?.pidsLimit ?? sandbox?.limits.pids ?? 0,
    };
  }

  #message(language: Language): string | null {
    const sandbox = this.#sandbox;
    const minutes = this.#parts.policy.freezeAfterMs / MINUTE_MS;
    switch (sandbox?.state) {
      case 'running':
        return null;
      case 'failed':
        return say(language, 'failed', { message: sandbox.message ?? '' });
      case 'frozen':
        return say(language, 'frozenIdle', { minutes });
      case 'stopped':
        if (this.#end === 'stop-clock') return say(language, 'stoppedClock');
        return say(language, this.#end === 'stop-idle' ? 'stoppedIdle' : 'stoppedItself');
      default:
        return sandbox && sandbox.queuePlace !== null
          ? say(language, 'queued', { place: sandbox.queuePlace })
          : say(language, 'starting');
    }
  }

  async #start(): Promise<Ready> {
    const { engine, leases, learner, policy } = this.#parts;
    this.#lease ??= await leases.find(learner);
    const sandbox = await this.#find();
    const found = sandbox?.state ?? null;
    const run = async (): Promise<void> => {
      if (found === 'frozen') await this.#settle(await engine.act(this.id, 'thaw'));
      else await this.#settle(sandbox && found === 'running' ? sandbox : await engine.create({ id: this.id }));
    };
    // The lease is stored meanwhile: one of a sandbox that then does not start ends nothing.
    const now = Date.now();
    const lease = async (): Promise<void> => {
      if (found === 'frozen' && this.#lease) await this.#saveLease({ frozenAtMs: null, lastSeenAtMs: now });
      else if (found !== 'running' || !this.#lease || this.#lease.stoppedAtMs !== null)
        await this.#saveLease(freshLease(learner, this.id, now, policy));
    };
    await together([run(), lease()]);
    this.#end = null;
    this.#parts.changed();
    return { epoch: this.epoch, resumed: found === 'frozen' || found === 'stopped' ? found : null };
  }

  async #find(): Promise<Sandbox | null> {
    try {
      return await this.#parts.engine.get(this.id);
    } catch (error) {
      if (error instanceof EngineError && error.kind === 'not_found') return null;
      throw error;
    }
  }

  /** Waits while it starts or queues, telling the tabs its place. Throws the sentence of a failed start. */
  async #settle(sandbox: Sandbox): Promise<Sandbox> {
    this.#sandbox = sandbox;
    this.#stats = null;
    while (this.#sandbox.state === 'starting') {
      this.#parts.changed();
      await new Promise((resolve) => setTimeout(resolve, QUEUE_POLL_MS));
      this.#sandbox = await this.#parts.engine.get(this.id);
    }
    this.#parts.changed();
    if (this.#sandbox.state === 'failed') throw new LabError('failed', { message: this.#sandbox.message ?? '' });
    return this.#sandbox;
  }

  async #saveLease(change: Partial<Lease>): Promise<void> {
    const lease = {
      ...freshLease(this.#parts.learner, this.id, Date.now(), this.#parts.policy),
      ...this.#lease,
      ...change,
    };
    this.#lease = lease;
    await this.#parts.leases.save(lease);
  }
}
