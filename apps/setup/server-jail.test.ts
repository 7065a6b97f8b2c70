import { expect, it } from 'vitest';
import { instancePaths } from './paths.mjs';
import { engineEnvironment, serverCommand, serverEnvironment } from './server-jail.mjs';

it('hands the server nothing of the caller’s environment but what is meant for it', () => {
  const env = serverEnvironment(
    { host: '127.0.0.1', port: 3000 },
    { AWS_SECRET_ACCESS_KEY: 'x', HOME: '/root', NODE_OPTIONS: '--inspect', LOG_LEVEL: 'info' },
  );
  expect(Object.keys(env).sort()).toEqual([
    'DATABASE_URL',
    'DRYDOCK_HOME',
    'DRYDOCK_LESSONS',
    'DRYDOCK_RUN',
    'DRYDOCK_SOCKET',
    'HOME',
    'HOST',
    'LANG',
    'LOG_LEVEL',
    'NEXT_TELEMETRY_DISABLED',
    'NODE_ENV',
    'PATH',
    'PORT',
  ]);
  expect(env['HOME']).toBe('/var/lib/drydock-lab');
  expect(env['DATABASE_URL']).toBe('file:/var/lib/drydock-lab/lab.db');
  expect(serverEnvironment({ host: '::1', port: 1 }, { DATABASE_URL: 'file:/x.db' })['DATABASE_URL']).toBe(
    'file:/x.db',
  );
});

it('gives each instance its own folders', () => {
  const paths = instancePaths({ DRYDOCK_ROOT: '/srv/two', DRYDOCK_RUN: '/run/two' });
  const { args } = serverCommand(paths, { uid: 999, gid: 995 }, { host: '127.0.0.1', port: 3000 }, {});
  expect(args).toContain('/srv/two-lab');
  expect(args).toContain('/run/two/lab-root');
  expect(engineEnvironment(paths, { gid: 995 })).toMatchObject({
    DRYDOCK_ROOT: '/srv/two',
    DRYDOCK_SOCKET: '/run/two/engine.sock',
    DRYDOCK_LAB_GID: '995',
  });
});
