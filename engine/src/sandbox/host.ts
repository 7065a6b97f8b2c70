// What all sandboxes of one daemon share: where things lie, and who makes the kernel objects. Types, and where paths are.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Logger } from 'pino';
import { z } from 'zod';
import { readIfThere } from '../kernel/atomic-file.ts';
import type { CgroupDriver } from '../kernel/cgroup/sandbox-group.ts';
import type { Kernel } from '../kernel/kernel.ts';
import { EngineError } from '../model/engine-error.ts';
import type { Rlimit } from '../model/rlimits.ts';
import type { Slots } from './slots.ts';

/** What the sandbox code asks of the network: one cable for each slot. */
export interface Network {
  attach(end: { slot: number; pid: number }): Promise<unknown>;
  detach(slot: number): Promise<void>;
}

export interface SandboxHost {
  readonly root: string;
  readonly run: string;
  readonly kernel: Kernel;
  readonly cgroups: CgroupDriver;
  readonly network: Network;
  readonly slots: Slots;
  readonly seccomp: Uint8Array;
  readonly rlimits: readonly Rlimit[];
  readonly log: Logger;
}

const imageSchema = z.object({ rootfs: z.string() });

/** Root file system of the learner's image, as the set-up noted it. Throws unavailable when there is none. */
export function imageRootfs(root: string): string {
  const text = readIfThere(join(root, 'images', 'learner.json'));
  const image = text === null ? null : imageSchema.safeParse(JSON.parse(text));
  if (!image?.success)
    throw new EngineError(
      'unavailable',
      `Cannot start a sandbox: there is no learner's image under "${root}/images"; \`npm start\` builds it`,
    );
  return image.data.rootfs;
}

/** Directory of the keeper of a sandbox's init, or of one of its terminals or programs. */
export function keeperDirectory(host: Pick<SandboxHost, 'run'>, sandbox: string, part?: string): string {
  const directory = join(host.run, 'keepers');
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  return join(directory, part === undefined ? sandbox : `${sandbox}.${part}`);
}

/** An empty directory: sandboxes are built on it, each in a mount namespace of its own. */
export function groundDirectory(host: Pick<SandboxHost, 'run'>): string {
  const directory = join(host.run, 'ground');
  mkdirSync(directory, { recursive: true, mode: 0o755 });
  return directory;
}
