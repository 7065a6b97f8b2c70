// Our engine as users run it: the bundle, not the source tree.
import { join } from 'node:path';
import { TestDaemon } from '../../../engine/src/testing/daemon.ts';
import { ApiClient } from '../api-client.ts';
import type { Disk } from '../disk.ts';
import type { ApiEngine } from './api-engine.ts';

const BUNDLE = join(import.meta.dirname, '../../../build/engine.mjs');

export async function startOurs(disk: Disk): Promise<ApiEngine> {
  const daemon = await TestDaemon.start({
    learners: false,
    parent: disk.path,
    run: join(disk.run, 'ours'),
    main: [BUNDLE, '--log-level', 'error'],
  });
  const client = new ApiClient(daemon.engineSocket);
  return {
    name: 'ours',
    client,
    daemonPid: daemon.pid,
    stop: async () => {
      client.close();
      await daemon.end();
    },
  };
}
