// config.json's seccomp section as a policy of ours: actions and comparisons by libseccomp's names. Pure.
import { EngineError } from './engine-error.ts';
import type { OciSeccomp } from './oci-spec.ts';
import type { ArgumentTest, SeccompAction, SeccompPolicy, SeccompRule } from './seccomp-policy.ts';
import type { Architecture } from './syscall-table.ts';

const EPERM = 1;
const ENOSYS = 38;

function action(name: string, errno: number | undefined): SeccompAction {
  switch (name) {
    case 'SCMP_ACT_ALLOW':
      return 'allow';
    case 'SCMP_ACT_ERRNO':
      return { errno: errno ?? EPERM };
    case 'SCMP_ACT_KILL':
    case 'SCMP_ACT_KILL_THREAD':
      return 'killThread';
    case 'SCMP_ACT_KILL_PROCESS':
      return 'kill';
    case 'SCMP_ACT_TRAP':
      return 'trap';
    case 'SCMP_ACT_LOG':
      return 'log';
    case 'SCMP_ACT_TRACE':
      return { trace: errno ?? EPERM };
    default:
      throw new EngineError('invalid_argument', `invalid seccomp action: ${JSON.stringify(name)}`);
  }
}

type OciRule = NonNullable<OciSeccomp['syscalls']>[number];
type OciTest = NonNullable<OciRule['args']>[number];

/**
 * Arguments that the kernel reads as 32-bit integers: a caller who sets a bit above would slip through a comparison of
 * all 64, as libseccomp makes it.
 */
const INTEGERS: Readonly<Record<string, readonly number[]>> = {
  socket: [0, 1, 2],
  socketpair: [0, 1, 2],
  personality: [0],
  ioctl: [0, 1],
  prctl: [0],
  fcntl: [0, 1],
};

function argumentTest({ index, value, valueTwo = 0, op }: OciTest, names: readonly string[]): ArgumentTest {
  if (index < 0 || index > 5) throw new EngineError('invalid_argument', `invalid seccomp argument index: ${index}`);
  const isInteger = names.every((name) => INTEGERS[name]?.includes(index));
  const test = { argument: index as ArgumentTest['argument'], ...(isInteger ? {} : { bits: 64 as const }) };
  const exact = BigInt(value);
  switch (op) {
    case 'SCMP_CMP_EQ':
      return { ...test, in: [exact] };
    case 'SCMP_CMP_NE':
      return { ...test, in: [exact], not: true };
    case 'SCMP_CMP_GE':
      return { ...test, atLeast: exact };
    case 'SCMP_CMP_LT':
      return { ...test, atLeast: exact, not: true };
    case 'SCMP_CMP_GT':
      return { ...test, atLeast: exact + 1n };
    case 'SCMP_CMP_LE':
      return { ...test, atLeast: exact + 1n, not: true };
    case 'SCMP_CMP_MASKED_EQ':
      return { ...test, in: [BigInt(valueTwo)], mask: exact };
    default:
      throw new EngineError('invalid_argument', `invalid seccomp operator: ${JSON.stringify(op)}`);
  }
}

/** Throws invalid_argument for what no filter can be made of. Calls this kernel's table does not have are passed over. */
export function ociSeccompPolicy(seccomp: OciSeccomp, architecture: Architecture): SeccompPolicy {
  const rules = (seccomp.syscalls ?? []).map(({ names, args, ...rule }): SeccompRule => {
    const when = (args ?? []).map((one) => argumentTest(one, names));
    return {
      calls: names,
      action: action(rule.action, rule.errnoRet),
      ...(when.length === 0 ? {} : { when }),
      why: 'the profile says so',
    };
  });
  return {
    architecture,
    allowsI386: seccomp.architectures === undefined || seccomp.architectures.includes('SCMP_ARCH_X86'),
    defaultAction: action(seccomp.defaultAction, seccomp.defaultErrnoRet),
    // As a kernel that was built without such an ABI.
    foreignAction: { errno: ENOSYS },
    rules,
  };
}
