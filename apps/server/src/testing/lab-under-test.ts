// For tests: the lab server with a scripted engine, a database of its own and a page that is only a CSRF token.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { CSRF_HEADER } from '@drydock/protocol/session.ts';
import { readConfig, type Config } from '../config.ts';
import type { WebApp } from '../http/web-app.ts';
import { startLab, type Lab } from '../lab.ts';
import type { LeasePolicy } from '../learner/lease-policy.ts';
import { LabClient, visit, type Browser } from './lab-client.ts';
import { ScriptedEngine } from './scripted-engine.ts';

const plainPages: WebApp = {
  render: async (request, response) => {
    response.setHeader('Content-Type', 'text/html');
    response.end(`<meta name="drydock-csrf" content="${String(request.headers[CSRF_HEADER])}">`);
  },
  upgrade: (_request, socket) => void socket.destroy(),
  close: () => Promise.resolve(),
};

export class LabUnderTest {
  readonly directory = mkdtempSync(join(tmpdir(), 'drydock-lab-'));
  readonly engine = new ScriptedEngine(join(this.directory, 'lab.sock'));
  readonly config: Config;
  #lab: Lab | null = null;
  #clients: LabClient[] = [];

  constructor(env: Record<string, string> = {}, policy?: LeasePolicy) {
    const config = readConfig({
      PORT: '0',
      DRYDOCK_RUN: this.directory,
      DATABASE_URL: `file:${join(this.directory, 'lab.db')}`,
      ...env,
    });
    this.config = policy ? { ...config, leasePolicy: policy } : config;
  }

  get address(): string {
    if (!this.#lab) throw new Error('the lab is not started');
    return this.#lab.address;
  }

  async start(): Promise<void> {
    this.#lab = await startLab(this.config, pino({ level: 'silent' }), async () => plainPages);
    // A restarted lab is found where it was.
    this.config.port = Number(new URL(this.address).port);
  }

  async stop(): Promise<void> {
    for (const client of this.#clients.splice(0)) client.close();
    await this.#lab?.close();
    this.#lab = null;
  }

  visit(language = 'en'): Promise<Browser> {
    return visit(this.address, language);
  }

  async connect(browser?: Browser): Promise<LabClient> {
    const client = await LabClient.connect(browser ?? (await this.visit()));
    this.#clients.push(client);
    return client;
  }

  async end(): Promise<void> {
    await this.stop();
    await this.engine.die();
    rmSync(this.directory, { recursive: true, force: true });
  }
}
