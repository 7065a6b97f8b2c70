// What an exec runs as: its container's process, changed as it asks for.
import { EngineError } from '../model/engine-error.ts';
import type { ExecConfig } from '../model/exec-config.ts';
import type { OciProcess } from '../model/oci-spec.ts';
import { accountsOfProcess } from '../runtime/accounts.ts';
import { execProcess, type SpecHost } from '../runtime/spec.ts';
import type { Container } from './container.ts';

const NOBODY = { passwd: null, group: null };

/** Throws invalid_argument for a user that is not there, conflict when the container has just ended. */
export async function processOfExec(container: Container, config: ExecConfig, host: SpecHost): Promise<OciProcess> {
  const spec = await container.spec();
  const { running } = container;
  if (!running) throw new EngineError('conflict', `container ${container.id} is not running`);
  const [height = 0, width = 0] = config.ConsoleSize ?? [];
  const request = {
    args: config.Cmd,
    env: config.Env,
    user: config.User,
    workingDir: config.WorkingDir,
    tty: config.Tty,
    privileged: config.Privileged,
    ...(height > 0 && width > 0 && { consoleSize: { height, width } }),
  };
  // Looked up only where somebody is named: the container's own is known.
  return execProcess(spec, request, config.User === '' ? NOBODY : accountsOfProcess(running.pid), host);
}
