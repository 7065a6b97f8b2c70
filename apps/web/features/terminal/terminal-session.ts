// One terminal: xterm with its addons, bound to a terminal of the lab. Owns attaching, flow control, typed input while there
// is no connection, paste and link questions. Loaded on its own: xterm is not part of the page's first script.
import { FitAddon } from '@xterm/addon-fit';
import { SearchAddon } from '@xterm/addon-search';
import { Unicode11Addon } from '@xterm/addon-unicode11';
import { WebLinksAddon } from '@xterm/addon-web-links';
import { WebglAddon } from '@xterm/addon-webgl';
import { Terminal, type ITheme } from '@xterm/xterm';
import '@xterm/xterm/css/xterm.css';
import type { Lab } from '../connection/lab.ts';
import { flow } from './flow.ts';
import { openGutter } from './gutter.ts';
import type { Inside } from './inside.ts';
import { isWebAddress, linesThatRun, pasteBytes } from './paste.ts';

export interface SessionQuestions {
  /** Resolves true when the learner wants all lines pasted. */
  paste: (lines: number, text: string) => Promise<boolean>;
  link: (uri: string) => void;
  search: () => void;
  leave: () => void;
  scrollbackLost: () => string;
  attachFailed: (reason: string) => string;
  resized: (cols: number, rows: number) => void;
  inside: (label: string) => string;
}

export interface TerminalSession {
  attach(): void;
  fit(): void;
  focus(): void;
  type(data: string): void;
  find(text: string, direction: 'next' | 'previous'): boolean;
  clearSearch(): void;
  setScreenReader(on: boolean): void;
  /** Where whoever reads the keys is now; null: on the host. */
  setInside(inside: Inside | null): void;
  /** The next letter is sent with Ctrl (the phone's key row). */
  armControl(armed: boolean): void;
  dispose(): void;
}

