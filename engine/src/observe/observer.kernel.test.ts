import { mkdirSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { applyPatch } from '../model/apply-patch.ts';
import type { Observation, ObservedExit, ObservedProcess, Snapshot, Watch } from '../model/observed.ts';
import { startTestSandbox, type TestSandbox } from '../testing/observed-sandbox.ts';
import { createObservation, type ObservationService, type ObservedSandbox } from './observer.ts';

const INSTANCE = `observe-test-${process.pid}`;
const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).toReversed()) await cleanUp();
});

async function sandbox(id = 'anna'): Promise<TestSandbox> {
  const made = await startTestSandbox(INSTANCE, id);
  cleanUps.push(() => made.remove());
  return made;
}

function service(terminalOf: (id: string, hostPid: number) => string | null = () => null): ObservationService {
  const made = createObservation({ instance: INSTANCE, cgroup: 'hybrid', terminalOf });
  cleanUps.push(() => made.close());
  return made;
}

/** Looks at a sandbox and keeps its state by applyPatch, as a browser does. */
class Onlooker {
  state: Snapshot | null = null;
  readonly exits: ObservedExit[] = [];
  readonly seen = new Map<string, ObservedProcess>();
  readonly observations: Observation[] = [];
  readonly over: Promise<void>;
  #changed: () => void = () => {};

