// The bar beside the lines that ran inside a namespace, and its name on the first of them. Draws only what is in sight.
import type { IMarker, Terminal } from '@xterm/xterm';
import type { Inside } from './inside.ts';

interface Stretch {
  inside: Inside;
  start: IMarker;
  /** The first line that is outside again; null while it goes on. */
  end: IMarker | null;
}

export interface Gutter {
  /** From the line on which the cursor stands. */
  set(inside: Inside | null): void;
  dispose(): void;
}

/** A command lives a moment; who stays longer is somewhere. */
const SETTLES_MS = 120;
/** Stretches kept: a learner goes in and out some ten times. */
const MOST = 200;

/** `words` says what stands on the first line: "inside pid:[…]". */
export function openGutter(terminal: Terminal, host: HTMLElement, words: (label: string) => string): Gutter {
  let stretches: Stretch[] = [];
  let pending: { label: string | null; start: IMarker | null; timer: ReturnType<typeof setTimeout> } | null = null;
  /** False until it was told once: the scroll-back that is still to come may be from before. */
  let told = false;
  let shown = '';

  const draw = () => {
    const { active } = terminal.buffer;
    const rows = active.type === 'normal' ? terminal.rows : 0;
    const cell = (terminal.element?.querySelector('.xterm-screen')?.clientHeight ?? 0) / terminal.rows;
    const top = active.viewportY;
    const bars = stretches.flatMap(({ inside, start, end }) => {
      const from = Math.max(start.line, top);
      const to = Math.min(end ? end.line : active.baseY + active.cursorY + 1, top + rows);
      if (start.isDisposed && end?.isDisposed !== false) return [];
      return from < to ? [{ inside, from: from - top, rows: to - from, first: start.line === from }] : [];
    });
    // Written once for each change: xterm renders far more often than a bar moves.
    const now = JSON.stringify([cell, bars]);
    if (now === shown) return;
    shown = now;
    host.replaceChildren(
      ...bars.map(({ inside, from, rows: count, first }) => {
        const bar = document.createElement('div');
        bar.className = `ns-bar ${inside.own[0] ?? ''}`;
        bar.style.top = `${from * cell}px`;
        bar.style.height = `${count * cell}px`;
        if (first) {
          const name = document.createElement('b');
          name.textContent = words(inside.label);
          const plate = document.createElement('span');
          plate.append(name);
          bar.append(plate);
        }
        return bar;
      }),
    );
  };
  const drop = (stretch: Stretch) => {
    stretch.start.dispose();
    stretch.end?.dispose();
  };
  const last = () => stretches.at(-1);
  const leave = () => {
    const open = last();
    if (!open || open.end) return;
    open.end = terminal.registerMarker(0);
    if (open.end.line <= open.start.line) {
      drop(open);
      stretches = stretches.slice(0, -1);
    }
  };
  const cancel = () => {
    if (!pending) return;
    clearTimeout(pending.timer);
    pending.start?.dispose();
    pending = null;
  };
  const enter = (inside: Inside, start: IMarker) => {
    leave();
    stretches.push({ inside, start, end: null });
    for (const old of stretches.slice(0, -MOST)) drop(old);
    stretches = stretches.slice(-MOST);
    draw();
  };
  const listeners = [terminal.onRender(draw), terminal.onScroll(draw), terminal.onResize(draw)];
  return {
    set(inside) {
      const label = inside?.label ?? null;
      // The picture changes more often than the place.
      if (pending?.label === label) return;
      cancel();
      if (inside === null) told = true;
      const open = last();
      if ((open && !open.end ? open.inside.label : null) === label) return;
      if (inside === null) {
        leave();
        draw();
        return;
      }
      const start = told ? terminal.registerMarker(0) : null;
      pending = {
        label,
        start,
        timer: setTimeout(() => {
          pending = null;
          told = true;
          enter(inside, start ?? terminal.registerMarker(0));
        }, SETTLES_MS),
      };
    },
    dispose() {
      cancel();
      for (const listener of listeners) listener.dispose();
      stretches.forEach(drop);
      host.replaceChildren();
    },
  };
}
