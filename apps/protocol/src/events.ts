// The events between browser and lab server (socket.io, path /socket), and the pages' data. Every payload is checked on
// the server with these schemas; every request is answered through socket.io's acknowledgement with {ok} or {error}.
import { z } from 'zod';
import type { Patch, Snapshot } from '@drydock/engine/model/observed.ts';
import type { Verdict } from './verdict.ts';

const terminalId = z.string().regex(/^[a-z0-9]{1,32}$/);
const size = { cols: z.number().int().min(2).max(1000), rows: z.number().int().min(2).max(1000) };
const path = z.string().min(1).max(4096).startsWith('/');

/** Browser -> server, with acknowledgement. */
export const requests = {
  /** Enter a step: starts the sandbox if need be, the observation, the checks. Answers StepState. */
  'step:open': z.object({ track: z.string(), lesson: z.string(), step: z.string() }),
  'step:reset': z.object({}),
  'step:predict': z.object({ option: z.string() }),
  'step:explain': z.object({ option: z.string() }),
  'step:hint': z.object({ index: z.number().int().min(0).max(9) }),
  'step:solution': z.object({}),
  /** Several lines ask in the browser before they are sent. Types a command of the step into a terminal. */
  'step:run': z.object({ command: z.string(), terminal: terminalId }),
  'sandbox:reset': z.object({}),
  'sandbox:extend': z.object({}),
  'terminal:list': z.object({}),
  'terminal:open': z.object(size),
  /** Answers {offset}: the position of the first byte that `terminal:data` will bring. */
  'terminal:attach': z.object({ terminal: terminalId, from: z.number().int().min(0), ...size }),
  'terminal:detach': z.object({ terminal: terminalId }),
  'terminal:close': z.object({ terminal: terminalId }),
  'file:list': z.object({ path }),
  'file:read': z.object({ path }),
  'file:write': z.object({ path, text: z.string().max(2 ** 20), version: z.string().nullable() }),
  /** Answers a Snapshot: after a gap in `seq`. */
  'scope:snapshot': z.object({}),
} as const;

/** Browser -> server, without acknowledgement. */
export const messages = {
  'terminal:input': z.object({ terminal: terminalId, data: z.instanceof(Uint8Array).or(z.string().max(65_536)) }),
  'terminal:size': z.object({ terminal: terminalId, ...size }),
  /** Bytes parsed by xterm so far (flow control): sent every 128 kB. */
  'terminal:ack': z.object({ terminal: terminalId, offset: z.number().int().min(0) }),
} as const;

export interface TerminalInfo {
  id: string;
  name: string;
  tty: string;
  /** Learner's-host pid of the shell. */
  pid: number | null;
  exit: { code: number | null; signal: number | null } | null;
}

export interface SandboxStatus {
  state: 'starting' | 'queued' | 'running' | 'frozen' | 'stopped' | 'failed';
  /** One sentence: why it is queued, frozen, stopped or failed, and what to do. */
  message: string | null;
  endsAtMs: number | null;
  /** Set while an end is announced: what will happen and when. */
  ending: { reason: string; atMs: number } | null;
  cpuPercent: number;
  memoryBytes: number;
  memoryLimitBytes: number;
  diskBytes: number;
  diskLimitBytes: number;
  pids: number;
  pidsLimit: number;
}

/** What the learner has done in a step; kept in the database. */
export interface StepProgress {
  step: string;
  predicted: string | null;
  predictedAtMs: number | null;
  hintsOpened: string[];
  solutionOpened: boolean;
  explained: string | null;
  attempts: number;
  solvedAtMs: number | null;
}

export interface StepState {
  progress: StepProgress;
  /** Stays true once every check was met together. */
  solved: boolean;
  snapshot: Snapshot;
  /** Keys of the processes that were there when the step began: everything else is new. */
  baseline: string[];
  verdict: Verdict;
  terminals: TerminalInfo[];
  sandbox: SandboxStatus;
  /** The predicted value the kernel showed, once known. */
  observed: string | null;
  /** Whether the prediction was right; null until there is one and the kernel has shown it. */
  predictedRight: boolean | null;
}

/** Server -> browser. */
export interface ServerEvents {
  /** With it what `baseline` of StepState is: another once the step began anew, also by another tab. */
  'scope:snapshot': (snapshot: Snapshot, baseline: string[]) => void;
  'scope:patch': (patch: Patch) => void;
  'step:verdict': (verdict: Verdict, observed: string | null, predictedRight: boolean | null) => void;
  'step:progress': (progress: StepProgress) => void;
  /** An offset beyond what came before: the bytes in between are kept no more, and the browser says so in a line. */
  'terminal:data': (terminal: string, offset: number, data: Uint8Array) => void;
  'terminal:exit': (terminal: string, exit: { code: number | null; signal: number | null }) => void;
  'terminal:list': (terminals: TerminalInfo[]) => void;
  'sandbox:status': (status: SandboxStatus) => void;
  /** A sentence for the learner: what happened, to what, what to do. */
  notice: (notice: { kind: 'info' | 'warn' | 'error'; text: string }) => void;
}

export type RequestName = keyof typeof requests;
export type MessageName = keyof typeof messages;
export type RequestOf<N extends RequestName> = z.infer<(typeof requests)[N]>;
export type Answer<T> = { ok: T } | { error: string };

export interface Answers {
  'step:open': StepState;
  'step:reset': StepState;
  'step:predict': StepProgress;
  'step:explain': StepProgress & { feedback: { en: string; zh: string }; right: boolean };
  'step:hint': { id: string; text: { en: string; zh: string }; progress: StepProgress };
  'step:solution': { text: string; progress: StepProgress };
  'step:run': null;
  'sandbox:reset': StepState;
  'sandbox:extend': SandboxStatus;
  'terminal:list': TerminalInfo[];
  'terminal:open': TerminalInfo;
  'terminal:attach': { offset: number };
  'terminal:detach': null;
  'terminal:close': null;
  'file:list': { name: string; type: 'file' | 'directory' | 'symlink' | 'other' }[];
  'file:read': { path: string; text: string; version: string };
  'file:write': { path: string; text: string; version: string };
  'scope:snapshot': Snapshot;
}

export type ClientEvents = {
  [N in RequestName]: (payload: RequestOf<N>, answer: (answer: Answer<Answers[N]>) => void) => void;
} & { [N in MessageName]: (payload: z.infer<(typeof messages)[N]>) => void };
