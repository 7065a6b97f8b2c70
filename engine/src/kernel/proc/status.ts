// Parser of /proc/PID/status (proc_pid_status(5)). Pure.
import { completeLines, decimal } from './text.ts';
import { PROCESS_STATES, type ProcessState } from './stat.ts';

export interface Status {
  state: ProcessState;
  /** Pid in each pid namespace from the reader's proc mount inwards. */
  nspid: number[];
  /** Real, effective, saved, file-system: as the reader's user namespace numbers them. */
  uids: number[];
  gids: number[];
  threads: number;
  /** 16 hex digits each. */
  capBounding: string | null;
  capEffective: string | null;
  noNewPrivs: boolean;
  /** 0 none, 1 strict, 2 filter. */
  seccomp: number;
}

const numbers = (value: string | undefined): number[] =>
  (value ?? '')
    .split(/\s+/)
    .map(decimal)
    .filter((number) => number !== null);

/** Null when it lacks what every process has. The kernel escapes newlines in Name, so a name can't forge a field. */
export function parseStatus(bytes: Uint8Array): Status | null {
  const fields = new Map<string, string>();
  for (const line of completeLines(bytes)) {
    const colon = line.indexOf(':');
    // The first one counts: no field comes twice.
    if (colon > 0 && !fields.has(line.slice(0, colon))) fields.set(line.slice(0, colon), line.slice(colon + 1).trim());
  }
  const state = PROCESS_STATES.find((each) => each === fields.get('State')?.[0]);
  const nspid = numbers(fields.get('NSpid'));
  const uids = numbers(fields.get('Uid'));
  const gids = numbers(fields.get('Gid'));
  if (state === undefined || nspid.length === 0 || uids.length !== 4 || gids.length !== 4) return null;
  const capability = (name: string) => /^[0-9a-f]{16}$/.exec(fields.get(name) ?? '')?.[0] ?? null;
  return {
    state,
    nspid,
    uids,
    gids,
    threads: decimal(fields.get('Threads')) ?? 0,
    capBounding: capability('CapBnd'),
    capEffective: capability('CapEff'),
    noNewPrivs: fields.get('NoNewPrivs') === '1',
    seccomp: decimal(fields.get('Seccomp')) ?? 0,
  };
}
