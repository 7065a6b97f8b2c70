// Who a container's process is and what it may do: limits, capabilities, ids, seccomp, as steps in the one order that works. Pure.
import { setSeccomp } from '../launch/steps.ts';
import {
  CAPABILITIES,
  type Capability,
  capabilityNumber,
  capabilitySet,
  capsetData,
  capsetHeader,
  parseCapability,
} from '../model/capabilities.ts';
import { EngineError } from '../model/engine-error.ts';
import { call, type Step } from '../model/launch-plan.ts';
import type { OciProcess } from '../model/oci-spec.ts';
import { RLIM_INFINITY, RLIMIT, rlimitBytes, type RlimitName } from '../model/rlimits.ts';

const PR_SET_KEEPCAPS = 8;
const PR_CAPBSET_DROP = 24;
const PR_SET_NO_NEW_PRIVS = 38;
const PR_CAP_AMBIENT = 47;
const PR_CAP_AMBIENT_RAISE = 2;
const DEFAULT_UMASK = 0o022;

export function rlimitSteps(rlimits: OciProcess['rlimits'] = []): Step[] {
  return rlimits.map(({ type, soft, hard }) => {
    const name = type.replace('RLIMIT_', '').toLowerCase() as RlimitName;
    if (RLIMIT[name] === undefined) throw new EngineError('invalid_argument', `invalid rlimit type: ${type}`);
    const limit = { name, soft: limitValue(soft), hard: limitValue(hard) };
    return call('prlimit64', [0, RLIMIT[name], { bytes: rlimitBytes(limit) }, null], {
      purpose: `error setting rlimit type ${RLIMIT[name]}`,
    });
  });
}

/** -1 is no limit; so is whatever a double can't tell from 2^64 - 1. */
const limitValue = (value: number): bigint => (value < 0 || value >= 2 ** 63 ? RLIM_INFINITY : BigInt(value));

/**
 * The order: a filter is installed with CAP_SYS_ADMIN, so before capabilities go; unless no_new_privs allows it to anybody,
 * then it comes last and need not allow what is done here (seccomp(2)). The bounding set is cut with CAP_SETPCAP. A change
 * of uid away from 0 drops what is permitted (capabilities(7)), unless PR_SET_KEEPCAPS says that it is still to be sorted.
 */
export function identitySteps(process: OciProcess, seccomp: Uint8Array | null): Step[] {
  const { user, capabilities, noNewPrivileges = false } = process;
  const filter = seccomp === null ? [] : setSeccomp(seccomp);
  const groups = user.additionalGids ?? [];
  return [
    ...(noNewPrivileges ? [call('prctl', [PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0])] : filter),
    ...dropFromBounding(capabilities?.bounding ?? []),
    call('prctl', [PR_SET_KEEPCAPS, 1]),
    call('setgroups', [groups.length, groups.length === 0 ? null : { bytes: words(groups) }]),
    call('setresgid', [user.gid, user.gid, user.gid]),
    call('setresuid', [user.uid, user.uid, user.uid]),
    call('prctl', [PR_SET_KEEPCAPS, 0]),
    ...setCapabilities(process),
    call('umask', [user.umask ?? DEFAULT_UMASK]),
    ...(noNewPrivileges ? filter : []),
  ];
}

function words(values: readonly number[]): Uint8Array {
  return new Uint8Array(Uint32Array.from(values).buffer);
}

const parsed = (names: readonly string[]): Capability[] => names.map(parseCapability).filter((name) => name !== null);

function dropFromBounding(kept: readonly string[]): Step[] {
  const keeps = new Set(parsed(kept));
  return CAPABILITIES.filter((name) => !keeps.has(name)).map((name) =>
    // EINVAL: a capability younger than this kernel.
    call('prctl', [PR_CAPBSET_DROP, capabilityNumber(name), 0, 0, 0], { mayFail: ['EINVAL'] }),
  );
}

function setCapabilities({ capabilities }: OciProcess): Step[] {
  const set = (names: readonly string[] = []) => capabilitySet(parsed(names));
  const sets = {
    effective: set(capabilities?.effective),
    permitted: set(capabilities?.permitted),
    inheritable: set(capabilities?.inheritable),
  };
  const ambient = parsed(capabilities?.ambient ?? []);
  return [
    call('capset', [{ bytes: capsetHeader() }, { bytes: capsetData(sets) }]),
    ...ambient.map((name) => call('prctl', [PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capabilityNumber(name), 0, 0])),
  ];
}
