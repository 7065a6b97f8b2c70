// Whatever step of a start or an exec fails, nothing of it is left: no process, no mount, no keeper, no directory.
import { closeSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { linux } from '../kernel/linux.ts';
import { pidfdOpen } from '../kernel/pidfd.ts';
import { CGROUPS, keepersIn, type NativeWorld, nativeWorld, testSpec } from '../testing/native-world.ts';
import type { Launchable } from './driver.ts';
import { execPlan } from './exec-plan.ts';
import { NativeDriver } from './native.ts';

const HANG_GUARD_MS = 300_000;
const driver = new NativeDriver({ kernel: linux, host: { cgroups: CGROUPS, mayMakeNodes: true } });
let world: NativeWorld;
beforeAll(() => {
  world = nativeWorld();
});
afterAll(() => world.remove());

/** Keepers that this process has started and that still run. */
function keepers(): string[] {
  return readFileSync(`/proc/self/task/${process.pid}/children`, 'utf8')
    .split(' ')
    .filter((pid) => pid !== '' && readFileSync(`/proc/${pid}/comm`, 'utf8') === 'drydock-keeper\n');
}

function expectNothingLeft({ group }: Launchable, place: unknown, running: { keepers: number; members: number }): void {
  const where = JSON.stringify(place);
  expect(keepers().length, where).toBe(running.keepers);
  expect(keepersIn(world).length, where).toBe(running.keepers);
  expect(group.members().length, where).toBe(running.members);
  expect(readFileSync('/proc/self/mountinfo', 'utf8'), where).not.toContain(world.directory);
}

test.each([
  ['on pipes', {}],
  ['on a terminal, with an init', { process: { terminal: true }, init: true }],
])(
  'an error at any step of a container %s',
  async (_, change) => {
    const container = world.launchable(['sleep', '1000'], change);
    const { kept, report } = await driver.launch(container);
    await kept.signal(9);
    await kept.exit;
    kept.dispose();
    expectNothingLeft(container, 'before', { keepers: 0, members: 0 });
    // Those that were reached: what stands behind the successful execve never is.
    const places = report.steps.filter(({ state }) => state !== 'not reached');
    expect(places.length).toBeGreaterThan(120);
    const passed: string[] = [];
    for (const { block, index, call } of places) {
      const inject = [{ block, index, errno: 'EIO' }];
      const started = await driver.launch(container, { inject }).catch((error: unknown) => error);
      if (!(started instanceof Error)) throw new Error(`${block} ${index} ${call} passed: ${passed.join()}`);
      expect((started.cause as { step: object }).step).toMatchObject({ block, index, errno: 'EIO' });
      expectNothingLeft(container, { block, index, call }, { keepers: 0, members: 0 });
    }
    expect(readdirSync(join(world.directory, 'ground'))).toEqual([]);
  },
  HANG_GUARD_MS,
);

test(
  'an error at any step of an exec',
  async () => {
    const container = world.launchable(['sleep', '1000']);
    const { kept } = await driver.launch(container);
    const init = pidfdOpen(kept.pid);
    try {
      const { process } = testSpec('/', ['true'], { process: { terminal: true } });
      const joined = container.group.cgroupDirectory();
      const join_ = container.group.joinFiles().filter((file) => joined === null || !file.startsWith(joined));
      const group = { join: join_, keeperJoin: container.group.keeperJoinFiles(), directory: joined };
      const plan = execPlan({ process, group, openStdin: false, seccomp: null });
      const directory = join(world.directory, 'keepers', 'exec');
      const launch = (inject: { block: string; index: number; errno: string }[]) =>
        linux.launch(plan, { directory, descriptors: { init }, inject });
      const whole = await launch([]);
      await whole.kept.exit;
      whole.kept.dispose();
      const places = whole.report.steps.filter(({ state }) => state !== 'not reached');
      expect(places.length).toBeGreaterThan(50);
      for (const { block, index } of places) {
        await expect(launch([{ block, index, errno: 'EIO' }])).rejects.toMatchObject({ errno: 'EIO' });
        expectNothingLeft(container, { block, index }, { keepers: 1, members: 1 });
      }
    } finally {
      closeSync(init);
      await kept.signal(9);
      await kept.exit;
      kept.dispose();
    }
  },
  HANG_GUARD_MS,
);
