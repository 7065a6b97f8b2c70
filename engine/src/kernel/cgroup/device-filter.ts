// Bounds the devices of a v2 group by an eBPF program (bpf(2), BPF_PROG_TYPE_CGROUP_DEVICE). The programs themselves are made
// by model/device-program.ts; v1 has files for it.
import { closeSync, constants, openSync, readFileSync } from 'node:fs';
import { deviceProgram } from '../../model/device-program.ts';
import { deviceList } from '../../model/device-rules.ts';
import { EBPF_BYTES, encodeEbpf } from '../../model/ebpf.ts';
import { EngineError } from '../../model/engine-error.ts';
import type { OciDeviceRule } from '../../model/oci-spec.ts';
import { SYSCALL_TABLE } from '../../model/syscall-table.ts';
import { addressOf, bind, lastErrno } from '../libc.ts';
import { architecture } from '../running-plan.ts';

const bpf = bind('long syscall(long number, int command, void *attributes, unsigned int size)');
const SYS_BPF = SYSCALL_TABLE[architecture].bpf ?? -1;

// linux/bpf.h: enum bpf_cmd, bpf_prog_type, bpf_attach_type, and the flag.
const BPF_PROG_LOAD = 5;
const BPF_PROG_ATTACH = 8;
const BPF_PROG_TYPE_CGROUP_DEVICE = 15;
const BPF_CGROUP_DEVICE = 6;
const BPF_F_ALLOW_MULTI = 2;

/** The part of `union bpf_attr` that is set here; the kernel takes what is beyond `size` for zeros. */
const LOAD_BYTES = 64;
const ATTACH_BYTES = 20;

/** No helper that asks for a licence is called. */
const LICENCE = Buffer.alloc(4, 'MIT\0');
const NAME = 'drydock_devices';

/**
 * Programs that are loaded, by what they were made from: containers with the same rules share one, since verifying and
 * compiling it takes the kernel longer than all the rest (some 150 µs). A group keeps its program when it is closed here.
 */
const loaded = new Map<string, number>();
const MOST_LOADED = 16;

/**
 * Attaches the program for these rules to a group; processes in it and below are bounded from then on, by the programs of the
 * groups above too. Nothing is attached for rules that allow all, nor inside a user namespace: there the kernel lets nobody
 * attach one. Throws `unavailable` when the kernel refuses it: a container must not run unbounded.
 */
export function boundDevices(directory: string, rules: readonly OciDeviceRule[]): void {
  if (rules.length === 0) return;
  const list = deviceList(rules);
  if ((list.allowed && list.exceptions.length === 0) || inUserNamespace()) return;
  const program = loadedFor(JSON.stringify(list), () => encodeEbpf(deviceProgram(list)));
  const group = openSync(directory, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    const attributes = Buffer.alloc(ATTACH_BYTES);
    attributes.writeUInt32LE(group, 0);
    attributes.writeUInt32LE(program, 4);
    attributes.writeUInt32LE(BPF_CGROUP_DEVICE, 8);
    // Groups below may get programs of their own (a container's engine): all of them must say yes then.
    attributes.writeUInt32LE(BPF_F_ALLOW_MULTI, 12);
    if (bpf(SYS_BPF, BPF_PROG_ATTACH, attributes, ATTACH_BYTES) < 0) throw refused('attached', lastErrno(), directory);
  } finally {
    closeSync(group);
  }
}

function loadedFor(key: string, encode: () => Uint8Array): number {
  const known = loaded.get(key);
  if (known !== undefined) {
    // Last again: the first is closed when there are too many.
    loaded.delete(key);
    loaded.set(key, known);
    return known;
  }
  const fd = load(encode());
  loaded.set(key, fd);
  for (const [old, oldFd] of loaded) {
    if (loaded.size <= MOST_LOADED) break;
    loaded.delete(old);
    closeSync(oldFd);
  }
  return fd;
}

function load(program: Uint8Array): number {
  const instructions = Buffer.alloc(program.length);
  instructions.set(program);
  const attributes = Buffer.alloc(LOAD_BYTES);
  attributes.writeUInt32LE(BPF_PROG_TYPE_CGROUP_DEVICE, 0);
  attributes.writeUInt32LE(program.length / EBPF_BYTES, 4);
  attributes.writeBigUInt64LE(addressOf(instructions), 8);
  attributes.writeBigUInt64LE(addressOf(LICENCE), 16);
  attributes.write(NAME, 48, 'latin1');
  for (let tries = 0; ; tries += 1) {
    const fd = bpf(SYS_BPF, BPF_PROG_LOAD, attributes, LOAD_BYTES);
    if (fd >= 0) return fd;
    const errno = lastErrno();
    // A signal that came while the verifier ran (kernel 4.20).
    if (errno !== 'EAGAIN' || tries === 10) throw refused('loaded', errno, NAME);
  }
}

const WHY: Readonly<Record<string, string>> = {
  EPERM: 'it takes CAP_BPF or CAP_SYS_ADMIN of the host, and on kernels before 5.11 a larger limit of locked memory',
  EINVAL: 'it was built without CONFIG_CGROUP_BPF, or a program that allows no other is attached above',
  ENOSYS: 'it was built without CONFIG_BPF_SYSCALL',
  E2BIG: 'there are 64 programs on the group already',
};

function refused(what: 'loaded' | 'attached', errno: string, target: string): EngineError {
  return new EngineError(
    'unavailable',
    `Cannot bound devices on cgroup v2: the program was not ${what} (${target}: ${errno}): ${WHY[errno] ?? 'the kernel refused it'}. Without it a container could open every device; --privileged asks for that.`,
  );
}

/**
 * Whether devices are bounded from outside: in a user namespace none can be made, and those that are there were given by the
 * host. user_namespaces(7): the first one has all ids, each as itself.
 */
export function inUserNamespace(): boolean {
  return readFileSync('/proc/self/uid_map', 'utf8').trim().split(/\s+/).join(' ') !== '0 0 4294967295';
}
