// Which terminal is "Terminal 2": the number stands in its name, and stays when another is closed. Pure.
import type { TerminalInfo } from '@drydock/protocol/events.ts';

/** The number in a terminal's name. */
export function terminalNumber(terminal: Pick<TerminalInfo, 'name'>): number {
  return Number(/\d+/.exec(terminal.name)?.[0] ?? 0);
}

/** The living terminal of a number, else the first living one, else null. */
export function terminalFor(terminals: readonly TerminalInfo[], number: number): TerminalInfo | null {
  const living = terminals.filter((terminal) => terminal.exit === null);
  return living.find((terminal) => terminalNumber(terminal) === number) ?? living[0] ?? null;
}
