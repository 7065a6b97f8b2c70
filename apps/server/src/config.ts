// What the environment says about this process: address, files, the engine's socket. Reads nothing but the environment.
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { LEASE_POLICY, type LeasePolicy } from './learner/lease-policy.ts';

export interface Config {
  /** The project's root: apps/web and lessons are below it. */
  home: string;
  host: string;
  port: number;
  /** Next's development mode: hot reload, and 'unsafe-eval' in the CSP. */
  development: boolean;
  labSocket: string;
  databaseUrl: string;
  lessons: string;
  /** "B/b2-pid": serves this lesson alone, as its files are at each look. Null: all, as they were at the start. */
  preview: string | null;
  /** Origins that reach the lab besides its own loopback address: a port forward, a proxy with TLS. */
  extraOrigins: string[];
  leasePolicy: LeasePolicy;
}

const LOOPBACK = new Set(['127.0.0.1', '::1', 'localhost']);

/** Reads and checks the environment. Throws an Error with one sentence that says what is wrong and what to set. */
export function readConfig(env: Readonly<Record<string, string | undefined>>, start = import.meta.dirname): Config {
  const home = env['DRYDOCK_HOME'] ?? findHome(start);
  const root = env['DRYDOCK_ROOT'] ?? '/var/lib/drydock';
  const run = env['DRYDOCK_RUN'] ?? '/run/drydock';
  const host = env['HOST'] ?? '127.0.0.1';
  if (!LOOPBACK.has(host))
    throw new Error(
      `Cannot listen on "${host}": without accounts and TLS the lab serves this machine only. Use --host 127.0.0.1 and reach it through a tunnel: ssh -L 3000:127.0.0.1:3000.`,
    );
  const port = Number(env['PORT'] ?? '3000');
  if (!Number.isInteger(port) || port < 0 || port > 65_535)
    throw new Error(`Cannot use PORT "${env['PORT']}": it is a number from 0 (any free port) to 65535.`);
  const databaseUrl = env['DATABASE_URL'] ?? `file:${join(root, 'lab.db')}`;
  if (!databaseUrl.startsWith('file:'))
    throw new Error(
      `Cannot use DATABASE_URL "${databaseUrl}": this version keeps its data in SQLite, as file:/path/lab.db.`,
    );
  return {
    home,
    host,
    port,
    development: env['NODE_ENV'] !== 'production',
    labSocket: env['DRYDOCK_SOCKET'] ? join(dirname(env['DRYDOCK_SOCKET']), 'lab.sock') : join(run, 'lab.sock'),
    databaseUrl,
    lessons: env['DRYDOCK_LESSONS'] ?? join(home, 'lessons'),
    preview: env['DRYDOCK_PREVIEW'] || null,
    leasePolicy: LEASE_POLICY,
    extraOrigins: (env['DRYDOCK_ORIGINS'] ?? '').split(',').filter(Boolean).map(checkedOrigin),
  };
}

/** "HTTPS://Lab.example/" -> "https://lab.example"; anything more than an origin is refused. */
function checkedOrigin(text: string): string {
  const url = URL.canParse(text.trim()) ? new URL(text.trim()) : null;
  if (!url || !/^https?:$/.test(url.protocol) || url.pathname !== '/' || url.search || url.hash || url.username)
    throw new Error(
      `Cannot use DRYDOCK_ORIGINS "${text}": an entry looks like https://lab.example or http://localhost:8080.`,
    );
  return url.origin;
}

/** Upwards from this file (or from build/) to the folder that holds apps/web. */
function findHome(start: string): string {
  for (let directory = start; ; directory = dirname(directory)) {
    if (existsSync(join(directory, 'apps/web'))) return directory;
    if (directory === dirname(directory))
      throw new Error(`Cannot find the web app above "${start}": set DRYDOCK_HOME to the project's root.`);
  }
}
