// What Scope says of a process, in the page's language: one short remark for a plate or a table cell.
import type { TerminalInfo } from '@drydock/protocol/events.ts';
import type { useTranslations } from 'next-intl';
import { signalName } from '../lesson/format.ts';
import { terminalNumber } from '../terminal/terminal-number.ts';
import type { ProcessView } from './process-view.ts';

export type ScopeWords = ReturnType<typeof useTranslations<'scope'>>;

/** How it ended, or what it is (init, a terminal's shell), or the word for its state. */
export function remark(view: ProcessView, terminals: readonly TerminalInfo[], t: ScopeWords): string {
  const { process, exit } = view;
  if (exit) return exitWord(exit, t);
  const terminal = terminals.find((candidate) => candidate.id === process.terminal);
  const state = t(`state${process.state}`);
  if (terminal) return t('terminal', { number: terminalNumber(terminal) });
  if (view.isInit) return process.state === 'S' || process.state === 'R' ? t('initHere') : `${t('initHere')}, ${state}`;
  return state;
}

export function exitWord(exit: { code: number | null; signal: number | null }, t: ScopeWords): string {
  if (exit.signal !== null) return t('exitSignal', { signal: signalName(exit.signal) });
  return exit.code === null ? t('exitUnknown') : t('exitCode', { code: exit.code });
}
