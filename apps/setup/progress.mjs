// Shows what the set-up is doing: one line that updates on a terminal, plain lines elsewhere. Steps that end within two
// seconds leave only their closing line.

const FRAMES = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];
const QUIET_MS = 2_000;
const PLAIN_REPEAT_MS = 15_000;

/** @param {number} ms */
const seconds = (ms) => (ms < 10_000 ? `${(ms / 1000).toFixed(1)} s` : `${Math.round(ms / 1000)} s`);

export class Progress {
  /** @type {Map<string, { startedMs: number, note: string, lastPlainMs: number }>} */
  #running = new Map();
  #frame = 0;
  /** @type {NodeJS.Timeout | undefined} */
  #timer;
  #out;

  /** @param {{ isTTY?: boolean, columns?: number, write(text: string): unknown }} out */
  constructor(out = process.stdout) {
    this.#out = out;
  }

  /** A line that stays. @param {string} text */
  line(text) {
    this.#clear();
    this.#out.write(`${text}\n`);
    this.#draw();
  }

  /** @param {string} title */
  begin(title) {
    this.#running.set(title, { startedMs: Date.now(), note: '', lastPlainMs: 0 });
    this.#timer ??= setInterval(() => this.#tick(), this.#out.isTTY ? 120 : 500);
  }

  /** What the step does at the moment. @param {string} title @param {string} note */
  note(title, note) {
    const step = this.#running.get(title);
    if (step) step.note = note;
  }

  /** @param {string} title @param {string} [result] */
  end(title, result = '') {
    this.#close(title, '✓', result);
  }

  /** @param {string} title */
  fail(title) {
    this.#close(title, '✗', 'failed');
  }

  /** @param {string} title @param {string} mark @param {string} result */
  #close(title, mark, result) {
    const step = this.#running.get(title);
    this.#running.delete(title);
    if (this.#running.size === 0) {
      clearInterval(this.#timer);
      this.#timer = undefined;
    }
    const took = step ? ` (${seconds(Date.now() - step.startedMs)})` : '';
    this.line(`${mark} ${title}${result ? `: ${result}` : ''}${took}`);
  }

  #tick() {
    this.#frame += 1;
    if (this.#out.isTTY) {
      this.#clear();
      this.#draw();
      return;
    }
    const now = Date.now();
    for (const [title, step] of this.#running) {
      const due = step.lastPlainMs === 0 ? step.startedMs + QUIET_MS : step.lastPlainMs + PLAIN_REPEAT_MS;
      if (now < due) continue;
      step.lastPlainMs = now;
      this.#out.write(`… ${title}${step.note ? `: ${step.note}` : ''} (${seconds(now - step.startedMs)})\n`);
    }
  }

  #clear() {
    if (this.#out.isTTY) this.#out.write('\r\u001b[K');
  }

  #draw() {
    if (!this.#out.isTTY || this.#running.size === 0) return;
    const now = Date.now();
    const parts = [...this.#running].map(
      ([title, step]) => `${title} ${seconds(now - step.startedMs)}${step.note ? ` (${step.note})` : ''}`,
    );
    const text = `${FRAMES[this.#frame % FRAMES.length]} ${parts.join(' · ')}`;
    this.#out.write(text.slice(0, Math.max(20, (this.#out.columns ?? 80) - 1)));
  }
}
