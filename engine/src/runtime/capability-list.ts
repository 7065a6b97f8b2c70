// Which capabilities a container has: Docker's default, --cap-add, --cap-drop, --privileged. Pure.
import {
  CAPABILITIES,
  type Capability,
  capabilityNames,
  DOCKER_DEFAULT_CAPABILITIES,
  parseCapability,
} from '../model/capabilities.ts';
import type { HostConfig } from '../model/container-config.ts';
import { EngineError } from '../model/engine-error.ts';

const ALL = 'ALL';

/** `available`: what this kernel has and the daemon may give. Names as config.json writes them. Throws invalid_argument. */
export function capabilitiesOf(hostConfig: HostConfig, available: ReadonlySet<Capability>): string[] {
  const all = CAPABILITIES.filter((name) => available.has(name));
  const named = (names: readonly string[] | null) => (names ?? []).map((name) => parse(name, available));
  const [add, drop] = [named(hostConfig.CapAdd), named(hostConfig.CapDrop)];
  const added = add.filter((name) => name !== ALL);
  const basics = capabilityNames(DOCKER_DEFAULT_CAPABILITIES).filter((name) => available.has(name));
  let chosen: readonly Capability[];
  if (hostConfig.Privileged) chosen = all;
  else if (add.includes(ALL)) chosen = all.filter((name) => !drop.includes(name));
  else if (drop.includes(ALL)) chosen = added;
  else chosen = [...basics.filter((name) => !drop.includes(name)), ...added];
  const unique = new Set(chosen);
  return CAPABILITIES.filter((name) => unique.has(name)).map((name) => `CAP_${name}`);
}

function parse(text: string, available: ReadonlySet<Capability>): Capability | typeof ALL {
  if (text.toUpperCase() === ALL) return ALL;
  const capability = parseCapability(text);
  const shown = JSON.stringify(`CAP_${text.toUpperCase().replace(/^CAP_/, '')}`);
  if (capability === null) throw new EngineError('invalid_argument', `unknown capability: ${shown}`);
  if (!available.has(capability))
    throw new EngineError(
      'invalid_argument',
      `capability not supported by your kernel or not available in the current environment: ${shown}`,
    );
  return capability;
}
