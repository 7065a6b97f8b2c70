// The threads must also start from the bundle, where each is a file of its own: bundled here as the set-up does it.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { describe, expect, it } from 'vitest';

const project = new URL('../../../', import.meta.url).pathname;

describe('startWorker', () => {
  it('finds x.worker.mjs beside the bundle', async () => {
    // Below the project, for koffi is found from there.
    mkdirSync(join(project, 'build'), { recursive: true });
    const folder = mkdtempSync(join(project, 'build', 'worker-test-'));
    try {
      const entry = join(folder, 'entry.ts');
      writeFileSync(
        entry,
        `import { createPoller } from '../../engine/src/kernel/poller.ts';
         import { eventfd, signalEventfd } from '../../engine/src/kernel/epoll.ts';
         const fd = eventfd();
         const poller = createPoller();
         const watched = poller.watch(fd, async () => { watched.stop(); await poller.close(); console.log('ready'); });
         signalEventfd(fd);`,
      );
      await build({
        entryPoints: [
          { in: entry, out: 'engine' },
          { in: join(project, 'engine/src/kernel/poller.worker.ts'), out: 'poller.worker' },
        ],
        outdir: folder,
        outExtension: { '.js': '.mjs' },
        bundle: true,
        platform: 'node',
        format: 'esm',
        external: ['koffi'],
        logLevel: 'silent',
      });
      const ran = spawnSync(process.execPath, [join(folder, 'engine.mjs')], { encoding: 'utf8', timeout: 20_000 });
      expect([ran.stdout.trim(), ran.stderr, ran.status]).toEqual(['ready', '', 0]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
