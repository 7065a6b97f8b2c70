// A network namespace for one test, known only by a descriptor: it is gone when the test has closed it. Runs Debian's own
// tools in it, to compare with; the engine itself never starts a process for the network.
import { execFileSync, spawn, spawnSync, type ChildProcess } from 'node:child_process';
import type { ZodType } from 'zod';
import { closeDescriptor, freshNetns } from '../kernel/netlink/netns.ts';

export class TestNamespace {
  readonly fd = freshNetns();
  readonly #children: ChildProcess[] = [];

  /** Path that another process can open. */
  get path(): string {
    return `/proc/${process.pid}/fd/${this.fd}`;
  }

  /** Standard output; throws with standard error where the command fails. */
  run(...command: string[]): string {
    return execFileSync('nsenter', [`--net=${this.path}`, ...command], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: 30_000,
    });
  }

  /** Whether the command succeeds. */
  succeeds(...command: string[]): boolean {
    return spawnSync('nsenter', [`--net=${this.path}`, ...command], { stdio: 'ignore', timeout: 30_000 }).status === 0;
  }

  /** What the command prints as JSON, checked against the schema; nothing printed is an empty list. */
  json<T>(schema: ZodType<T>, ...command: string[]): T {
    const text = this.run(...command);
    return schema.parse(JSON.parse(text === '' ? '[]' : text));
  }

  /** Starts a command that goes on until the test ends; resolves when it printed its first line. */
  async start(...command: string[]): Promise<ChildProcess> {
    const child = spawn('nsenter', [`--net=${this.path}`, ...command], { stdio: ['ignore', 'pipe', 'inherit'] });
    this.#children.push(child);
    await new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('exit', (code) => reject(new Error(`${command.join(' ')} ended with ${code}`)));
      child.stdout.once('data', resolve);
    });
    return child;
  }

  close(): void {
    for (const child of this.#children) child.kill('SIGKILL');
    closeDescriptor(this.fd);
  }
}