export function openTerminalSession(
  element: HTMLElement,
  id: string,
  lab: Lab,
  questions: SessionQuestions,
  options: { screenReader: boolean; gutter: HTMLElement; onControlUsed: () => void },
): TerminalSession {
  const style = getComputedStyle(element);
  const terminal = new Terminal({
    allowProposedApi: true,
    logLevel: 'off', // a learner's bytes may be any: xterm's word on each belongs in nobody's console
    cursorBlink: !matchMedia('(prefers-reduced-motion: reduce)').matches,
    fontFamily: style.getPropertyValue('--font-mono'),
    // The WebGL renderer cuts the cell to whole pixels: 0.6 em of 13.4 is 8.04, of 13 it would be 7 instead of 7.8.
    fontSize: 13.4,
    lineHeight: 1.18,
    fontWeightBold: '600',
    scrollback: 10_000,
    screenReaderMode: options.screenReader,
    theme: themeOf(style),
    macOptionIsMeta: true,
    // OSC 8 links of the program's own making go the same way as addresses found in the text.
    linkHandler: { activate: (_event, uri) => offer(uri), allowNonHttpProtocols: false },
  });
  const fit = new FitAddon();
  const search = new SearchAddon();
  const offer = (uri: string) => {
    if (isWebAddress(uri)) questions.link(uri);
  };
  terminal.loadAddon(fit);
  terminal.loadAddon(search);
  terminal.loadAddon(new Unicode11Addon());
  terminal.unicode.activeVersion = '11';
  terminal.loadAddon(new WebLinksAddon((_event, uri) => offer(uri)));
  terminal.open(element);
  loadWebgl(terminal);
  const gutter = openGutter(terminal, options.gutter, questions.inside);
  // OSC 52 would let a program in the sandbox write the learner's clipboard: swallowed here, though xterm has no default.
  terminal.parser.registerOscHandler(52, () => true);

  const state = flow();
  let attached = false;
  let attaching = false;
  let disposed = false;
  let held = '';
  let control = false;
  let cols = 0;
  let rows = 0;

  const receive = (offset: number, data: Uint8Array) => {
    const { skip, lost } = state.receive(offset, data.length);
    if (lost) notice(questions.scrollbackLost());
    const fresh = skip > 0 ? data.subarray(skip) : data;
    if (fresh.length === 0) return;
    terminal.write(fresh, () => {
      const acknowledge = state.parsed(fresh.length);
      if (acknowledge !== null) lab.send('terminal:ack', { terminal: id, offset: acknowledge });
    });
  };
  const notice = (sentence: string) =>
    terminal.write(`\r\n\u001b[2m${sentence.replace(/[^\P{C}]/gu, '')}\u001b[0m\r\n`);
  const stopListening = lab.onTerminal(id, receive);
  // The next connection knows nothing of this terminal until it is attached: what is typed before waits.
  const stopWatching = lab.store.subscribe(({ connection }) => {
    if (connection !== 'online') attached = false;
  });

  const send = (data: string) => {
    if (data === '') return;
    // The server takes 64 k characters at a time.
    if (attached && lab.send('terminal:input', { terminal: id, data: data.slice(0, 60_000) })) {
      lab.typed();
      return send(data.slice(60_000));
    }
    held += data;
    lab.hold(data.length);
  };
  const type = (data: string) => {
    if (!control) return send(data);
    control = false;
    options.onControlUsed();
    const code = data.toUpperCase().charCodeAt(0);
    send(data.length === 1 && code >= 0x40 && code < 0x60 ? String.fromCharCode(code - 0x40) : data);
  };
  const paste = async (text: string) => {
    const lines = linesThatRun(text);
    if (lines > 1 && !(await questions.paste(lines, text))) return terminal.focus();
    send(pasteBytes(text, terminal.modes.bracketedPasteMode));
    terminal.focus();
  };
  terminal.onData(type);
  terminal.onBinary((data) =>
    lab.send('terminal:input', { terminal: id, data: Uint8Array.from(data, (c) => c.charCodeAt(0)) }),
  );
  element.addEventListener(
    'paste',
    (event) => {
      const text = event.clipboardData?.getData('text/plain') ?? '';
      event.preventDefault();
      event.stopPropagation();
      if (text !== '') void paste(text);
    },
    { capture: true },
  );
  terminal.attachCustomKeyEventHandler((event) => keyAllowed(event, terminal, questions, paste));

  const sizeChanged = () => {
    if (terminal.cols === cols && terminal.rows === rows) return;
    ({ cols, rows } = terminal);
    questions.resized(cols, rows);
    if (attached) lab.send('terminal:size', { terminal: id, cols, rows });
  };
  const measure = () => {
    if (element.clientWidth > 0 && element.clientHeight > 0) fit.fit();
    sizeChanged();
  };
  const observer = new ResizeObserver(measure);
  observer.observe(element);
  const scheme = matchMedia('(prefers-color-scheme: dark)');
  const recolour = () => (terminal.options.theme = themeOf(getComputedStyle(element)));
  const themed = new MutationObserver(recolour);
  themed.observe(document.documentElement, { attributes: true, attributeFilter: ['data-theme'] });
  scheme.addEventListener('change', recolour);

  const join = async (size: { cols: number; rows: number }) => {
    try {
      const { offset } = await lab.request('terminal:attach', { terminal: id, from: state.received, ...size });
      if (disposed) return;
      if (state.attached(offset).lost) notice(questions.scrollbackLost());
      attached = true;
      const waiting = held;
      held = '';
      lab.hold(-waiting.length);
      send(waiting);
    } catch (error) {
      if (!disposed) notice(questions.attachFailed(error instanceof Error ? error.message : String(error)));
    }
  };

  return {
    attach() {
      if (attaching) return;
      attaching = true;
      attached = false;
      measure();
      const size = { cols: Math.max(2, terminal.cols), rows: Math.max(2, terminal.rows) };
      void join(size).finally(() => {
        attaching = false;
      });
    },
    fit: measure,
    focus: () => terminal.focus(),
    type,
    find: (text, direction) => {
      const decorations = { matchOverviewRuler: '#f0c060', activeMatchColorOverviewRuler: '#ff9a6b' };
      return direction === 'next' ? search.findNext(text, { decorations }) : search.findPrevious(text, { decorations });
    },
    clearSearch: () => search.clearDecorations(),
    setInside: (inside) => gutter.set(inside),
    setScreenReader: (on) => (terminal.options.screenReaderMode = on),
    armControl: (armed) => (control = armed),
    dispose() {
      disposed = true;
      gutter.dispose();
      stopListening();
      stopWatching();
      observer.disconnect();
      themed.disconnect();
      scheme.removeEventListener('change', recolour);
      if (held.length > 0) lab.hold(-held.length);
      if (attached) void lab.request('terminal:detach', { terminal: id }).catch(() => undefined);
      terminal.dispose();
    },
  };
}

