// docker-py's integration tests, for what an engine on one host does: not the swarm's (services, secrets, configs, nodes), not plugins.
import { existsSync, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { busyboxImage } from '../../engine/src/testing/test-image.ts';
import { runProgram } from './program.ts';
import type { Outcome, TestResult } from './result.ts';
import { olderVersion, type Suite } from './suite.ts';

const FILES = [
  'api_build',
  'api_client',
  'api_container',
  'api_exec',
  'api_healthcheck',
  'api_image',
  'api_network',
  'api_volume',
  'client',
  'errors',
  'models_containers',
  'models_images',
  'models_networks',
  'models_resources',
  'models_volumes',
  'regression',
].map((name) => `tests/integration/${name}_test.py`);
/** What its own Makefile tests with. */
const NEWEST_API = '1.44';
/** Hang guard for one test. */
const TEST_SECONDS = 90;

export const dockerPy: Suite = {
  id: 'docker-py',
  folder: 'docker-py',
  source: 'https://github.com/docker/docker-py at tag 7.1.0',
  images: () => [
    busyboxImage({ tag: 'busybox:latest' }),
    busyboxImage({ tag: 'alpine:latest', tags: ['alpine:3.10'], files: { '/etc/alpine-release': '3.10.9\n' } }),
    busyboxImage({ tag: 'ubuntu:latest', files: { '/etc/os-release': 'ID=ubuntu\n' } }),
    busyboxImage({
      tag: 'hello-world:latest',
      files: { '/hello': '#!/bin/sh\necho "Hello from Docker!"\n' },
      config: { Cmd: ['/hello'] },
    }),
  ],
  run: async (folder, target, filter, tell) => {
    const report = join(target.scratch, 'docker-py.jsonl');
    const named = FILES.filter((file) => file.includes(filter));
    const files = named.length > 0 ? named : [...FILES, '-k', filter];
    const options = ['-p', 'no:cacheprovider', '-p', 'report_plugin', '-q', `--timeout=${TEST_SECONDS}`];
    await runProgram([...target.enter, '/usr/bin/python3', '-m', 'pytest', ...options, ...files], {
      cwd: folder,
      log: join(target.scratch, 'docker-py.log'),
      env: {
        ...target.env,
        // The checkout's docker module, not the distribution's.
        PYTHONPATH: [folder, import.meta.dirname, target.env['PYTHONPATH'] ?? ''].join(delimiter),
        PYTHONDONTWRITEBYTECODE: '1',
        DOCKER_TEST_API_VERSION: olderVersion(NEWEST_API, target.apiVersion),
        DRYDOCK_REPORT: report,
      },
    });
    if (existsSync(report)) for (const result of reported(readFileSync(report, 'utf8'))) tell(result);
  },
};

/** Lines of report_plugin.py. */
function reported(lines: string): TestResult[] {
  return lines
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const { id, outcome, detail } = JSON.parse(line) as { id: string; outcome: Outcome; detail: string };
      const file = id.slice(id.lastIndexOf('/') + 1, id.indexOf('::'));
      return { suite: 'docker-py', file, id, outcome, ...(detail !== '' && { detail }) };
    });
}
