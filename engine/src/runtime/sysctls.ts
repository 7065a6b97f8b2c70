// The kernel's settings a container may have of its own: those that belong to one of its namespaces. Pure.
import { EngineError } from '../model/engine-error.ts';
import type { OciNamespaceType } from '../model/oci-spec.ts';

const OF_IPC = new Set(
  'msgmax msgmnb msgmni sem shmall shmmax shmmni shm_rmid_forced'.split(' ').map((name) => `kernel.${name}`),
);

/** Which namespace keeps a setting; null: none, it is the machine's. */
function namespaceOf(key: string): OciNamespaceType | null {
  if (OF_IPC.has(key) || key.startsWith('fs.mqueue.')) return 'ipc';
  if (key.startsWith('net.')) return 'network';
  return key === 'kernel.domainname' || key === 'kernel.hostname' ? 'uts' : null;
}

/** Throws invalid_argument, in runc's words, for a setting that would be the host's. `own`: namespaces that are new or joined. */
export function checkSysctls(sysctls: Readonly<Record<string, string>>, own: ReadonlySet<OciNamespaceType>): void {
  for (const key of Object.keys(sysctls)) {
    // "net.." must not become a path that leads elsewhere; slashes stand for dots in the names of some interfaces.
    if (key.split(/[./]/).some((part) => part === ''))
      throw new EngineError('invalid_argument', `sysctl ${JSON.stringify(key)} is not in a separate kernel namespace`);
    const namespace = namespaceOf(key.replaceAll('/', '.'));
    if (namespace === null || !own.has(namespace))
      throw new EngineError(
        'invalid_argument',
        namespace === null
          ? `sysctl ${JSON.stringify(key)} is not in a separate kernel namespace`
          : `sysctl ${JSON.stringify(key)} is not allowed as it requires a ${namespace} namespace of the container's own`,
      );
  }
}
