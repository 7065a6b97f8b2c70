import { describe, expect, it } from 'vitest';
import { readConfig } from './config.ts';

describe('the configuration', () => {
  it('has the contract’s defaults', () => {
    const config = readConfig({});
    expect(config).toMatchObject({
      host: '127.0.0.1',
      port: 3000,
      labSocket: '/run/drydock/lab.sock',
      databaseUrl: 'file:/var/lib/drydock/lab.db',
      development: true,
    });
    expect(config.lessons).toBe(`${config.home}/lessons`);
  });

  it('finds lab.sock in DRYDOCK_RUN, or beside DRYDOCK_SOCKET', () => {
    expect(readConfig({ DRYDOCK_RUN: '/tmp/x' }).labSocket).toBe('/tmp/x/lab.sock');
    expect(readConfig({ DRYDOCK_RUN: '/tmp/x', DRYDOCK_SOCKET: '/tmp/y/engine.sock' }).labSocket).toBe(
      '/tmp/y/lab.sock',
    );
  });

  it.each(['0.0.0.0', '::', '192.168.1.2', 'lab.example'])('refuses to serve the network on %s', (HOST) => {
    expect(() => readConfig({ HOST })).toThrow(/without accounts and TLS.*127\.0\.0\.1/);
  });

  it.each([
    [{ PORT: '99999' }, /PORT "99999"/],
    [{ PORT: 'http' }, /PORT "http"/],
    [{ DATABASE_URL: 'postgresql://x' }, /keeps its data in SQLite/],
    [{ DRYDOCK_ORIGINS: 'lab.example' }, /DRYDOCK_ORIGINS "lab\.example"/],
    [{ DRYDOCK_ORIGINS: 'https://lab.example/path' }, /looks like/],
  ])('refuses %o', (env, sentence) => expect(() => readConfig(env)).toThrow(sentence));

  it('takes origins as browsers write them', () => {
    expect(readConfig({ DRYDOCK_ORIGINS: 'HTTPS://Lab.example,http://localhost:8080/' }).extraOrigins).toEqual([
      'https://lab.example',
      'http://localhost:8080',
    ]);
  });
});
