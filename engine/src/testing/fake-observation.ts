// One sandbox on a fake machine, observed: time passes when the test says so.
import { applyPatch } from '../model/apply-patch.ts';
import type { ObservedExit, ObservedProcess, Snapshot, Watch } from '../model/observed.ts';
import type { Change } from '../observe/change.ts';
import { Observatory } from '../observe/observatory.ts';
import type { Start } from '../observe/tracker.ts';
import { FakeMachine, fakeSandbox, type FakeProcess } from './fake-processes.ts';

/** Everything that can be watched. */
export const ALL: Watch = { namespaces: true, mounts: true };

const snapshotOf = (start: Start): Snapshot => ({
  kind: 'snapshot',
  seq: 0,
  atMs: 0,
  sandbox: 'anna',
  kernel: { release: '6', cgroup: 'v2' },
  exits: [],
  ...start,
});

/** One sandbox on a fake machine, its observation, and the state a browser would have. */
export class Scene {
  readonly machine = new FakeMachine();
  readonly init: FakeProcess;
  readonly observatory: Observatory;
  readonly changes: Change[] = [];
  readonly exits: ObservedExit[] = [];
  state: Snapshot;
  over = false;

  constructor(hasEvents = true) {
    this.init = fakeSandbox(this.machine, 'x', 'anna');
    this.observatory = new Observatory(this.machine, 'x', hasEvents, {
      change: (_, change) => {
        this.changes.push(change);
        this.exits.push(...change.exits);
        this.state = applyPatch(this.state, { kind: 'patch', seq: this.state.seq + 1, ...change });
      },
      ended: () => (this.over = true),
    });
    this.machine.takeEvents();
    this.state = snapshotOf(this.observatory.start('anna', this.init.pid, ALL, this.machine.nowMs));
  }
  /** Lets time pass, as the thread's loop would: events are taken, what is due is done. */
  pass(ms: number, lose: (count: number) => boolean = () => false): void {
    const endMs = this.machine.nowMs + ms;
    while (this.machine.nowMs < endMs) {
      const events = this.machine.takeEvents();
      const lost = events.length > 0 && lose(events.length);
      this.observatory.events(lost ? [] : events, lost, this.machine.nowMs);
      const waitMs = this.observatory.run(this.machine.nowMs);
      this.machine.nowMs = Math.min(endMs, this.machine.nowMs + Math.max(1, waitMs ?? ms));
    }
  }
  fork(parent = this.init): FakeProcess {
    const child = this.machine.fork(parent);
    if (child === null) throw new Error('no fork there');
    return child;
  }
  at(process: FakeProcess): ObservedProcess | undefined {
    return this.state.processes.find(({ key }) => key === `${process.pid}:${process.startTicks}`);
  }
}
