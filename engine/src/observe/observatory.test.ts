import { describe, expect, it } from 'vitest';
import { Scene } from '../testing/fake-observation.ts';
import { sandboxNamed } from './observatory.ts';

describe('Observatory', () => {
  it('tells of a new process within the batch, and of its whole life in one patch when it is short', () => {
    const scene = new Scene();
    const brief = scene.fork();
    scene.observatory.events(scene.machine.takeEvents(), false, scene.machine.nowMs);
    scene.machine.exec(brief, 'true');
    scene.observatory.events(scene.machine.takeEvents(), false, scene.machine.nowMs);
    scene.machine.exit(brief, 0);
    scene.machine.reap(brief);
    scene.pass(12);
    expect(scene.changes).toHaveLength(1);
    const [change] = scene.changes;
    expect(change?.events.map(({ kind }) => kind)).toEqual(['fork', 'exec', 'exit']);
    expect(change?.upsert).toMatchObject([{ pids: [2], comm: 'true', argv: ['true', '-x'] }]);
    expect(change?.exits).toMatchObject([
      { pids: [2], comm: 'true', code: 0, parentKey: scene.state.processes[0]?.key },
    ]);
    expect(scene.state.processes).toHaveLength(1);
  });

  it('reads nobody again who did not run', () => {
    const scene = new Scene();
    const child = scene.fork();
    scene.pass(200);
    const opens = scene.machine.open.bind(scene.machine);
    let count = 0;
    scene.machine.open = (pid) => {
      count++;
      return opens(pid);
    };
    scene.pass(1000);
    expect(count).toBe(0);
    scene.machine.unshare(child, 'uts');
    scene.pass(60);
    expect(count).toBe(1);
    expect(scene.at(child)?.namespaces.uts).toBe(child.namespaces.uts);
  });

  it('counts members killed with their init, whichever event comes first, and no one who left before', () => {
    for (const order of ['as told', 'init first'] as const) {
      const scene = new Scene();
      scene.machine.unshare(scene.init, 'pid');
      const init = scene.fork();
      scene.init.pidForChildren = scene.init.namespaces.pid;
      const members = [scene.fork(init), scene.fork(init), scene.fork(init)];
      scene.pass(100);
      scene.machine.exit(members[0] ?? init, null, 9);
      scene.machine.reap(members[0] ?? init);
      scene.pass(100);
      scene.machine.exit(init, null, 9);
      if (order === 'init first') scene.machine.events.reverse();
      scene.pass(100);
      const end = scene.exits.find(({ initOf }) => initOf !== null);
      expect([order, end]).toMatchObject([order, { pids: init.nspid.slice(1), signal: 9, membersAlive: 2 }]);
    }
  });

  it('tells nothing of the namespaces of a process that leaves them while it is looked at', () => {
    const scene = new Scene();
    const child = scene.fork();
    scene.pass(100);
    child.turns++;
    scene.machine.beforeRead = (process, link) => {
      if (process === child && link === 'pid_for_children') scene.machine.exit(child, 0);
    };
    scene.pass(200);
    const told = scene.changes.flatMap(({ upsert }) => upsert).filter(({ hostPid }) => hostPid === child.pid);
    expect(told.map(({ pidForChildren }) => pidForChildren)).not.toContain(null);
    expect(scene.at(child)?.state).toBe('Z');
  });

  it('goes on with a process whose main thread ended, until the last thread has', () => {
    const scene = new Scene();
    const process = scene.fork();
    process.threads = 2;
    scene.pass(100);
    scene.machine.exit(process, 3);
    scene.pass(100);
    expect([scene.exits.length, scene.at(process)?.state]).toEqual([0, 'Z']);
    process.threads = 1;
    scene.machine.reap(process);
    scene.machine.events.push({ kind: 'thread-exit', monotonicMs: scene.machine.nowMs, pid: process.pid });
    scene.pass(100);
    expect(scene.exits).toMatchObject([{ code: 3 }]);
    expect(scene.at(process)).toBeUndefined();
  });

  it('takes no execve of another thread for an end', () => {
    const scene = new Scene();
    const process = scene.fork();
    scene.pass(100);
    const { nowMs } = scene.machine;
    scene.machine.events.push({
      kind: 'exit',
      monotonicMs: nowMs,
      pid: process.pid,
      code: 0,
      signal: null,
      parentPid: 1,
    });
    scene.machine.exec(process, 'other');
    scene.pass(100);
    expect(scene.exits).toEqual([]);
    expect(scene.at(process)).toMatchObject({ comm: 'other', state: 'S' });
  });

  it('bounds the work and the words a fork bomb causes, tells every end or says that it did not, and recovers', () => {
    const scene = new Scene();
    let opens = 0;
    const open = scene.machine.open.bind(scene.machine);
    scene.machine.open = (pid) => {
      opens++;
      return open(pid);
    };
    let ends = 0;
    for (let ms = 0; ms < 4000; ms++) {
      for (let count = 0; count < 10; count++) {
        const child = scene.fork();
        scene.machine.exit(child, 0);
        scene.machine.reap(child);
        ends++;
      }
      scene.pass(1);
    }
    expect(opens).toBeLessThan(20_000);
    const told = scene.changes.reduce((sum, change) => sum + change.exits.length, 0);
    const coalesced = scene.changes.reduce((sum, change) => sum + (change.coalesced ?? 0), 0);
    expect(told).toBeLessThan(8000);
    expect(told + coalesced).toBeGreaterThanOrEqual(ends);
    scene.pass(3000);
    expect(scene.state.processes).toHaveLength(1);
    const after = scene.fork();
    scene.pass(12);
    expect(scene.at(after)).toBeDefined();
  });

  it('finds who enters from outside by execve, and who is not in the sandbox', () => {
    const scene = new Scene();
    const keeper = scene.init.parent;
    if (keeper === null) throw new Error('the sandbox has a keeper');
    const shell = scene.fork(keeper);
    shell.cgroup = '/drydock-x/anna/inner/shell';
    scene.machine.exec(shell, 'bash');
    scene.fork(keeper);
    scene.pass(12);
    expect(scene.at(shell)).toMatchObject({ parentKey: null, cgroup: '/shell', comm: 'bash' });
    expect(scene.state.processes).toHaveLength(2);
    const stranger = scene.fork(shell);
    stranger.cgroup = '/elsewhere';
    scene.pass(12);
    expect(scene.state.processes).toHaveLength(2);
  });

  it('says how the first process ended, then that it is over, and closes all it had open', () => {
    const scene = new Scene();
    scene.fork();
    scene.pass(100);
    scene.machine.exit(scene.init, null, 9);
    scene.machine.reap(scene.init);
    scene.pass(100);
    expect(scene.over).toBe(true);
    expect(scene.exits.find(({ pids }) => pids[0] === 1)).toMatchObject({ signal: 9, membersAlive: 1 });
    expect(scene.observatory.size).toBe(0);
    expect(scene.machine.opened).toBe(0);
  });

  it('finds everything by sweeps alone where there are no events', () => {
    const scene = new Scene(false);
    const child = scene.fork();
    scene.machine.takeEvents();
    scene.pass(120);
    expect(scene.at(child)).toBeDefined();
    scene.machine.exit(child, 0);
    scene.machine.reap(child);
    scene.machine.takeEvents();
    scene.pass(120);
    expect(scene.at(child)).toBeUndefined();
    expect(scene.exits).toMatchObject([{ code: null, signal: null }]);
  });
});

describe('sandboxNamed', () => {
  const named = (path: string) => sandboxNamed([{ controllers: [''], path }], 'x');
  it('goes by the outermost group', () => {
    expect(named('/drydock-x/anna/inner')).toBe('anna');
    expect(named('/docker/abc/drydock-x/anna/inner/shell')).toBe('anna');
    expect(named('/drydock-x/anna/inner/drydock-x/bob/inner')).toBe('anna');
    expect(named('/drydock-xy/anna/inner')).toBeNull();
    expect(named('/')).toBeNull();
  });
});