  constructor(from: ObservationService, of: ObservedSandbox, watch: Partial<Watch> = {}) {
    const gone = new AbortController();
    cleanUps.push(() => gone.abort());
    this.over = this.#read(from.observe(of, { namespaces: true, mounts: false, ...watch }, gone.signal));
    this.over.catch(() => {});
  }
  async #read(observations: AsyncIterable<Observation>): Promise<void> {
    for await (const observation of observations) {
      this.observations.push(observation);
      if (observation.kind === 'patch') {
        if (this.state === null) throw new Error('a patch came before the snapshot');
        this.state = applyPatch(this.state, observation);
        this.exits.push(...observation.exits);
        for (const process of observation.upsert) this.seen.set(process.key, process);
      } else this.state = observation;
      this.#changed();
    }
    this.#changed();
  }
  /** The process that runs this command line (joined by spaces), once there is one that passes. */
  process(command: string, test: (process: ObservedProcess) => boolean = () => true): Promise<ObservedProcess> {
    return this.until(`"${command}"`, () =>
      this.state?.processes.find(
        (process) => process.argv.join(' ') === command && process.state !== 'Z' && test(process),
      ),
    );
  }
  exit(what: string, test: (exit: ObservedExit) => boolean): Promise<ObservedExit> {
    return this.until(what, () => this.exits.find(test));
  }
  async until<T>(what: string, ask: () => T | undefined | false): Promise<T> {
    const timeout = Date.now() + 15_000;
    for (;;) {
      const answer = ask();
      if (answer !== undefined && answer !== false) return answer;
      if (Date.now() > timeout)
        throw new Error(`not seen: ${what}; of ${this.exits.length} ends and ${JSON.stringify(this.state?.processes)}`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, 1000);
        this.#changed = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }
}

describe('the tree of a sandbox', () => {
  it('begins with the sandbox’s own init, numbered as the sandbox numbers it', async () => {
    const box = await sandbox();
    const look = new Onlooker(service(), box);
    const init = await look.process('sh');
    expect(init).toMatchObject({
      hostPid: box.initPid,
      pids: [1],
      parentKey: null,
      uidInside: 0,
      uidOutside: 0,
      cgroup: '/',
    });
    expect(look.state?.namespaces).toEqual(init.namespaces);
    expect(look.state?.processes).toHaveLength(1);
  });

  it('shows nobody from outside it: another sandbox, or one that names its groups like this one', async () => {
    const box = await sandbox('anna');
    const other = await sandbox('bob');
    const made: string[] = [];
    for (const group of other.groups) {
      let path = group;
      for (const name of [`drydock-${INSTANCE}`, 'anna', 'inner']) mkdirSync((path = join(path, name)));
      made.push(path);
    }
    const from = service();
    const bob = new Onlooker(from, other);
    other.run(`for g in ${made.join(' ')}; do echo 0 > $g/cgroup.procs; done; sleep 1234`);
    // The learner may not write there in this test's groups: moved from outside, to the same effect.
    const sleeping = await bob.process('sleep 1234');
    for (const group of made) writeFileSync(join(group, 'cgroup.procs'), String(sleeping.hostPid));
    const anna = new Onlooker(from, box);
    await anna.process('sh');
    box.run('sleep 4321');
    await anna.process('sleep 4321');
    expect(anna.state?.processes.map((process) => process.argv.join(' ')).toSorted()).toEqual(['sh', 'sleep 4321']);
  });

  it('follows fork, exec, exit with code and signal, new parents and zombies', async () => {
    const box = await sandbox();
    const look = new Onlooker(service(), box);
    const init = await look.process('sh');
    box.run('sh -c "sleep 61 & sleep 62; exit 5"');
    const shell = await look.process('sh -c sleep 61 & sleep 62; exit 5');
    const orphan = await look.process('sleep 61');
    const sleeping = await look.process('sleep 62');
    expect([shell.parentKey, orphan.parentKey, sleeping.parentKey]).toEqual([init.key, shell.key, shell.key]);
    process.kill(sleeping.hostPid, 'SIGTERM');
    expect(await look.exit('sleep 62', ({ key }) => key === sleeping.key)).toMatchObject({ signal: 15, code: null });
    expect(await look.exit('the shell', ({ key }) => key === shell.key)).toMatchObject({ signal: null, code: 5 });
    await look.process('sleep 61', ({ parentKey }) => parentKey === init.key);

    box.run('sh -c "sleep 0.2 & exec sleep 63"');
    const careless = await look.process('sleep 63');
    const zombie = await look.until('a zombie', () => look.state?.processes.find(({ state }) => state === 'Z'));
    expect(zombie.parentKey).toBe(careless.key);
    expect(look.exits.find(({ key }) => key === zombie.key)).toMatchObject({ code: 0 });
    process.kill(careless.hostPid, 'SIGKILL');
    await look.until('the zombie reaped', () => !look.state?.processes.some(({ key }) => key === zombie.key));
  });

  it('numbers users as the sandbox does and as their own namespace does', async () => {
    const box = await sandbox();
    const look = new Onlooker(service(), box);
    box.run('setpriv --reuid 1000 --clear-groups sleep 71 &');
    box.run('setpriv --reuid 1000 --clear-groups unshare --user --map-root-user sleep 72 &');
    expect(await look.process('sleep 71')).toMatchObject({ uidInside: 1000, uidOutside: 1000 });
    expect(await look.process('sleep 72')).toMatchObject({ uidInside: 0, uidOutside: 1000 });
  });

  it('follows moves between groups, and what has no event at all', async () => {
    const box = await sandbox();
    const look = new Onlooker(service(), box);
    await look.process('sh');
    box.run('hostname elsewhere');
    await look.until('the new name', () => look.state?.hostname === 'elsewhere');
    box.run('sh -c "sleep 0.3; exec unshare --uts --ipc sh -c \'sleep 73; :\'"');
    const { namespaces } = await look.process(
      'sh -c sleep 73; :',
      (each) => each.namespaces.uts !== look.state?.namespaces.uts,
    );
    expect(namespaces.ipc).not.toBe(look.state?.namespaces.ipc);
    expect(namespaces.mnt).toBe(look.state?.namespaces.mnt);
    const sleeping = await look.process('sleep 73');
    for (const group of box.groups) {
      const below = join(group, 'below');
      mkdirSync(below);
      writeFileSync(join(below, 'cgroup.procs'), String(sleeping.hostPid));
    }
    await look.process('sleep 73', ({ cgroup }) => cgroup === '/below');
    process.kill(sleeping.hostPid, 'SIGKILL');
    await look.exit('sleep 73', ({ key }) => key === sleeping.key);
    for (const group of box.groups) rmdirSync(join(group, 'below'));
  });
});

describe('nested pid namespaces', () => {
  it('shows that unshare --pid moves nobody, and that only children are born elsewhere', async () => {
    const box = await sandbox();
    const look = new Onlooker(service(), box);
    box.run('unshare --pid sh -c "sleep 81; sleep 82; :"');
    const init = await look.process('sleep 81');
    const shell = await look.process('sh -c sleep 81; sleep 82; :', (each) => each.pidForChildren !== null);
    expect(shell.pids).toHaveLength(1);
    expect(shell.namespaces.pid).toBe(look.state?.namespaces.pid);
    expect(shell.pidForChildren).not.toBe(shell.namespaces.pid);
    expect([init.pids[1], init.namespaces.pid]).toEqual([1, shell.pidForChildren]);
    // An init has no default for SIGTERM, not even from outside (pid_namespaces(7)).
    process.kill(init.hostPid, 'SIGKILL');
    expect(await look.exit('the init', ({ key }) => key === init.key)).toMatchObject({ initOf: shell.pidForChildren });
    // With its init gone no other can be born there (fork: ENOMEM), so the shell ends without the second sleep.
    await look.exit('the shell', ({ key }) => key === shell.key);
    expect([...look.seen.values()].map(({ argv }) => argv.join(' '))).not.toContain('sleep 82');
  });

  it('shows numbers in each level, and which namespace each mounted proc belongs to', async () => {
    const box = await sandbox();
    const look = new Onlooker(service(), box, { mounts: true });
    box.run('unshare --pid --fork --mount-proc sh -c "sleep 82; :" &');
    box.run('unshare --pid --fork --mount sh -c "sleep 83; :" &');
    const proc = (process: ObservedProcess) => process.mounts?.findLast((mount) => mount.mountPoint === '/proc');
    const own = await look.process('sleep 82', (each) => each.mounts !== null);
    expect(own.pids).toHaveLength(2);
    expect(own.namespaces.pid).not.toBe(look.state?.namespaces.pid);
    expect(proc(own)).toMatchObject({ type: 'proc', pidNamespace: own.namespaces.pid });
    const foreign = await look.process('sleep 83', (each) => each.mounts !== null);
    expect(foreign.pids).toHaveLength(2);
    expect(proc(foreign)).toMatchObject({ type: 'proc', pidNamespace: look.state?.namespaces.pid });
    const init = await look.process('sh -c sleep 83; :');
    expect([init.pids[1], init.namespaces.pid]).toEqual([1, foreign.namespaces.pid]);
    expect(look.state?.processes.find(({ pids }) => pids[0] === 1)?.mounts).toBeNull();
  });

  it('tells an init killed with members alive from one whose members had left', async () => {
    const box = await sandbox();
    const look = new Onlooker(service(), box);
    const start = async (seconds: number) => {
      // Two members, one of them in a namespace inside.
      box.run(`unshare --pid --fork sh -c "unshare --pid --fork sleep ${seconds} & sleep ${seconds}1; :" &`);
      const inner = await look.process(`sleep ${seconds}`, ({ pids }) => pids.length === 3);
      const member = await look.process(`sleep ${seconds}1`);
      const init = await look.until('init', () =>
        look.state?.processes.find(
          ({ pids, namespaces }) => pids.at(-1) === 1 && namespaces.pid === member.namespaces.pid,
        ),
      );
      return { inner, member, init };
    };
    const crowded = await start(91);
    process.kill(crowded.init.hostPid, 'SIGKILL');
    const end = await look.exit('the crowded init', ({ key }) => key === crowded.init.key);
    // sleep, unshare and the sleep inside.
    expect(end).toMatchObject({ signal: 9, initOf: crowded.member.namespaces.pid, membersAlive: 3 });
    expect(look.state?.processes.filter(({ namespaces }) => namespaces.pid === end.initOf)).toEqual([]);

    const lonely = await start(92);
    process.kill(lonely.inner.hostPid, 'SIGKILL');
    await look.exit('the one inside', ({ key }) => key === lonely.inner.key);
    process.kill(lonely.init.hostPid, 'SIGSTOP');
    process.kill(lonely.member.hostPid, 'SIGKILL');
    await look.exit('the member', ({ key }) => key === lonely.member.key);
    process.kill(lonely.init.hostPid, 'SIGKILL');
    const alone = await look.exit('the lonely init', ({ key }) => key === lonely.init.key);
    expect(alone).toMatchObject({ signal: 9, membersAlive: 0 });
  });
});

describe('under load', () => {
  it('loses no end of 2 000 short processes', async () => {
    const box = await sandbox();
    const look = new Onlooker(service(), box);
    await look.process('sh');
    box.run('i=0; while [ $i -lt 2000 ]; do (exit 7); i=$((i+1)); done; sleep 99');
    await look.process('sleep 99');
    await look.until('2000 ends', () => look.exits.filter(({ code }) => code === 7).length === 2000);
    expect(new Set(look.exits.map(({ key }) => key)).size).toBe(look.exits.length);
    await look.until('nobody left', () => look.state?.processes.length === 2);
  });
});

describe('those who look', () => {
  it('share one observation, come late to a snapshot, and leave without a trace', async () => {
    const box = await sandbox();
    const from = service();
    const first = new Onlooker(from, box);
    await first.process('sh');
    box.run('sleep 51 &');
    await first.process('sleep 51');
    const second = new Onlooker(from, box, { mounts: true });
    await second.process('sleep 51');
    expect(second.observations[0]).toMatchObject({ kind: 'snapshot', seq: first.state?.seq });
    box.run('sleep 52 &');
    await Promise.all([first.process('sleep 52'), second.process('sleep 52')]);
    expect(second.state?.processes).toEqual(first.state?.processes);
  });

  it('learn which process is the shell of a terminal', async () => {
    const box = await sandbox();
    const terminals = new Map<number, string>();
    const from = service((_, hostPid) => terminals.get(hostPid) ?? null);
    const look = new Onlooker(from, box);
    await look.process('sh', ({ terminal }) => terminal === null);
    terminals.set(box.initPid, 't1');
    from.terminalsChanged(box.id);
    await look.process('sh', ({ terminal }) => terminal === 't1');
  });

  it('are told when the sandbox ends, and refused when it has ended', async () => {
    const box = await sandbox();
    const from = service();
    const look = new Onlooker(from, box);
    await look.process('sh');
    box.run('exit 4');
    await look.over;
    expect(look.exits.at(-1)).toMatchObject({ code: 4, pids: [1], initOf: look.state?.namespaces.pid });
    await expect(new Onlooker(from, box).over).rejects.toThrow(
      'Cannot observe sandbox "anna": its first process has ended. Start it, then look again.',
    );
  });
});
