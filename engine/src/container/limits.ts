// A container's limits between Docker's words and config.json's: what the host's groups can enforce, and which devices and
// block devices the names mean.
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { ContainerGroups } from '../kernel/cgroup/container-group.ts';
import type { ContainerResources, DeviceMapping, HostConfig } from '../model/container-config.ts';
import { EngineError } from '../model/engine-error.ts';
import { adaptedResources, ociResources, updatedResources } from '../model/oci-resources.ts';
import type { OciDeviceRule } from '../model/oci-spec.ts';
import { validateResources } from '../model/validate-resources.ts';
import type { Limits } from './host.ts';

export function containerLimits(groups: Pick<ContainerGroups, 'facts'>): Limits {
  const validated = (hostConfig: HostConfig, resources: ContainerResources, isUpdate: boolean) => {
    const { resources: checked, warnings } = validateResources(resources, groups.facts, isUpdate);
    return { hostConfig: { ...hostConfig, ...checked }, warnings };
  };
  return {
    ofNew: (hostConfig) => validated(hostConfig, adaptedResources(hostConfig), false),
    changed(hostConfig, asked) {
      const { hostConfig: checked, warnings } = validated(hostConfig, asked, true);
      return { hostConfig: { ...hostConfig, ...updatedResources(hostConfig, checked) }, warnings };
    },
    oci: (hostConfig) =>
      ociResources(hostConfig, {
        privileged: hostConfig.Privileged,
        devices: hostConfig.Devices.flatMap(deviceRules),
        numbersOf: blockNumbers,
      }),
  };
}

/** makedev(3) backwards, as stat(2) gives it. */
const numbers = (rdev: number) => ({
  major: ((rdev >> 8) & 0xfff) | (Math.floor(rdev / 2 ** 32) & ~0xfff),
  minor: (rdev & 0xff) | ((rdev >> 12) & 0xfff00),
});

function blockNumbers(path: string): { major: number; minor: number } {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (!stat) throw new EngineError('invalid_argument', `stat ${path}: no such file or directory`);
  if (!stat.isBlockDevice()) throw new EngineError('invalid_argument', `"${path}" is not a block device`);
  return numbers(stat.rdev);
}

/** What --device lets a container do: the device, or every device below a directory. */
function deviceRules({ PathOnHost, CgroupPermissions }: DeviceMapping): OciDeviceRule[] {
  const stat = statSync(PathOnHost, { throwIfNoEntry: false });
  const unusable = (why: string) =>
    new EngineError(
      'invalid_argument',
      `error gathering device information while adding custom device "${PathOnHost}": ${why}`,
    );
  if (!stat) throw unusable('no such file or directory');
  if (stat.isDirectory())
    return readdirSync(PathOnHost)
      .map((name) => join(PathOnHost, name))
      .filter((path) => {
        const below = statSync(path, { throwIfNoEntry: false });
        return below?.isDirectory() || below?.isBlockDevice() || below?.isCharacterDevice();
      })
      .flatMap((path) => deviceRules({ PathOnHost: path, PathInContainer: path, CgroupPermissions }));
  if (!stat.isBlockDevice() && !stat.isCharacterDevice()) throw unusable('not a device node');
  const type = stat.isBlockDevice() ? 'b' : 'c';
  return [{ allow: true, type, ...numbers(stat.rdev), access: CgroupPermissions || 'rwm' }];
}
