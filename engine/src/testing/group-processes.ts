// For tests of control groups: shell commands that put themselves into a sandbox's or container's groups, and what they print.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { JoinableGroup } from '../model/cgroup-path.ts';
import type { SandboxGroup } from '../kernel/cgroup/sandbox-group.ts';

export class GroupProcesses {
  readonly #children: ChildProcess[] = [];

  /** Runs a shell command in a group, as root or as the learner's root. */
  run(sandbox: SandboxGroup, group: JoinableGroup, command: string, uid = 0): ChildProcess {
    return this.runIn(sandbox.joinFiles(group), command, uid);
  }

  /** The same for a process that joins groups by these files. */
  runIn(files: readonly string[], command: string, uid = 0): ChildProcess {
    const joins = files.map((file) => `echo 0 > ${file}`);
    const drop = uid === 0 ? 'exec sh -c' : `exec setpriv --reuid ${uid} --regid ${uid} --clear-groups sh -c`;
    const child = spawn('sh', ['-ec', `${joins.join('\n')}\n${drop} "$0"`, command]);
    this.#children.push(child);
    return child;
  }

  /** Kills those that still run. */
  end(): void {
    for (const child of this.#children.splice(0)) child.kill('SIGKILL');
  }
}

/** Waits for the end of a command: all that it printed, and how it ended. */
export async function printed(
  child: ChildProcess,
): Promise<{ text: string; code: number | null; signal: string | null }> {
  let text = '';
  const add = (chunk: Buffer) => (text += chunk.toString());
  child.stdout?.on('data', add);
  child.stderr?.on('data', add);
  const [code, signal]: unknown[] = await once(child, 'close');
  return { text, code: typeof code === 'number' ? code : null, signal: typeof signal === 'string' ? signal : null };
}

/** Waits for a command's first output. */
export async function ready(child: ChildProcess): Promise<void> {
  await once(child.stdout ?? child, 'data');
}
