// The config.json of any container: what runc would be given, before it was ever started and while it runs.
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { OciSpec } from '../model/oci-spec.ts';
import { DockerClient } from '../testing/docker-client.ts';

let docker: DockerClient;
beforeAll(async () => {
  docker = await DockerClient.start();
});
afterAll(() => docker.end());

const configJson = async (name: string): Promise<OciSpec> => {
  const answer = await docker.daemon?.call('GET', `/containers/${name}/config.json`, undefined, docker.socket);
  expect(answer?.status).toBe(200);
  return answer?.body as OciSpec;
};

test('it says what was asked for, and what the engine adds', async () => {
  await docker.ok('create', '--name', 'asked', '-m', '32m', '--hostname', 'deck', '-e', 'A=b', 'busybox', 'sleep', '9');
  const created = await configJson('asked');
  expect(created.ociVersion).toMatch(/^1\./);
  expect(created.process.args).toEqual(['sleep', '9']);
  expect(created.process.env).toContain('A=b');
  expect(created.hostname).toBe('deck');
  expect(created.linux.resources?.memory?.limit).toBe(32 * 2 ** 20);
  expect(created.linux.namespaces.map(({ type }) => type)).toEqual(expect.arrayContaining(['pid', 'mount', 'network']));
  expect(created.linux.maskedPaths).toContain('/proc/kcore');

  await docker.ok('start', 'asked');
  const started = await configJson('asked');
  expect(started.process).toEqual(created.process);
  expect(started.linux.cgroupsPath).toContain(await docker.ok('inspect', '--format', '{{.Id}}', 'asked'));
});
