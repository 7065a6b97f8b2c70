// The units as systemd reads them: Debian's systemd-analyze, unpacked and not installed, finds nothing wrong with them.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync, existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { findProgram } from './host-packages.mjs';
import { buildFolder, instancePaths } from './paths.mjs';
import { unitFacts } from './service.mjs';
import { runTool } from './tool.mjs';
import { engineUnit, engineUnitName, labUnit, labUnitName } from './units.mjs';

const SYSTEMD = join(buildFolder, 'test/systemd');
const scratch = mkdtempSync(join(tmpdir(), 'drydock-units-'));
const facts = unitFacts(
  instancePaths({ DRYDOCK_ROOT: '/srv/a "b" 100%', DRYDOCK_RUN: '/run/other' }),
  { host: '127.0.0.1', port: 3100 },
  { gid: 995 },
);

/** Unpacks it once; with it in the cache apt is not asked. */
async function unpackSystemd(): Promise<void> {
  if (existsSync(SYSTEMD)) return;
  const partial = `${SYSTEMD}.partial`;
  rmSync(partial, { recursive: true, force: true });
  mkdirSync(partial, { recursive: true });
  const download = () =>
    runTool('apt-get', ['download', '-o', 'APT::Sandbox::User=root', 'systemd', 'libsystemd-shared'], { cwd: partial });
  await download().catch(async () => {
    await runTool('apt-get', ['update']);
    await download();
  });
  for (const deb of readdirSync(partial).filter((name) => name.endsWith('.deb')))
    await runTool('dpkg', ['-x', join(partial, deb), partial]);
  renameSync(partial, SYSTEMD);
}

function analyze(...args: string[]): { status: number | null; text: string } {
  const installed = findProgram('systemd-analyze');
  const library = join(SYSTEMD, 'usr/lib', `${process.arch === 'arm64' ? 'aarch64' : 'x86_64'}-linux-gnu/systemd`);
  const env = installed ? process.env : { ...process.env, LD_LIBRARY_PATH: library };
  const { status, stdout, stderr } = spawnSync(installed ?? join(SYSTEMD, 'usr/bin/systemd-analyze'), args, {
    env,
    encoding: 'utf8',
  });
  return { status, text: stdout + stderr };
}

function verify(name: string, unit: string): string[] {
  const file = join(scratch, name);
  writeFileSync(file, unit);
  return analyze('verify', '--man=no', '--recursive-errors=no', file)
    .text.split('\n')
    .filter((line) => line !== '');
}

beforeAll(async () => {
  if (findProgram('systemd-analyze') === null) await unpackSystemd();
});
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

it('finds a directive that it does not know', () => {
  const wrong = engineUnit(facts).replace('KillMode=process', 'KillMood=process');
  expect(verify('wrong.service', wrong).join('\n')).toContain('KillMood');
});

it('has nothing to say of the engine’s unit', () => {
  expect(verify(engineUnitName(facts), engineUnit({ ...facts, engineProfile: 'drydock' }))).toEqual([]);
});

it('misses nothing of the lab’s unit but the program, which is only there in the unit’s own view', () => {
  const name = labUnitName(facts);
  expect(verify(name, labUnit(facts))).toEqual([
    `${name}: Command /opt/node is not executable: No such file or directory`,
  ]);
});

it('counts the lab server’s exposure as small', () => {
  const file = join(scratch, labUnitName(facts));
  writeFileSync(file, labUnit(facts));
  // 10 is a service with every right; 2.0 is the limit we hold ourselves to.
  const { status, text } = analyze('security', '--offline=yes', '--threshold=20', '--no-pager', file);
  expect([status, /Overall exposure level.*: ([\d.]+)/.exec(text)?.[1]]).toEqual([0, expect.stringMatching(/^[01]\./)]);
});
