import { chmodSync, mkdirSync, mkdtempSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { defineConfig } from '@playwright/test';

// The lab as `npm start` starts it, with directories of its own; it shares only the learner's image with other instances.
// Playwright reads this file in each of its processes: the first one chooses, the others find it in the environment.
const directory = (process.env['DRYDOCK_E2E'] ??= mkdtempSync(join(tmpdir(), 'drydock-e2e-')));
const port = process.env['E2E_PORT'] ?? '3199';
const root = join(directory, 'root');
const images = join(process.env['DRYDOCK_ROOT'] ?? '/var/lib/drydock', 'images');
// The learner's ids have to pass through it, as they do through /run/drydock.
chmodSync(directory, 0o711);
mkdirSync(root, { recursive: true });
try {
  symlinkSync(images, join(root, 'images'));
} catch {
  // The first process made it.
}

export default defineConfig({
  testDir: 'e2e',
  outputDir: 'test-results',
  timeout: 120_000, // a hang guard
  expect: { timeout: 20_000 },
  workers: 1, // one learner: the tests build on one sandbox
  use: {
    baseURL: `http://127.0.0.1:${port}`,
    viewport: { width: 1440, height: 900 },
    trace: 'retain-on-failure',
    launchOptions: {
      executablePath: '/usr/bin/chromium',
      args: [
        '--no-sandbox',
        '--disable-gpu',
        '--disable-quic',
        '--no-first-run',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
      ],
    },
  },
  globalTeardown: './e2e/teardown.ts',
  webServer: {
    command: `node apps/setup/start.mjs --port ${port}`,
    url: `http://127.0.0.1:${port}/healthz`,
    timeout: 300_000,
    gracefulShutdown: { signal: 'SIGTERM', timeout: 30_000 },
    stdout: 'pipe',
    env: { DRYDOCK_ROOT: root, DRYDOCK_RUN: join(directory, 'run'), DRYDOCK_E2E: directory },
  },
});
