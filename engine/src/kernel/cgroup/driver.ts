// The control groups of one daemon: creates, finds again and collects those of its sandboxes, on v1, hybrid and v2.
import { existsSync } from 'node:fs';
import type { CgroupHost } from '../../model/cgroup-host.ts';
import { planHybrid, planV1, planV2 } from '../../model/cgroup-plan.ts';
import { EngineError } from '../../model/engine-error.ts';
import { lackingControllers } from './detect.ts';
import { childGroups, reached, removeGroup } from './files.ts';
import { openGroup } from './open-group.ts';
import type { CgroupDriver, SandboxGroup } from './sandbox-group.ts';
import { type SandboxPlace, groupDirectory, instanceDirectory, treesOf } from './trees.ts';
import { delegateV1, makeV1Groups } from './v1.ts';
import { delegateV2, makeV2Groups, writeV2 } from './v2.ts';

const NAME = /^[a-z0-9][a-z0-9-]{0,63}$/;

/** Throws `unavailable` when the host lacks a controller that bounds sandboxes; makes nothing yet. */
export function createCgroupDriver(host: CgroupHost, instance: string): CgroupDriver {
  const lacking = lackingControllers(host);
  if (lacking.length > 0)
    throw new EngineError(
      'unavailable',
      `Cannot bound sandboxes: the control group controllers ${lacking.join(', ')} are not available; mount them, or start the kernel without cgroup_disable= (Raspberry Pi: with cgroup_enable=memory)`,
    );
  const trees = treesOf(host);
  const place = (sandbox: string): SandboxPlace => {
    if (!NAME.test(sandbox) || !NAME.test(instance))
      throw new EngineError(
        'invalid_argument',
        `Cannot name control groups "${instance}/${sandbox}": use a-z, 0-9 and -`,
      );
    return { host, instance, sandbox };
  };
  const exists = (at: SandboxPlace) => trees.some((tree) => existsSync(groupDirectory(tree, at, '')));
  const list = () => [...new Set(trees.flatMap((tree) => childGroups(instanceDirectory(tree, instance))))].sort();

  async function collect(liveNames: Iterable<string>): Promise<string[]> {
    const live = new Set(liveNames);
    const dead = list().filter((name) => !live.has(name));
    for (const name of dead) await openGroup(place(name)).remove();
    return dead;
  }

  return {
    host,
    list,
    collect,
    async createSandbox(name, limits, ownerUid) {
      const at = place(name);
      if (exists(at))
        throw new EngineError(
          'conflict',
          `Cannot create control groups for "${name}": they exist; open or remove them`,
        );
      try {
        if (host.flavour !== 'v2') {
          makeV1Groups(at, planV1(limits));
          delegateV1(at, ownerUid);
        }
        if (host.unified !== null) {
          makeV2Groups(at);
          writeV2(at, host.flavour === 'v2' ? planV2(limits) : planHybrid());
          delegateV2(at, ownerUid);
        }
        return openGroup(at);
      } catch (error) {
        await openGroup(at).remove();
        throw error;
      }
    },
    open(name): SandboxGroup {
      const at = place(name);
      if (!exists(at))
        throw new EngineError('not_found', `Cannot open the control groups of "${name}": there are none`);
      return openGroup(at);
    },
    async removeAll() {
      await collect([]);
      for (const tree of trees) {
        const directory = instanceDirectory(tree, instance);
        if (!(await reached(1000, () => removeGroup(directory))))
          throw new EngineError('conflict', `Cannot remove the control group "${directory}": something else is in it`);
      }
    },
  };
}
