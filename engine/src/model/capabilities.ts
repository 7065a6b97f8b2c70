// Linux capabilities as data: names, bits, the sets the engine gives, and the structures of capset(2). Pure.

/** In the order of their bits: linux/capability.h. Names as capabilities(7) writes them, without the prefix CAP_. */
export const CAPABILITIES = [
  'CHOWN',
  'DAC_OVERRIDE',
  'DAC_READ_SEARCH',
  'FOWNER',
  'FSETID',
  'KILL',
  'SETGID',
  'SETUID',
  'SETPCAP',
  'LINUX_IMMUTABLE',
  'NET_BIND_SERVICE',
  'NET_BROADCAST',
  'NET_ADMIN',
  'NET_RAW',
  'IPC_LOCK',
  'IPC_OWNER',
  'SYS_MODULE',
  'SYS_RAWIO',
  'SYS_CHROOT',
  'SYS_PTRACE',
  'SYS_PACCT',
  'SYS_ADMIN',
  'SYS_BOOT',
  'SYS_NICE',
  'SYS_RESOURCE',
  'SYS_TIME',
  'SYS_TTY_CONFIG',
  'MKNOD',
  'LEASE',
  'AUDIT_WRITE',
  'AUDIT_CONTROL',
  'SETFCAP',
  'MAC_OVERRIDE',
  'MAC_ADMIN',
  'SYSLOG',
  'WAKE_ALARM',
  'BLOCK_SUSPEND',
  'AUDIT_READ',
  'PERFMON',
  'BPF',
  'CHECKPOINT_RESTORE',
] as const;

export type Capability = (typeof CAPABILITIES)[number];

/** A set of capabilities as the kernel keeps it: bit n stands for CAPABILITIES[n]. */
export type CapabilitySet = bigint;

/** The bit number of a capability: CAP_SYS_ADMIN is 21. */
export function capabilityNumber(capability: Capability): number {
  return CAPABILITIES.indexOf(capability);
}

export function capabilitySet(capabilities: Iterable<Capability>): CapabilitySet {
  let set = 0n;
  for (const capability of capabilities) set |= 1n << BigInt(capabilityNumber(capability));
  return set;
}

/** Every capability this file knows. */
export const FULL_CAPABILITIES: CapabilitySet = capabilitySet(CAPABILITIES);

/** What Docker leaves a container: enough for daemons that bind low ports and change their user, not for the host's affairs. */
export const DOCKER_DEFAULT_CAPABILITIES: CapabilitySet = capabilitySet([
  'CHOWN',
  'DAC_OVERRIDE',
  'FSETID',
  'FOWNER',
  'MKNOD',
  'NET_RAW',
  'SETGID',
  'SETUID',
  'SETFCAP',
  'SETPCAP',
  'NET_BIND_SERVICE',
  'SYS_CHROOT',
  'KILL',
  'AUDIT_WRITE',
]);

/** Names in a set, by bit. Bits that this file has no name for are left out. */
export function capabilityNames(set: CapabilitySet): Capability[] {
  return CAPABILITIES.filter((_, number) => (set >> BigInt(number)) & 1n);
}

/** A name as people write it (`NET_ADMIN`, `cap_net_admin`), or null when there is no such capability. */
export function parseCapability(text: string): Capability | null {
  const name = text.toUpperCase().replace(/^CAP_/, '');
  return CAPABILITIES.find((capability) => capability === name) ?? null;
}

/** A set as /proc/PID/status prints it (CapEff: 000001fffeffffff), or null when that is not 16 hexadecimal digits. */
export function parseCapabilitySet(text: string): CapabilitySet | null {
  return /^[0-9a-f]{16}$/i.test(text) ? BigInt(`0x${text}`) : null;
}

/** _LINUX_CAPABILITY_VERSION_3: 64 bits, as two 32-bit words each. */
const VERSION_3 = 0x2008_0522;

/** `struct __user_cap_header_struct` of capset(2) for the calling thread (pid 0). */
export function capsetHeader(): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setUint32(0, VERSION_3, true);
  return bytes;
}

/** The two `struct __user_cap_data_struct` of capset(2): {effective, permitted, inheritable} for bits 0–31, then for 32–63. */
export function capsetData(sets: {
  effective: CapabilitySet;
  permitted: CapabilitySet;
  inheritable: CapabilitySet;
}): Uint8Array {
  const bytes = new Uint8Array(24);
  const view = new DataView(bytes.buffer);
  [sets.effective, sets.permitted, sets.inheritable].forEach((set, index) => {
    view.setUint32(index * 4, Number(set & 0xffff_ffffn), true);
    view.setUint32(12 + index * 4, Number(set >> 32n), true);
  });
  return bytes;
}
