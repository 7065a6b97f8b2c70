// The pid namespaces of a sandbox: which lies in which, who is init of each, and who was alive when an init died.
import { PF_EXITING } from '../kernel/proc/stat.ts';
import type { ProcessSource, ProcessView } from '../kernel/proc/source.ts';
import { isAnother, type Tracked } from './tracked.ts';

export class PidNamespaces {
  readonly #source: ProcessSource;
  /** Inode to itself and those around it, up to the sandbox's own. */
  readonly #chains = new Map<number, readonly number[]>();
  readonly #inits = new Map<number, Tracked>();
  /** Inits found dying, and how many members were killed with them. */
  readonly #killedWith = new Map<number, number>();
  readonly sandbox: number;

  constructor(source: ProcessSource, sandbox: number) {
    this.#source = source;
    this.sandbox = sandbox;
  }

  /**
   * Notes the namespace of a process that was just identified. False when it is not the sandbox's or one inside it.
   * The kernel uses inode numbers again, so a namespace is looked at anew when its init comes.
   */
  learn(tracked: Tracked, view: ProcessView): boolean {
    const inode = tracked.pidNamespace;
    if (inode === null) return true;
    const isInit = tracked.identity?.status.nspid.at(-1) === 1;
    if (isInit && this.#inits.get(inode) !== tracked) {
      this.#chains.delete(inode);
      this.#killedWith.delete(inode);
      this.#inits.set(inode, tracked);
    }
    let chain = this.#chains.get(inode);
    if (chain === undefined) {
      const all = view.pidNamespaces();
      const end = all.indexOf(this.sandbox);
      // Not kept: it may have gone while its links were read.
      if (end < 0) return false;
      chain = all.slice(0, end + 1);
      this.#chains.set(inode, chain);
    }
    return true;
  }

  /** Whether `inode` is `outer` or lies in it. */
  isWithin(inode: number | null, outer: number): boolean {
    return inode === outer || (inode !== null && (this.#chains.get(inode)?.includes(outer) ?? false));
  }

  /** The namespace this process is init of. */
  initOf(tracked: Tracked): number | null {
    const inode = tracked.pidNamespace;
    return inode !== null && this.#inits.get(inode) === tracked ? inode : null;
  }

  /**
   * Call for each process that ended by SIGKILL. When an init dies, the kernel kills all members with SIGKILL and waits for
   * them before it tells of the init's own end (pid_namespaces(7); kernel/pid_namespace.c, zap_pid_ns_processes): the
   * members' exit events come first. Whether the init had begun to exit by then tells them from members killed before.
   */
  noteKilled(tracked: Tracked): void {
    for (const inode of this.#chains.get(tracked.pidNamespace ?? -1) ?? []) {
      const init = this.#inits.get(inode);
      if (init === undefined || init === tracked) continue;
      const killed = this.#killedWith.get(inode);
      if (killed !== undefined || this.#isDying(init)) this.#killedWith.set(inode, (killed ?? 0) + 1);
    }
  }

  #isDying(init: Tracked): boolean {
    if (init.end !== null || init.zombie) return true;
    const view = this.#source.open(init.pid);
    const stat = view?.stat() ?? null;
    view?.close();
    if (stat === null || isAnother(init, stat)) return true;
    return (stat.flags & PF_EXITING) !== 0 || stat.state === 'Z' || stat.state === 'X';
  }

  /** Members other than `init` that were alive when it began to end. A member's event may also come after the init's. */
  membersAlive(init: Tracked, all: Iterable<Tracked>): number {
    const inode = this.initOf(init);
    if (inode === null) return 0;
    let alive = this.#killedWith.get(inode) ?? 0;
    for (const each of all)
      if (each !== init && each.end === null && !each.zombie && this.isWithin(each.pidNamespace, inode)) alive++;
    return alive;
  }

  /** The process is no longer tracked. */
  forget(tracked: Tracked): void {
    const inode = this.initOf(tracked);
    if (inode === null || inode === this.sandbox) return;
    this.#inits.delete(inode);
    this.#chains.delete(inode);
    this.#killedWith.delete(inode);
  }
}
