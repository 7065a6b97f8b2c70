// What the lesson page knows of the lab, and how each event changes it. Pure: no socket, no React.
import type { SandboxStatus, StepProgress, StepState, TerminalInfo } from '@drydock/protocol/events.ts';
import type { Verdict } from '@drydock/protocol/verdict.ts';
import type { ScopeState } from './scope-feed.ts';

export type Connection = 'connecting' | 'online' | 'offline';

export interface Notice {
  id: number;
  kind: 'info' | 'warn' | 'error';
  text: string;
}

/** Readings of the last minute, oldest first. */
export interface Load {
  cpuPercent: readonly number[];
  memoryBytes: readonly number[];
}

export interface LabState {
  connection: Connection;
  /** Counts connections on which the terminals are known: they attach anew when it rises. */
  session: number;
  /** The step the server has open; null until it answered. */
  openStep: string | null;
  progress: Readonly<Record<string, StepProgress>>;
  verdict: Verdict | null;
  observed: string | null;
  /** The server's word on the prediction; null until the kernel has shown it. */
  predictedRight: boolean | null;
  terminals: readonly TerminalInfo[];
  sandbox: SandboxStatus | null;
  load: Load;
  baseline: ReadonlySet<string>;
  scope: ScopeState | null;
  notices: readonly Notice[];
  /** Characters typed while there was no connection; they wait in their terminals. */
  heldCharacters: number;
}

const LOAD_LENGTH = 60;
const MAX_NOTICES = 4;

export function emptyLabState(progress: readonly StepProgress[]): LabState {
  return {
    connection: 'connecting',
    session: 0,
    openStep: null,
    progress: Object.fromEntries(progress.map((entry) => [entry.step, entry])),
    verdict: null,
    observed: null,
    predictedRight: null,
    terminals: [],
    sandbox: null,
    load: { cpuPercent: [], memoryBytes: [] },
    baseline: new Set(),
    scope: null,
    notices: [],
    heldCharacters: 0,
  };
}

/** A step was opened or reset: everything the server knows of it. The picture itself comes through the feed. */
export function withStep(state: LabState, step: string, opened: StepState): LabState {
  return withSandbox(
    {
      ...state,
      openStep: step,
      progress: { ...state.progress, [opened.progress.step]: opened.progress },
      verdict: opened.verdict.step === step ? opened.verdict : null,
      observed: opened.observed,
      predictedRight: opened.predictedRight,
      terminals: opened.terminals,
      baseline: new Set(opened.baseline),
    },
    opened.sandbox,
  );
}

/** A verdict of another step than the open one is late, and dropped. */
export function withVerdict(
  state: LabState,
  verdict: Verdict,
  observed: string | null,
  predictedRight: boolean | null,
): LabState {
  return verdict.step === state.openStep ? { ...state, verdict, observed, predictedRight } : state;
}

export function withProgress(state: LabState, progress: StepProgress): LabState {
  return { ...state, progress: { ...state.progress, [progress.step]: progress } };
}

export function withSandbox(state: LabState, sandbox: SandboxStatus): LabState {
  return {
    ...state,
    sandbox,
    load: {
      cpuPercent: [...state.load.cpuPercent, sandbox.cpuPercent].slice(-LOAD_LENGTH),
      memoryBytes: [...state.load.memoryBytes, sandbox.memoryBytes].slice(-LOAD_LENGTH),
    },
  };
}

export function withTerminalExit(state: LabState, id: string, exit: NonNullable<TerminalInfo['exit']>): LabState {
  return {
    ...state,
    terminals: state.terminals.map((terminal) => (terminal.id === id ? { ...terminal, exit } : terminal)),
  };
}

/** The same sentence twice is said once. */
export function withNotice(state: LabState, notice: Notice): LabState {
  const others = state.notices.filter((other) => other.text !== notice.text);
  return { ...state, notices: [...others, notice].slice(-MAX_NOTICES) };
}

export function withoutNotice(state: LabState, id: number): LabState {
  return { ...state, notices: state.notices.filter((notice) => notice.id !== id) };
}

/** Solved once is solved for good. */
export function isSolved(state: Pick<LabState, 'progress' | 'verdict'>, step: string): boolean {
  return (state.progress[step]?.solvedAtMs ?? null) !== null || (state.verdict?.step === step && state.verdict.solved);
}