/** WebGL where there is one; xterm draws with the DOM otherwise, and again when the context is lost. */
function loadWebgl(terminal: Terminal): void {
  try {
    const webgl = new WebglAddon();
    webgl.onContextLoss(() => webgl.dispose());
    terminal.loadAddon(webgl);
  } catch {
    // No WebGL here: the DOM renderer is already at work.
  }
}

/** Keys that belong to the page: search, leaving, copy and paste. Everything else goes to the shell. */
function keyAllowed(
  event: KeyboardEvent,
  terminal: Terminal,
  questions: SessionQuestions,
  paste: (text: string) => Promise<void>,
): boolean {
  const chord = event.ctrlKey && event.shiftKey && !event.altKey && !event.metaKey;
  if (!chord || event.type !== 'keydown') return !(chord && ['KeyF', 'KeyC', 'KeyV', 'Escape'].includes(event.code));
  if (event.code === 'KeyF') {
    event.preventDefault();
    questions.search();
    return false;
  }
  if (event.code === 'Escape') {
    event.preventDefault();
    questions.leave();
    return false;
  }
  if (event.code === 'KeyC') {
    event.preventDefault();
    if (terminal.hasSelection()) void navigator.clipboard.writeText(terminal.getSelection()).catch(() => undefined);
    return false;
  }
  if (event.code === 'KeyV') {
    // Where the browser lets a page read the clipboard; else its own paste event does the work.
    if (typeof navigator.clipboard?.readText !== 'function') return true;
    event.preventDefault();
    void navigator.clipboard.readText().then(paste, () => undefined);
    return false;
  }
  return true;
}

function themeOf(style: CSSStyleDeclaration): ITheme {
  // Custom properties come back as written, light-dark() included; a colour that is used comes back computed.
  const probe = document.createElement('span');
  document.body.append(probe);
  const computed = (name: string) => {
    probe.style.color = `var(${name})`;
    return getComputedStyle(probe).color || style.getPropertyValue(name);
  };
  const theme: ITheme = {
    background: computed('--term'),
    foreground: computed('--term-ink'),
    cursor: computed('--term-ink'),
    cursorAccent: computed('--term'),
    selectionBackground: computed('--term-sel'),
    scrollbarSliderBackground: computed('--term-line'),
    scrollbarSliderHoverBackground: computed('--term-sel'),
    scrollbarSliderActiveBackground: computed('--term-sel'),
    black: '#1d2b42',
    red: '#ff8c98',
    green: computed('--term-prompt'),
    yellow: '#f0c060',
    blue: computed('--term-pid'),
    magenta: '#ff6eaa',
    cyan: '#58d3f9',
    white: computed('--term-ink'),
    brightBlack: computed('--term-dim'),
    brightRed: '#ffb0b8',
    brightGreen: '#74cf98',
    brightYellow: '#ffe694',
    brightBlue: '#a9c6fd',
    brightMagenta: '#ff9cc5',
    brightCyan: '#98e4fb',
    brightWhite: '#ffffff',
  };
  probe.remove();
  return theme;
}
