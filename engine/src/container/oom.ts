// Tells when the kernel kills a process of a container for want of memory: Docker's event `oom`, and OOMKilled in its state.
import type { ContainerGroup } from '../kernel/cgroup/container-group.ts';
import type { LiveContainer } from './live-container.ts';

/** Follows a run. Call the result at its end: what the kernel did last, and was not heard of yet, is told then. */
export function followOom(container: LiveContainer, group: ContainerGroup): () => void {
  let told = group.oomKills;
  const look = (kills: number) => {
    if (kills <= told) return;
    told = kills;
    container.changeState({ oomKilled: true });
    container.publish('oom');
  };
  const stop = group.onOom(look);
  return () => {
    stop();
    look(group.oomKills);
  };
}
