// The lesson page's side of the lab: one store, one socket, and the verbs the page uses. Created once for a lesson.
import type { Answers, RequestName, RequestOf, StepProgress } from '@drydock/protocol/events.ts';
import { createStore, type StoreApi } from 'zustand/vanilla';
import {
  emptyLabState,
  withNotice,
  withProgress,
  withSandbox,
  withStep,
  withTerminalExit,
  withVerdict,
  withoutNotice,
  type LabState,
  type Notice,
} from './lab-state.ts';
import { openLabSocket, type LabSocket, type SocketWords } from './lab-socket.ts';
import { scopeFeed, type ScopeFeed } from './scope-feed.ts';

export type TerminalListener = (offset: number, data: Uint8Array) => void;

export interface LabWords extends SocketWords {
  keysUnsure: string;
}

export interface Lab {
  store: StoreApi<LabState>;
  start(words: LabWords): void;
  stop(): void;
  openStep(step: string): Promise<void>;
  resetStep(): Promise<void>;
  resetSandbox(): Promise<void>;
  /** Asks; a failure is shown as a notice and null comes back. */
  ask<N extends RequestName>(name: N, payload: RequestOf<N>): Promise<Answers[N] | null>;
  /** Asks; a failure is thrown, for callers that show it themselves. */
  request<N extends RequestName>(name: N, payload: RequestOf<N>): Promise<Answers[N]>;
  send: LabSocket['send'];
  onTerminal(id: string, listener: TerminalListener): () => void;
  typed(): void;
  hold(characters: number): void;
  say(kind: Notice['kind'], text: string): void;
  dismiss(id: number): void;
}

/** Keys sent this shortly before a break may be lost: the learner is told to look. */
const UNSURE_MS = 1500;

export function createLab(track: string, lesson: string, progress: readonly StepProgress[]): Lab {
  const store = createStore<LabState>(() => emptyLabState(progress));
  const change = (next: (state: LabState) => LabState) => store.setState(next(store.getState()), true);
  const terminals = new Map<string, Set<TerminalListener>>();
  let socket: LabSocket | null = null;
  let feed: ScopeFeed | null = null;
  let wanted: string | null = null;
  let opening = 0;
  /** This connection's terminals are known. */
  let joined = false;
  let noticeId = 0;
  let typedAtMs = 0;

  const say: Lab['say'] = (kind, text) => change((state) => withNotice(state, { id: ++noticeId, kind, text }));
  const request: Lab['request'] = (name, payload) =>
    socket ? socket.request(name, payload) : Promise.reject(new Error('The lab is not started.'));
  const ask: Lab['ask'] = async (name, payload) => {
    try {
      return await request(name, payload);
    } catch (error) {
      say('error', error instanceof Error ? error.message : String(error));
      return null;
    }
  };
  /** The terminals attach: as soon as they are told of, for the rest of a step's opening takes as long again. */
  const join = (): void => {
    if (joined) return;
    joined = true;
    change((state) => ({ ...state, session: state.session + 1 }));
  };
  /** Opens the wanted step; the answer of an opening that was overtaken by another is dropped. */
  const open = async (fresh: boolean): Promise<void> => {
    if (wanted === null || (!fresh && store.getState().connection !== 'online')) return;
    const step = wanted;
    const mine = ++opening;
    const opened = await ask('step:open', { track, lesson, step });
    if (!opened || mine !== opening) return;
    feed?.snapshot(opened.snapshot);
    change((state) => withStep(state, step, opened));
    join();
  };
  const reset = async (name: 'step:reset' | 'sandbox:reset'): Promise<void> => {
    const opened = await ask(name, {});
    const step = store.getState().openStep;
    if (!opened || step === null) return;
    feed?.snapshot(opened.snapshot);
    change((state) => withStep(state, step, opened));
  };

  const listen = (to: LabSocket) => {
    to.on('scope:snapshot', (snapshot, baseline) => {
      feed?.snapshot(snapshot);
      change((state) => ({ ...state, baseline: new Set(baseline) }));
    });
    to.on('scope:patch', (patch) => feed?.patch(patch));
    to.on('step:verdict', (verdict, observed, right) =>
      change((state) => withVerdict(state, verdict, observed, right)),
    );
    to.on('step:progress', (entry) => change((state) => withProgress(state, entry)));
    to.on('terminal:data', (id, offset, data) => {
      const bytes = data instanceof Uint8Array ? data : new Uint8Array(data);
      for (const listener of terminals.get(id) ?? []) listener(offset, bytes);
    });
    to.on('terminal:exit', (id, exit) => change((state) => withTerminalExit(state, id, exit)));
    to.on('terminal:list', (list) => {
      change((state) => ({ ...state, terminals: list }));
      join();
    });
    to.on('sandbox:status', (status) => change((state) => withSandbox(state, status)));
    to.on('notice', (notice) => say(notice.kind, notice.text));
  };

  return {
    store,
    start(words) {
      change((state) => ({ ...state, connection: 'connecting' }));
      feed = scopeFeed(
        (scope) => change((state) => ({ ...state, scope })),
        () => void ask('scope:snapshot', {}).then((snapshot) => snapshot && feed?.snapshot(snapshot)),
        browserClock,
      );
      socket = openLabSocket(words, {
        onConnect: () => {
          joined = false;
          change((state) => ({ ...state, connection: 'online' }));
          void open(true);
        },
        onDisconnect: (reason) => {
          const { connection } = store.getState();
          if (connection === 'online' && Date.now() - typedAtMs < UNSURE_MS) say('warn', words.keysUnsure);
          if (reason !== null) say('error', reason);
          change((state) => ({ ...state, connection: connection === 'connecting' ? 'connecting' : 'offline' }));
        },
      });
      listen(socket);
    },
    stop() {
      feed?.stop();
      socket?.close();
      socket = null;
    },
    async openStep(step) {
      wanted = step;
      await open(false);
    },
    resetStep: () => reset('step:reset'),
    resetSandbox: () => reset('sandbox:reset'),
    ask,
    request,
    send: (name, payload) => socket?.send(name, payload) ?? false,
    onTerminal(id, listener) {
      const listeners = terminals.get(id) ?? new Set();
      terminals.set(id, listeners.add(listener));
      return () => void listeners.delete(listener);
    },
    typed: () => void (typedAtMs = Date.now()),
    hold: (characters) =>
      change((state) => ({ ...state, heldCharacters: Math.max(0, state.heldCharacters + characters) })),
    say,
    dismiss: (id) => change((state) => withoutNotice(state, id)),
  };
}

const browserClock = {
  now: () => Date.now(),
  // A hidden page gets no frames; its picture may be a little late, but never stale when it is shown again.
  frame: (callback: () => void) => {
    if (document.hidden) setTimeout(callback, 100);
    else requestAnimationFrame(callback);
  },
  after: (ms: number, callback: () => void) => {
    const timer = setTimeout(callback, ms);
    return () => clearTimeout(timer);
  },
};
