// An exec as Docker's clients ask for it and inspect it (moby's swagger, ContainerExec, ExecInspect). Pure.

export interface ExecConfig {
  readonly Cmd: readonly string[];
  readonly AttachStdin: boolean;
  readonly AttachStdout: boolean;
  readonly AttachStderr: boolean;
  readonly Tty: boolean;
  /** As the client names them; empty: the default. */
  readonly DetachKeys: string;
  readonly Env: readonly string[];
  /** "user", "uid", "user:group", "uid:gid"; empty is the container's. */
  readonly User: string;
  /** Empty is the container's. */
  readonly WorkingDir: string;
  readonly Privileged: boolean;
  /** Rows and columns of the terminal; null: 24 and 80. */
  readonly ConsoleSize: readonly [number, number] | null;
}

export interface ExecState {
  readonly id: string;
  readonly containerId: string;
  readonly config: ExecConfig;
  readonly running: boolean;
  /** null: it has not ended. */
  readonly exitCode: number | null;
  /** Host pid, also of one that has ended; 0 before the start. */
  readonly pid: number;
  /** It has ended, and will be forgotten at the next look. */
  readonly canRemove: boolean;
}

/** As GET /exec/ID/json answers. */
export function inspectExec({ id, containerId, config, running, exitCode, pid, canRemove }: ExecState) {
  const [entrypoint = '', ...args] = config.Cmd;
  return {
    ID: id,
    Running: running,
    ExitCode: exitCode,
    ProcessConfig: {
      tty: config.Tty,
      entrypoint,
      arguments: args,
      privileged: config.Privileged,
      ...(config.User !== '' && { user: config.User }),
    },
    OpenStdin: config.AttachStdin,
    OpenStderr: config.AttachStderr,
    OpenStdout: config.AttachStdout,
    CanRemove: canRemove,
    ContainerID: containerId,
    DetachKeys: config.DetachKeys === '' ? '' : btoa(config.DetachKeys),
    Pid: pid,
  };
}

/** The exit code of an exec that could not be started, for whatever reason (docker-py's tests want it so). */
export const NOT_STARTED_CODE = 126;
