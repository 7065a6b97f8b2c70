import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { nodeVersionProblem } from './node-version.mjs';

it('takes 20.19 and newer, and says what is wrong with older ones', () => {
  for (const version of ['v20.19.0', 'v20.20.2', 'v22.0.0', 'v24.1.0'])
    expect(nodeVersionProblem(version, '/n')).toBeNull();
  for (const version of ['v20.18.1', 'v18.19.0', 'v12.22.12']) {
    expect(nodeVersionProblem(version, '/usr/bin/node')).toMatch(
      `20.19 or newer, and this is ${version} (/usr/bin/node)`,
    );
  }
});

it('can be read by an old Node: the two files it sees first are plain', () => {
  for (const name of ['start.mjs', 'node-version.mjs']) {
    const text = readFileSync(join(import.meta.dirname, name), 'utf8');
    expect(text).not.toMatch(/\?\.|\?\?|\bawait\b|node:|import\.meta\.dirname/);
  }
});

it('ends with the sentence and exit code 1 when Node is too old', () => {
  const script = `Object.defineProperty(process, 'version', { value: 'v18.19.0' }); import(${JSON.stringify(join(import.meta.dirname, 'start.mjs'))});`;
  const { status, stderr, stdout } = spawnSync(process.execPath, ['-e', script], { encoding: 'utf8' });
  expect(stderr).toMatch(/^Drydock needs Node 20\.19 or newer, and this is v18\.19\.0 .*docker-free-setup\.md.*\n$/);
  expect([status, stdout]).toEqual([1, '']);
});
