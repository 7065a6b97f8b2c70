// The terminals of one learner: their names and number, and who of the tabs follows which. The bytes pass through Viewer.
import type { Terminal } from '@drydock/engine/api/lab/schemas.ts';
import { EngineError } from '@drydock/engine/model/engine-error.ts';
import type { TerminalInfo } from '@drydock/protocol/events.ts';
import type { Language } from '@drydock/protocol/lesson.ts';
import { MAX_TERMINALS } from '@drydock/protocol/session.ts';
import type { EngineClient } from '../engine-client/engine-client.ts';
import { LabError, say } from '../messages/messages.ts';
import { Viewer } from '../terminals/viewer.ts';
import { reply, type Reply, type Tab } from './tab.ts';
import { together } from './together.ts';

export interface DeskParts {
  engine: EngineClient;
  sandbox: string;
  tabs: ReadonlySet<Tab>;
}

interface Size {
  cols: number;
  rows: number;
}

/** How many a step begins with. */
const FIRST_TERMINALS = 2;
const ENVIRONMENT = { TERM: 'xterm-256color', LANG: 'C.UTF-8' };

export class TerminalDesk {
  readonly #parts: DeskParts;
  /** Terminal id -> its number, the lowest that was free. */
  readonly #numbers = new Map<string, number>();
  /** Tab -> terminal id -> its viewer. */
  readonly #viewers = new Map<Tab, Map<string, Viewer>>();
  #terminals: Terminal[] = [];

  constructor(parts: DeskParts) {
    this.#parts = parts;
  }

