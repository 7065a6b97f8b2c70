// What makes a container without a daemon: runc, crun, bwrap, unshare, and the floor. Each is one program that is timed from its
// creation to its reaped end by a C program, so that Node's own share is in none of the figures.
import { execFile, execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { programIn } from '../../conformance/unpacked.ts';
import type { Disk } from '../disk.ts';
import type { Side } from '../interleave.ts';

const run = promisify(execFile);
const NATIVE = join(import.meta.dirname, '../native');
const UNIFIED = '/sys/fs/cgroup/unified';

/** Compiles a C program of the benchmark into the run directory. */
export function compile(disk: Disk, name: string): string {
  const program = join(disk.run, name);
  if (!existsSync(program)) execFileSync('cc', ['-O2', '-Wall', '-o', program, join(NATIVE, `${name}.c`)]);
  return program;
}

/** Those of them that are on this machine, each running `true` in `rootfs`; and the names of those that are not. */
export function bareRuntimes(disk: Disk, rootfs: string, env: NodeJS.ProcessEnv): { sides: Side[]; absent: string[] } {
  const timer = compile(disk, 'time-spawn');
  const floor = compile(disk, 'floor');
  const scratch = join(disk.path, 'floor');
  mkdirSync(scratch, { recursive: true });
  const commands: readonly (readonly [string, string, readonly string[]])[] = [
    ['runc', 'runc', ociCommand('runc', disk, rootfs, env)],
    ['crun', 'crun', ociCommand('crun', disk, rootfs, env)],
    ['bwrap', 'bwrap', bwrapCommand(rootfs)],
    ['unshare', 'unshare', ['unshare', '-m', '-u', '-i', '-n', '-p', '-f', '--root', rootfs, '/bin/true']],
  ];
  const there = commands.filter(([, program]) => programIn(env, program) !== null);
  const sides = there.map(([name, , argv]): Side => {
    // crun refuses a hybrid host that has a controller on v2: it runs where the unified tree is not mounted.
    const without = name === 'crun' && existsSync(UNIFIED) ? ['--without-mount', UNIFIED] : [];
    return { name, sample: async () => Number((await run(timer, [...without, ...argv], { env })).stdout) / 1e6 };
  });
  const bare: Side = {
    name: 'floor',
    sample: async () => Number((await run(floor, [rootfs, scratch, '1', '0'])).stdout) / 1e6,
  };
  return {
    sides: [...sides, bare],
    absent: commands.filter(([, program]) => programIn(env, program) === null).map(([name]) => name),
  };
}

/** An OCI bundle with the runtime's own `spec`, changed only in what it runs. */
function ociCommand(runtime: string, disk: Disk, rootfs: string, env: NodeJS.ProcessEnv): string[] {
  const program = programIn(env, runtime);
  if (program === null) return [];
  const bundle = join(disk.path, `bundle-${runtime}`);
  mkdirSync(bundle, { recursive: true });
  cpSync(rootfs, join(bundle, 'rootfs'), { recursive: true, verbatimSymlinks: true });
  execFileSync(program, ['spec'], { cwd: bundle, env });
  const file = join(bundle, 'config.json');
  const spec = JSON.parse(readFileSync(file, 'utf8')) as { process: { terminal: boolean; args: string[] } };
  writeFileSync(file, JSON.stringify({ ...spec, process: { ...spec.process, terminal: false, args: ['true'] } }));
  return [program, '--root', join(disk.run, runtime), 'run', '--bundle', bundle, `drydock-bench-${process.pid}`];
}

const bwrapCommand = (rootfs: string): string[] => {
  const files = ['--bind', rootfs, '/', '--proc', '/proc', '--dev', '/dev', '--tmpfs', '/tmp'];
  return ['bwrap', ...files, '--unshare-all', '--hostname', 'bench', '--cap-drop', 'ALL', '/bin/true'];
};
