// podman's test/apiv2, the Docker-compatible half of it: shell scripts that call an engine over TCP with curl. Calls below
// libpod/ are podman's own API: they are no part of the count.
import { readFileSync, readdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { busyboxImage } from '../../engine/src/testing/test-image.ts';
import { listenOnLoopback } from './loopback.ts';
import { runProgram } from './program.ts';
import { olderVersion, type Suite } from './suite.ts';
import { tapResults } from './tap.ts';

/** What the scripts ask for: /v1.44/. */
const SUITE_API = '1.44';
/** Scripts that are about podman's own objects from end to end. */
const FOREIGN = ['15-manifest', '36-quadlets', '40-pods', '80-kube'];
/** Hang guard for one script. */
const SCRIPT_MS = 150_000;
const PROGRAMS = join(import.meta.dirname, 'podman-programs');
const IMAGE = 'quay.io/libpod/testimage:20241011';

export const podmanApi: Suite = {
  id: 'podman-apiv2',
  folder: 'podman',
  source: 'https://github.com/containers/podman (only its test/ is needed)',
  images: () => [
    busyboxImage({ tag: IMAGE, files: { '/home/podman/testimage-id': '20241011\n' } }),
    busyboxImage({
      tag: 'alpine:latest',
      tags: ['quay.io/libpod/alpine:latest', 'docker.io/library/alpine:latest'],
      files: { '/etc/alpine-release': '3.10.9\n' },
    }),
    busyboxImage({ tag: 'busybox:latest', tags: ['quay.io/libpod/busybox:latest'] }),
  ],
  run: async (folder, target, filter, tell) => {
    const scripts = readdirSync(join(folder, 'test/apiv2'))
      .filter((name) => name.endsWith('.at'))
      .map((name) => name.slice(0, -'.at'.length))
      .filter((name) => !FOREIGN.includes(name) && name.includes(filter));
    const speaks = olderVersion(SUITE_API, target.apiVersion);
    for (const script of scripts) {
      await target.load();
      const log = join(target.scratch, `podman-${script}.log`);
      const listener = await listenOnLoopback(target.socket, (line) => line.replace(`/v${SUITE_API}/`, `/v${speaks}/`));
      try {
        // One call a script: what ends one of them does not end the others.
        const { timedOut } = await runProgram(['bash', join(folder, 'test/apiv2/test-apiv2'), script], {
          cwd: target.scratch,
          log,
          timeoutMs: SCRIPT_MS,
          env: {
            ...target.env,
            TMPDIR: target.scratch,
            PATH: [PROGRAMS, target.env['PATH'] ?? ''].join(delimiter),
            PODMAN: join(PROGRAMS, 'podman'),
            PODMAN_SERVICE_PORT: String(listener.port),
            CONTAINERS_HELPER_BINARY_DIR: target.scratch,
          },
        });
        const text = readFileSync(log, 'utf8');
        for (const result of tapResults('podman-apiv2', text)) if (!result.id.includes('libpod/')) tell(result);
        if (timedOut)
          tell({
            suite: 'podman-apiv2',
            file: script,
            id: `[${script}] ends`,
            outcome: 'failed',
            detail: `it ran longer than ${SCRIPT_MS / 1000} s`,
          });
      } finally {
        await listener.close();
      }
    }
  },
};
