// Facts of the daemon and its host, for /version and /info.
import { readdirSync, readFileSync } from 'node:fs';
import { arch, cpus, hostname, machine, release, totalmem } from 'node:os';
import { join } from 'node:path';
import type { SystemBackend, SystemInfo } from './api/docker/backend.ts';
import { type LimitFacts, limitWarnings } from './model/limit-facts.ts';
import { readIfThere, writeAtomically } from './kernel/atomic-file.ts';

/** Values put in by the bundler (apps/setup/build.mjs); from sources they say so. */
declare const __DRYDOCK_VERSION__: string | undefined;
declare const __DRYDOCK_COMMIT__: string | undefined;
declare const __DRYDOCK_BUILT_AT__: string | undefined;

export const VERSION = typeof __DRYDOCK_VERSION__ === 'string' ? __DRYDOCK_VERSION__ : '0.1.0';

const GO_ARCH: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'arm64' };
/** As images and Docker's clients name this machine's architecture. */
export const goArchitecture = GO_ARCH[process.arch] ?? process.arch;

/** os-release(5): NAME="value" lines. Pure. */
export function parseOsRelease(text: string): Record<string, string> {
  const pairs = text.matchAll(/^([A-Z_]+)=(?:"([^"\n]*)"|(.*))$/gm);
  return Object.fromEntries([...pairs].map(([, name, quoted, bare]) => [name, quoted ?? bare ?? '']));
}

/** An id of this daemon that stays the same for its root directory. */
function daemonId(root: string): string {
  const file = join(root, 'engine-id');
  const known = readIfThere(file);
  if (known) return known;
  const fresh = crypto.randomUUID();
  writeAtomically(file, fresh);
  return fresh;
}

/** What changes while the daemon runs. */
export type DockerCounts = () => Pick<
  SystemInfo,
  'containers' | 'images' | 'storage' | 'runtimes' | 'defaultRuntime' | 'eventListeners'
>;

export function systemBackend(options: {
  root: string;
  cgroupVersion: '1' | '2';
  limits: () => LimitFacts;
  counts: DockerCounts;
}): SystemBackend {
  const id = daemonId(options.root);
  return {
    facts: () => ({
      version: VERSION,
      gitCommit: typeof __DRYDOCK_COMMIT__ === 'string' ? __DRYDOCK_COMMIT__ : 'source',
      buildTime: typeof __DRYDOCK_BUILT_AT__ === 'string' ? __DRYDOCK_BUILT_AT__ : 'source',
      os: 'linux',
      arch: GO_ARCH[arch()] ?? arch(),
      kernelVersion: release(),
      nodeVersion: process.version.slice(1),
    }),
    info: async () => {
      const osRelease = parseOsRelease(readIfThere('/etc/os-release') ?? '');
      const limits = options.limits();
      return {
        ...options.counts(),
        id,
        name: hostname(),
        rootDirectory: options.root,
        operatingSystem: osRelease['PRETTY_NAME'] ?? 'Linux',
        osVersion: osRelease['VERSION_ID'] ?? '',
        machine: machine(),
        cpus: cpus().length,
        memoryBytes: totalmem(),
        cgroupVersion: options.cgroupVersion,
        limits,
        openDescriptors: readdirSync('/proc/self/fd').length,
        warnings: limitWarnings(limits, options.cgroupVersion),
      };
    },
  };
}

/** Memory that could be given out without swapping: MemAvailable of proc_meminfo(5), in bytes. */
export function memoryFree(): number {
  const line = /^MemAvailable:\s+(\d+) kB$/m.exec(readFileSync('/proc/meminfo', 'utf8'));
  return Number(line?.[1] ?? 0) * 1024;
}
