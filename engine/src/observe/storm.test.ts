// Snapshot and patches must leave the state that a fresh look gives, whatever happened in between.
import { describe, expect, it } from 'vitest';
import { ALL, Scene } from '../testing/fake-observation.ts';
import { random } from '../testing/random.ts';
import { Observatory } from './observatory.ts';
import type { Start } from './tracker.ts';

describe('a random storm', () => {
  function storm(seed: number, lossy: boolean): Scene {
    const scene = new Scene();
    const { machine } = scene;
    const next = random(seed);
    const pick = <T>(from: readonly T[]): T | undefined => from[Math.floor(next() * from.length)];
    const inSandbox = () => [...machine.processes.values()].filter(({ cgroup }) => cgroup.includes('/anna/inner'));
    // Now and then a process goes in the middle of being read.
    machine.beforeRead = (process) => {
      if (process.state !== 'S' || process.nspid.at(-1) === 1 || !process.cgroup.includes('/anna/inner')) return;
      if (next() > 0.002) return;
      machine.exit(process, 1);
      if (next() < 0.8) machine.reap(process);
    };
    for (let step = 0; step < 1500; step++) {
      const living = inSandbox().filter(({ state }) => state === 'S');
      const one = pick(living) ?? scene.init;
      const dice = next();
      if (dice < 0.35 && living.length < 60) machine.fork(one);
      else if (dice < 0.5) machine.exec(one, `program-${step}`);
      else if (dice < 0.7 && one !== scene.init) machine.exit(one, next() < 0.5 ? Math.floor(next() * 5) : null, 9);
      else if (dice < 0.85) {
        const zombie = pick(inSandbox().filter(({ state }) => state === 'Z'));
        if (zombie) machine.reap(zombie);
      } else if (dice < 0.9 && one !== scene.init) {
        const type = pick(['pid', 'mnt', 'uts', 'net'] as const) ?? 'uts';
        // Of more mount namespaces than that the tables are not all told.
        if (type !== 'mnt' || new Set(inSandbox().map(({ namespaces }) => namespaces.mnt)).size < 12)
          machine.unshare(one, type);
      } else if (dice < 0.93) machine.mount(one, `/mnt/${step}`);
      else if (dice < 0.95) one.cgroup = `/drydock-x/anna/inner${next() < 0.5 ? '' : '/shell'}`;
      else if (dice < 0.97) machine.hostnames.set(scene.init.namespaces.uts, `host-${step}`);
      else scene.pass(Math.floor(next() * 60), () => lossy && next() < 0.2);
      if (dice >= 0.95 && dice < 0.97) scene.init.turns++;
    }
    machine.beforeRead = () => {};
    // A last sweep finds what had no event and no turn.
    scene.pass(6500);
    return scene;
  }
  /** What stays of a zombie when it is met late: not its namespaces. */
  const comparable = (start: Start) =>
    start.processes
      .map((process) =>
        process.state === 'Z'
          ? { key: process.key, state: process.state, pids: process.pids, parentKey: process.parentKey }
          : // Each observation reads the clocks anew.
            { ...process, startedAtMs: 0 },
      )
      .toSorted((a, b) => (a.key < b.key ? -1 : 1));

  for (const lossy of [false, true])
    it(`leaves the state that a fresh look gives, and tells of every end once${lossy ? ', though events are lost' : ''}`, () => {
      for (const seed of [1, 2, 3, 4, 5, 6, 7, 8]) {
        const scene = storm(seed, lossy);
        const other = new Observatory(scene.machine, 'x', true, { change: () => {}, ended: () => {} });
        const start = other.start('anna', scene.init.pid, ALL, scene.machine.nowMs);
        expect({ seed, processes: comparable(scene.state), hostname: scene.state.hostname }).toEqual({
          seed,
          processes: comparable(start),
          hostname: start.hostname,
        });
        expect(JSON.parse(JSON.stringify(scene.state))).toEqual(scene.state);
        const ended = scene.machine.ended.map(({ key }) => Number.parseInt(key));
        // By pid: the start time of one that nobody could read is a guess. Here no pid comes twice.
        const told = scene.exits.map(({ key }) => Number.parseInt(key));
        expect([seed, new Set(told).size]).toEqual([seed, told.length]);
        if (!lossy) expect([seed, new Set(told)]).toEqual([seed, new Set(ended)]);
      }
    });
});
