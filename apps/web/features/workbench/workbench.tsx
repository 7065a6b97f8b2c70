'use client';
// The workbench: terminals and the editor as tabs. All of them stay open while another is in front.
import type { TerminalInfo } from '@drydock/protocol/events.ts';
import { MAX_TERMINALS } from '@drydock/protocol/session.ts';
import { useTranslations } from 'next-intl';
import { useCallback, useEffect, useRef, useState, type KeyboardEvent } from 'react';
import { useLab, useLabState } from '../connection/lab-context.tsx';
import { EditorPane } from '../editor/editor-pane.tsx';
import { useViews } from '../lesson/views.tsx';
import type { NamespaceType } from '@drydock/protocol/observed.ts';
import { Glyph, Icon } from '../sign/sign.tsx';
import { insideOf } from '../terminal/inside.ts';
import { terminalFor, terminalNumber } from '../terminal/terminal-number.ts';
import { loadTerminal, TerminalPane } from '../terminal/terminal-pane.tsx';
import styles from './workbench.module.css';

const EDITOR = 'editor';
const NEW_SIZE = { cols: 80, rows: 24 };

/** Glyphs of the namespaces that whoever reads this terminal's keys does not share with the host. */
function InsideSigns({ terminal, shown }: { terminal: string; shown: boolean }) {
  const t = useTranslations('bench');
  const own = useLabState((state) =>
    state.scope ? (insideOf(state.scope.snapshot, terminal)?.own.join(' ') ?? '') : '',
  );
  if (own === '') return null;
  // SAFETY: joined from namespace types one line above.
  const types = own.split(' ') as NamespaceType[];
  return (
    <span className={`${styles.signs} ${shown ? 'on-term' : ''}`}>
      {types.slice(0, 4).map((type) => (
        <Glyph key={type} type={type} own size={15} />
      ))}
      <span className="vh">{t('insideTab', { types: types.join(', ') })}</span>
    </span>
  );
}

export function Workbench() {
  const t = useTranslations('bench');
  const lab = useLab();
  const views = useViews();
  const terminals = useLabState((state) => state.terminals);
  const opened = useLabState((state) => state.openStep !== null);
  const [edited, setEdited] = useState<{ name: string | null; dirty: boolean }>({ name: null, dirty: false });
  const [sizes, setSizes] = useState<Record<string, { cols: number; rows: number }>>({});
  const [screenReader, setScreenReader] = useState(false);
  const tabList = useRef<HTMLDivElement>(null);
  const ids = [...terminals.map((terminal) => terminal.id), EDITOR];
  const current = views.tab !== null && ids.includes(views.tab) ? views.tab : (ids[0] ?? EDITOR);
  const shownTerminal = terminals.find((terminal) => terminal.id === current);
  const size = sizes[current];

  // While the sandbox is made: the terminals then only have to attach.
  useEffect(() => void loadTerminal(), []);

  const openTerminal = async () => {
    const made = await lab.ask('terminal:open', NEW_SIZE);
    if (!made) return;
    lab.store.setState((state) =>
      state.terminals.some((terminal) => terminal.id === made.id) ? {} : { terminals: [...state.terminals, made] },
    );
    views.showTerminal(made.id);
  };
  const replace = async (ended: TerminalInfo) => {
    // Closed first: the new one then takes its number.
    await lab.ask('terminal:close', { terminal: ended.id });
    lab.store.setState((state) => ({ terminals: state.terminals.filter((terminal) => terminal.id !== ended.id) }));
    await openTerminal();
  };
  const run = (line: string) => {
    const first = terminalFor(lab.store.getState().terminals, 1);
    if (!first) return;
    views.showTerminal(first.id);
    if (!lab.send('terminal:input', { terminal: first.id, data: `${line}\r` })) lab.say('warn', t('notSent'));
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    const index = ids.indexOf(current);
    const next =
      event.key === 'Home'
        ? ids[0]
        : event.key === 'End'
          ? ids.at(-1)
          : step
            ? ids[(index + step + ids.length) % ids.length]
            : undefined;
    if (next === undefined) return;
    event.preventDefault();
    views.setTab(next);
    tabList.current?.querySelector<HTMLElement>(`#tab-${CSS.escape(next)}`)?.focus();
  };
  const leave = useCallback((id: string) => {
    tabList.current?.querySelector<HTMLElement>(`#tab-${CSS.escape(id)}`)?.focus();
  }, []);
  return (
    <section className={styles.bench} aria-label={t('label')}>
      <div className={styles.head}>
        <div className={styles.tabs} role="tablist" aria-label={t('label')} ref={tabList} onKeyDown={onKeyDown}>
          {terminals.map((terminal) => (
            <button
              key={terminal.id}
              type="button"
              role="tab"
              id={`tab-${terminal.id}`}
              aria-controls={`panel-${terminal.id}`}
              aria-selected={current === terminal.id}
              tabIndex={current === terminal.id ? 0 : -1}
              title={t('leave')}
              onClick={() => views.showTerminal(terminal.id)}
            >
              <Icon name="term" />
              {t('terminal', { number: terminalNumber(terminal) })}
              <InsideSigns terminal={terminal.id} shown={current === terminal.id} />
              {terminal.exit ? <span className="note">{t('ended')}</span> : null}
            </button>
          ))}
          <button
            type="button"
            role="tab"
            id="tab-editor"
            className={styles.editorTab}
            aria-controls="panel-editor"
            aria-selected={current === EDITOR}
            tabIndex={current === EDITOR ? 0 : -1}
            onClick={() => views.setTab(EDITOR)}
          >
            <Icon name="file" />
            {edited.name === null ? t('editor') : t('editorFile', { name: edited.name })}
            {edited.dirty ? (
              <>
                <span className={styles.dirty} aria-hidden="true" />
                <span className="vh">{t('unsaved')}</span>
              </>
            ) : null}
          </button>
        </div>
        <div className={styles.tools}>
          {shownTerminal && size ? (
            <span className="note">{t('sizeNote', { tty: shownTerminal.tty, cols: size.cols, rows: size.rows })}</span>
          ) : null}
          <button
            type="button"
            className="btn sm quiet icon"
            aria-pressed={screenReader}
            aria-label={t('screenReader')}
            title={t('screenReader')}
            onClick={() => setScreenReader(!screenReader)}
          >
            <Icon name={screenReader ? 'check' : 'reader'} />
          </button>
          <button
            type="button"
            className="btn sm quiet icon"
            aria-label={t('newTerminal')}
            title={t('newTerminal')}
            disabled={!opened || terminals.length >= MAX_TERMINALS}
            onClick={() => void openTerminal()}
          >
            <Icon name="plus" />
          </button>
        </div>
      </div>
      <div className={styles.panels}>
        {terminals.length === 0 && current !== EDITOR ? <p className={styles.waiting}>{t('starting')}</p> : null}
        {terminals.map((terminal) => (
          <TerminalPane
            key={terminal.id}
            terminal={terminal}
            name={t('terminal', { number: terminalNumber(terminal) })}
            shown={current === terminal.id}
            screenReader={screenReader}
            focusRequest={views.focusRequest.terminal === terminal.id ? views.focusRequest.count : 0}
            onLeave={() => leave(terminal.id)}
            onResize={(cols, rows) => setSizes((old) => ({ ...old, [terminal.id]: { cols, rows } }))}
            onOpenNew={() => void replace(terminal)}
          />
        ))}
        <EditorPane shown={current === EDITOR} onState={setEdited} onRun={run} />
      </div>
    </section>
  );
}
