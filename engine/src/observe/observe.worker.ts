// The thread that observes: sleeps in epoll_wait on the proc connector and on commands, reads /proc, posts changes. It is
// apart from the main loop so that a fork bomb in a sandbox delays no terminal, and so that a process that lives for
// half a millisecond is read before it is gone.
import { setPriority } from 'node:os';
import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { EPOLL, Epoll, drainEventfd } from '../kernel/epoll.ts';
import { openProcConnector, type ProcConnector } from '../kernel/proc-connector.ts';
import { procSource } from '../kernel/proc/source.ts';
import { monotonicMs } from './clock.ts';
import type { Command, ObserveData, Report } from './messages.ts';
import { Observatory } from './observatory.ts';

const WAKE = 1;
const CONNECTOR = 2;
/** Events dealt with before what is due gets its turn. */
const MOST_AT_ONCE = 1000;

const { instance, wakeFd } = workerData as ObserveData;
const port = parentPort;
if (port === null) throw new Error('observe.worker.ts is started as a worker thread only');
const runs = new Map<string, number>();
type Body<T> = T extends unknown ? Omit<T, 'sandbox' | 'run'> : never;
const post = (sandbox: string, body: Body<Report>) =>
  port.postMessage({ sandbox, run: runs.get(sandbox) ?? 0, ...body });

// Of this thread only (setpriority(2), "C library/kernel differences"): on a busy machine who observes must come before who is
// observed, and all it may do is bounded. EACCES without CAP_SYS_NICE: then it takes its turn.
try {
  setPriority(0, -10);
} catch {}

const epoll = new Epoll();
epoll.add(wakeFd, WAKE, EPOLL.in);
let connector: ProcConnector | null = openProcConnector();
const observatory = new Observatory(procSource, instance, connector !== null, {
  change: (sandbox, change) => post(sandbox, { kind: 'change', change }),
  ended: (sandbox) => post(sandbox, { kind: 'ended', message: null }),
});
if (connector) epoll.add(connector.fd, CONNECTOR, EPOLL.in);

function start({ sandbox, run, initPid, watch }: Extract<Command, { kind: 'start' }>, nowMs: number): void {
  runs.set(sandbox, run);
  try {
    post(sandbox, { kind: 'started', start: observatory.start(sandbox, initPid, watch, nowMs), atMs: Date.now() });
  } catch (error) {
    observatory.stop(sandbox);
    post(sandbox, { kind: 'ended', message: error instanceof Error ? error.message : String(error) });
  }
}

/** False: end the thread. */
function obey(command: Command, nowMs: number): boolean {
  if (command.kind === 'start') start(command, nowMs);
  else if (command.kind === 'watch') observatory.watch(command.sandbox, command.watch, nowMs);
  else if (command.kind === 'stop') observatory.stop(command.sandbox);
  return command.kind !== 'close';
}

let waitMs: number | null = null;
for (let running = true; running;) {
  for (const { token } of epoll.wait(waitMs ?? -1)) {
    if (token === WAKE) {
      drainEventfd(wakeFd);
      for (let next = receiveMessageOnPort(port); running && next; next = receiveMessageOnPort(port))
        running = obey(next.message as Command, monotonicMs());
    } else if (connector) {
      const { events, lost } = connector.drain(MOST_AT_ONCE);
      observatory.events(events, lost, monotonicMs());
    }
  }
  waitMs = observatory.run(monotonicMs());
}
connector?.close();
connector = null;
epoll.close();
