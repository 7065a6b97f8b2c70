// A seccomp profile as people write it for Docker (--security-opt seccomp=profile.json): rules may depend on capabilities,
// architecture and kernel. Comes out as config.json has it. Pure.
import { z } from 'zod';
import { parseCapability } from '../model/capabilities.ts';
import { EngineError } from '../model/engine-error.ts';
import type { OciSeccomp } from '../model/oci-spec.ts';
import type { Architecture } from '../model/syscall-table.ts';

const filterSchema = z.object({
  caps: z.array(z.string()).nullish(),
  arches: z.array(z.string()).nullish(),
  minKernel: z.string().nullish(),
});

const profileSchema = z.object({
  defaultAction: z.string(),
  defaultErrnoRet: z.int().nonnegative().nullish(),
  architectures: z.array(z.string()).nullish(),
  archMap: z.array(z.object({ architecture: z.string(), subArchitectures: z.array(z.string()).nullish() })).nullish(),
  syscalls: z
    .array(
      z.object({
        name: z.string().nullish(),
        names: z.array(z.string()).nullish(),
        action: z.string(),
        errnoRet: z.int().nonnegative().nullish(),
        args: z
          .array(
            z.object({
              index: z.int().nonnegative(),
              value: z.number().nonnegative(),
              valueTwo: z.number().nonnegative().nullish(),
              op: z.string(),
            }),
          )
          .nullish(),
        includes: filterSchema.nullish(),
        excludes: filterSchema.nullish(),
      }),
    )
    .nullish(),
});

export interface ProfileHost {
  readonly architecture: Architecture;
  /** "6.18.5" */
  readonly kernel: string;
}

/** As profiles name architectures (Go's words) and as libseccomp does. */
const NAMES = { x86_64: ['amd64', 'SCMP_ARCH_X86_64'], aarch64: ['arm64', 'SCMP_ARCH_AARCH64'] } as const;

/** Throws invalid_argument for what is no profile. `capabilities`: of the container, "CAP_CHOWN" … */
export function parseSeccompProfile(json: string, capabilities: readonly string[], host: ProfileHost): OciSeccomp {
  const refuse = (why: string): never => {
    throw new EngineError('invalid_argument', `Decoding seccomp profile failed: ${why}`);
  };
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (error) {
    refuse((error as Error).message);
  }
  const parsed = profileSchema.safeParse(value);
  if (!parsed.success) return refuse(z.prettifyError(parsed.error).replaceAll('\n', ' '));
  const { defaultAction, defaultErrnoRet, architectures, archMap, syscalls } = parsed.data;
  const [goName, ownArchitecture] = NAMES[host.architecture];
  if (architectures?.length && archMap?.length)
    refuse("both 'architectures' and 'archMap' are specified in the seccomp profile, use either one");
  const mapped = archMap?.find(({ architecture }) => architecture === ownArchitecture);
  const listed = mapped ? [mapped.architecture, ...(mapped.subArchitectures ?? [])] : architectures;
  const has = new Set(capabilities.map(parseCapability));
  const holds = (caps: readonly string[] | null | undefined) =>
    (caps ?? []).map((name) => has.has(parseCapability(name)));
  const applies = ({ includes, excludes }: NonNullable<typeof syscalls>[number]): boolean =>
    !(excludes?.arches?.includes(goName) ?? false) &&
    !holds(excludes?.caps).includes(true) &&
    !(excludes?.minKernel && isAtLeast(host.kernel, excludes.minKernel)) &&
    (!includes?.arches?.length || includes.arches.includes(goName)) &&
    !holds(includes?.caps).includes(false) &&
    (!includes?.minKernel || isAtLeast(host.kernel, includes.minKernel));
  return {
    defaultAction,
    ...(defaultErrnoRet == null ? {} : { defaultErrnoRet }),
    ...(listed?.length ? { architectures: listed } : {}),
    syscalls: (syscalls ?? []).filter(applies).map(({ name, names, action, errnoRet, args }) => {
      if (name && names?.length) refuse("both 'name' and 'names' are specified in the seccomp profile, use either one");
      return {
        names: name ? [name] : (names ?? []),
        action,
        ...(errnoRet == null ? {} : { errnoRet }),
        ...(args?.length
          ? { args: args.map(({ valueTwo, ...rest }) => (valueTwo == null ? rest : { ...rest, valueTwo })) }
          : {}),
      };
    }),
  };
}

/** "6.18.5-cloud" is at least "4.8". */
function isAtLeast(kernel: string, least: string): boolean {
  const numbers = (text: string) => text.split(/[.-]/).slice(0, 2).map(Number);
  const [major = 0, minor = 0] = numbers(kernel);
  const [leastMajor = 0, leastMinor = 0] = numbers(least);
  return major > leastMajor || (major === leastMajor && minor >= leastMinor);
}
