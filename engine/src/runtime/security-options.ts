// --security-opt, one word after the other. Pure.
import { EngineError } from '../model/engine-error.ts';

export interface SecurityOptions {
  readonly noNewPrivileges: boolean;
  /** A profile's JSON; null is the default profile. */
  readonly seccomp: { readonly profile: string } | 'unconfined' | null;
}

/** "key=value", and "key:value" as it once was. Labels and AppArmor profiles are nothing to a kernel without such a module. */
export function parseSecurityOptions(options: readonly string[] | null): SecurityOptions {
  let noNewPrivileges = false;
  let seccomp: SecurityOptions['seccomp'] = null;
  for (const option of options ?? []) {
    const refuse = () => new EngineError('invalid_argument', `invalid --security-opt: ${JSON.stringify(option)}`);
    const [, key = option, value] = /^([^=:]+)[=:](.*)$/s.exec(option) ?? [];
    switch (key) {
      case 'no-new-privileges':
        if (value !== undefined && value !== 'true' && value !== 'false') throw refuse();
        noNewPrivileges = value !== 'false';
        break;
      case 'seccomp':
        if (value === undefined) throw refuse();
        if (value === 'unconfined') seccomp = value;
        else seccomp = value === 'builtin' ? null : { profile: value };
        break;
      case 'apparmor':
      case 'label':
      case 'systempaths':
        if (value === undefined && option !== 'disable') throw refuse();
        break;
      default:
        if (option !== 'disable') throw refuse();
    }
  }
  return { noNewPrivileges, seccomp };
}