  /** As last read from the engine. */
  list(language: Language): TerminalInfo[] {
    return this.#terminals.map(({ id, tty, pid, exit }) => ({
      id,
      tty,
      pid,
      exit,
      name: say(language, 'terminalName', { number: this.#numbers.get(id) ?? 0 }),
    }));
  }

  /** Two living terminals to begin with; ended ones of a former life are put away. */
  async ensure(): Promise<void> {
    await this.refresh();
    if (this.#terminals.some(({ exit }) => exit === null)) return;
    await Promise.all(this.#terminals.map(({ id }) => this.#forget(id)));
    const { engine, sandbox } = this.#parts;
    const first = Array.from({ length: FIRST_TERMINALS }, () => engine.openTerminal(sandbox, { env: ENVIRONMENT }));
    this.#show(await together(first));
  }

  /** Reads them from the engine and tells every tab. */
  async refresh(): Promise<void> {
    this.#show(await this.#parts.engine.terminals(this.#parts.sandbox));
  }

  #show(terminals: Terminal[]): void {
    this.#terminals = terminals.toSorted((a, b) => a.createdAtMs - b.createdAtMs || (a.id < b.id ? -1 : 1));
    for (const id of this.#numbers.keys())
      if (!terminals.some((terminal) => terminal.id === id)) this.#numbers.delete(id);
    for (const { id } of this.#terminals) if (!this.#numbers.has(id)) this.#numbers.set(id, this.#freeNumber());
    this.#terminals.sort((a, b) => (this.#numbers.get(a.id) ?? 0) - (this.#numbers.get(b.id) ?? 0));
    for (const tab of this.#parts.tabs) tab.emit('terminal:list', this.list(tab.language));
  }

  async open(language: Language, size: Size): Promise<TerminalInfo> {
    await this.refresh();
    if (this.#terminals.length >= MAX_TERMINALS) throw new LabError('tooManyTerminals', { count: MAX_TERMINALS });
    const { id } = await this.#parts.engine.openTerminal(this.#parts.sandbox, { ...size, env: ENVIRONMENT });
    await this.refresh();
    const opened = this.list(language).find((terminal) => terminal.id === id);
    if (!opened) throw new LabError('noTerminal');
    return opened;
  }

  /** A tab follows a terminal from what it has already. */
  async attach(tab: Tab, id: string, from: number, size: Size): Promise<Reply<{ offset: number }>> {
    await this.resize(id, size);
    const { engine, sandbox } = this.#parts;
    const stream = await engine.streamTerminal(sandbox, id, from).catch(asGone);
    const viewer: Viewer = new Viewer(
      {
        open: (position) => engine.streamTerminal(sandbox, id, position),
        ended: async () => (await engine.terminal(sandbox, id)).exit !== null,
        send: (offset, data) => tab.emit('terminal:data', id, offset, data),
        congested: () => tab.congested(),
        over: () => void this.#over(tab, id, viewer),
      },
      from,
      stream,
    );
    if (!this.#parts.tabs.has(tab)) {
      viewer.close();
      stream.duplex.destroy();
      return reply({ offset: stream.offset });
    }
    this.detach(tab, id);
    const mine = this.#viewers.get(tab) ?? new Map<string, Viewer>();
    this.#viewers.set(tab, mine.set(id, viewer));
    return { value: () => ({ offset: viewer.firstOffset }), after: () => viewer.start() };
  }

  detach(tab: Tab, id: string): void {
    this.#viewers.get(tab)?.get(id)?.close();
    this.#viewers.get(tab)?.delete(id);
  }

  /** The tab is gone: it follows nothing any more. */
  leave(tab: Tab): void {
    for (const viewer of this.#viewers.get(tab)?.values() ?? []) viewer.close();
    this.#viewers.delete(tab);
  }

  input(tab: Tab, id: string, data: Uint8Array | string): void {
    const bytes =
      typeof data === 'string' ? Buffer.from(data) : Buffer.from(data.buffer, data.byteOffset, data.byteLength);
    this.#viewers.get(tab)?.get(id)?.input(bytes);
  }

  acknowledge(tab: Tab, id: string, offset: number): void {
    this.#viewers.get(tab)?.get(id)?.acknowledge(offset);
  }

  /** The tab's send buffer has room again. */
  drained(tab: Tab): void {
    for (const viewer of this.#viewers.get(tab)?.values() ?? []) viewer.reconsider();
  }

  /** Types a line into a terminal, as if by hand. */
  async type(tab: Tab, id: string, line: string): Promise<void> {
    const viewer = this.#viewers.get(tab)?.get(id);
    if (viewer) return viewer.input(Buffer.from(`${line}\r`));
    const { duplex } = await this.#parts.engine
      .streamTerminal(this.#parts.sandbox, id, Number.MAX_SAFE_INTEGER)
      .catch(asGone);
    await new Promise<void>((resolve) => duplex.write(`${line}\r`, () => resolve()));
    duplex.destroy();
  }

  async resize(id: string, size: Size): Promise<void> {
    try {
      await this.#parts.engine.resizeTerminal(this.#parts.sandbox, id, size);
    } catch (error) {
      // An ended shell has no size any more; its last output can still be read.
      if (!(error instanceof EngineError) || error.kind === 'not_found') asGone(error);
    }
  }

  async close(id: string): Promise<void> {
    for (const tab of this.#viewers.keys()) this.detach(tab, id);
    await this.#forget(id);
    await this.refresh();
  }

  /** The sandbox ends: nobody follows its terminals any more. */
  drop(): void {
    for (const tab of this.#viewers.keys()) this.leave(tab);
  }

  async #over(tab: Tab, id: string, viewer: Viewer): Promise<void> {
    if (this.#viewers.get(tab)?.get(id) !== viewer) return;
    this.detach(tab, id);
    const exit = await this.#parts.engine.terminal(this.#parts.sandbox, id).then(
      (terminal) => terminal.exit,
      () => null,
    );
    tab.emit('terminal:exit', id, exit ?? { code: null, signal: null });
    await this.refresh().catch(() => undefined);
  }

  async #forget(id: string): Promise<void> {
    await this.#parts.engine.closeTerminal(this.#parts.sandbox, id).catch((error: unknown) => {
      if (!(error instanceof EngineError) || error.kind !== 'not_found') throw error;
    });
  }

  #freeNumber(): number {
    const taken = new Set(this.#numbers.values());
    let number = 1;
    while (taken.has(number)) number += 1;
    return number;
  }
}

function asGone(error: unknown): never {
  if (error instanceof EngineError && error.kind === 'not_found') throw new LabError('noTerminal');
  throw error;
}
