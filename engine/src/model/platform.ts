// "linux/amd64" as Docker's clients write a platform (containerd, platforms). Pure.
import { EngineError } from './engine-error.ts';

const SYSTEMS = ['linux', 'windows', 'darwin', 'freebsd', 'netbsd', 'openbsd', 'solaris', 'aix', 'plan9', 'android'];
const ARCHITECTURES: Readonly<Record<string, string>> = {
  amd64: 'amd64',
  x86_64: 'amd64',
  'x86-64': 'amd64',
  arm64: 'arm64',
  aarch64: 'arm64',
  arm: 'arm',
  armhf: 'arm',
  386: '386',
  i386: '386',
  riscv64: 'riscv64',
  ppc64le: 'ppc64le',
  s390x: 's390x',
  mips64le: 'mips64le',
  loong64: 'loong64',
};

/** Throws invalid_argument in Docker's words. What is not said is the host's. */
export function parsePlatform(
  text: string,
  host: { readonly os: string; readonly architecture: string },
): { os: string; architecture: string } {
  const refuse = (why: string) => new EngineError('invalid_argument', `"${text}": ${why}: invalid argument`);
  const [first = '', second] = text.toLowerCase().split('/');
  if (second === undefined) {
    if (SYSTEMS.includes(first)) return { os: first, architecture: host.architecture };
    const architecture = ARCHITECTURES[first];
    if (architecture === undefined) throw refuse('unknown operating system or architecture');
    return { os: host.os, architecture };
  }
  if (!SYSTEMS.includes(first)) throw refuse(`unknown operating system "${first}"`);
  const architecture = ARCHITECTURES[second];
  if (architecture === undefined) throw refuse(`unknown architecture "${second}"`);
  return { os: first, architecture };
}
