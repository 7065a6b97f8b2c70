'use client';
// One terminal tab: the screen, its questions (paste, link, search), what stands there when the shell has ended, the phone's
// key row. xterm itself is loaded apart from the page.
import type { TerminalInfo } from '@drydock/protocol/events.ts';
import { useTranslations } from 'next-intl';
import { useEffect, useRef, useState } from 'react';
import { useLab, useLabState } from '../connection/lab-context.tsx';
import { Dialog } from '../lesson/dialog.tsx';
import { signalName } from '../lesson/format.ts';
import { Icon } from '../sign/sign.tsx';
import { insideOf } from './inside.ts';
import type { TerminalSession } from './terminal-session.ts';
import styles from './terminal-pane.module.css';

interface PaneProps {
  terminal: TerminalInfo;
  name: string;
  shown: boolean;
  screenReader: boolean;
  /** Rises when this terminal should take the keyboard; 0 when it is another's turn. */
  focusRequest: number;
  onLeave: () => void;
  onResize: (cols: number, rows: number) => void;
  onOpenNew: () => void;
}

interface PasteQuestion {
  lines: number;
  text: string;
  answer: (yes: boolean) => void;
}

/** xterm measures its cell once: with the face that will be there, not with what stands in for it. */
export async function loadTerminal() {
  const [terminal] = await Promise.all([
    import('./terminal-session.ts'),
    document.fonts.load('13.4px "IBM Plex Mono"'),
  ]);
  return terminal;
}

export function TerminalPane(props: PaneProps) {
  const { terminal, name, shown, screenReader, focusRequest } = props;
  const t = useTranslations('bench');
  const lab = useLab();
  const session = useLabState((state) => state.session);
  const scope = useLabState((state) => state.scope);
  const screen = useRef<HTMLDivElement>(null);
  const gutter = useRef<HTMLDivElement>(null);
  const answered = useRef(0);
  const [open, setOpen] = useState<TerminalSession | null>(null);
  const [searching, setSearching] = useState(false);
  const [paste, setPaste] = useState<PasteQuestion | null>(null);
  const [link, setLink] = useState<string | null>(null);
  const [control, setControl] = useState(false);
  const latest = useRef({ ...props, t });
  useEffect(() => {
    latest.current = { ...props, t };
  });

  useEffect(() => {
    let gone = false;
    let made: TerminalSession | null = null;
    const begin = async () => {
      const { openTerminalSession } = await loadTerminal();
      if (gone || !screen.current || !gutter.current) return;
      made = openTerminalSession(
        screen.current,
        terminal.id,
        lab,
        {
          paste: (lines, text) => new Promise((answer) => setPaste({ lines, text, answer })),
          link: setLink,
          search: () => setSearching(true),
          leave: () => latest.current.onLeave(),
          scrollbackLost: () => latest.current.t('scrollbackLost'),
          attachFailed: (reason) => latest.current.t('attachFailed', { reason }),
          resized: (cols, rows) => latest.current.onResize(cols, rows),
          inside: (label) => latest.current.t('insideOf', { namespace: label }),
        },
        {
          screenReader: latest.current.screenReader,
          gutter: gutter.current,
          onControlUsed: () => setControl(false),
        },
      );
      setOpen(made);
    };
    void begin();
    return () => {
      gone = true;
      made?.dispose();
      setOpen(null);
    };
  }, [lab, terminal.id]);

  useEffect(() => {
    if (session > 0) open?.attach();
  }, [open, session]);
  useEffect(() => {
    if (scope) open?.setInside(insideOf(scope.snapshot, terminal.id));
  }, [open, scope, terminal.id]);
  useEffect(() => {
    open?.setScreenReader(screenReader);
  }, [open, screenReader]);
  useEffect(() => {
    open?.armControl(control);
  }, [open, control]);
  useEffect(() => {
    if (shown) open?.fit();
  }, [open, shown]);
  useEffect(() => {
    // A request is answered once: who comes back to this tab with the arrow keys stays on the tab.
    if (!open || !shown || focusRequest <= answered.current) return;
    answered.current = focusRequest;
    open.focus();
  }, [open, shown, focusRequest]);

  const answerPaste = (yes: boolean) => {
    paste?.answer(yes);
    setPaste(null);
  };
  const key = (data: string) => {
    open?.type(data);
    open?.focus();
  };
  return (
    <div
      className={styles.pane}
      role="tabpanel"
      id={`panel-${terminal.id}`}
      aria-labelledby={`tab-${terminal.id}`}
      aria-description={t('terminalLabel', { name, leave: t('leave') })}
      hidden={!shown}
    >
      <div ref={screen} className={styles.screen} data-terminal={terminal.id} />
      <div ref={gutter} className={`${styles.gutter} on-term`} aria-hidden="true" />
      {open ? null : <p className={styles.waiting}>{t('loading')}</p>}
      {searching ? (
        <Search
          name={name}
          find={(text, direction) => open?.find(text, direction) ?? false}
          close={() => {
            setSearching(false);
            open?.clearSearch();
            open?.focus();
          }}
        />
      ) : null}
      {terminal.exit ? (
        <div className={styles.ended} role="status">
          <span>{endedText(terminal.exit, t)}</span>
          <button type="button" className="btn sm" onClick={props.onOpenNew}>
            {t('openNew')}
          </button>
        </div>
      ) : (
        <div className={styles.keys} role="group" aria-label={t('keys')}>
          <button type="button" aria-pressed={control} onClick={() => setControl(!control)}>
            {t('keyCtrl')}
          </button>
          <button type="button" onClick={() => key('\t')}>
            {t('keyTab')}
          </button>
          <button type="button" onClick={() => key('\u001b')}>
            {t('keyEsc')}
          </button>
          {ARROWS.map(([label, sign, sequence]) => (
            <button key={label} type="button" aria-label={t(label)} onClick={() => key(sequence)}>
              {sign}
            </button>
          ))}
        </div>
      )}
      <Dialog
        open={paste !== null}
        title={t('pasteTitle', { count: paste?.lines ?? 0 })}
        onClose={() => answerPaste(false)}
      >
        <Question
          text={t('pasteText')}
          quote={paste?.text ?? ''}
          action={t('paste')}
          onYes={() => answerPaste(true)}
          onNo={() => answerPaste(false)}
        />
      </Dialog>
      <Dialog open={link !== null} title={t('linkTitle')} onClose={() => setLink(null)}>
        <Question
          text={t('linkText')}
          quote={link ?? ''}
          action={t('openLink')}
          onYes={() => {
            if (link !== null) window.open(link, '_blank', 'noopener,noreferrer');
            setLink(null);
          }}
          onNo={() => setLink(null)}
        />
      </Dialog>
    </div>
  );
}

const ARROWS = [
  ['keyLeft', '←', '\u001b[D'],
  ['keyUp', '↑', '\u001b[A'],
  ['keyDown', '↓', '\u001b[B'],
  ['keyRight', '→', '\u001b[C'],
] as const;

function endedText(exit: NonNullable<TerminalInfo['exit']>, t: ReturnType<typeof useTranslations<'bench'>>): string {
  if (exit.signal !== null) return t('endedSignal', { signal: signalName(exit.signal) });
  return exit.code === null ? t('endedUnknown') : t('endedCode', { code: exit.code });
}

/** A question with what it is about quoted in full. */
export function Question({
  text,
  quote,
  action,
  onYes,
  onNo,
}: {
  text: string;
  quote: string;
  action: string;
  onYes: () => void;
  onNo: () => void;
}) {
  const frame = useTranslations('frame');
  return (
    <>
      <p>{text}</p>
      <pre
        tabIndex={0}
        style={{
          maxHeight: '40vh',
          overflow: 'auto',
          margin: '10px 0 14px',
          padding: '8px 12px',
          background: 'var(--sunk)',
          whiteSpace: 'pre-wrap',
          overflowWrap: 'anywhere',
        }}
      >
        {quote}
      </pre>
      <div style={{ display: 'flex', gap: 10 }}>
        <button type="button" className="btn solid" onClick={onYes}>
          {action}
        </button>
        <button type="button" className="btn" onClick={onNo}>
          {frame('cancel')}
        </button>
      </div>
    </>
  );
}

function Search({
  name,
  find,
  close,
}: {
  name: string;
  find: (text: string, direction: 'next' | 'previous') => boolean;
  close: () => void;
}) {
  const t = useTranslations('bench');
  const frame = useTranslations('frame');
  const [text, setText] = useState('');
  const [found, setFound] = useState(true);
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => input.current?.focus(), []);
  const go = (direction: 'next' | 'previous', wanted = text) => setFound(wanted === '' || find(wanted, direction));
  return (
    <form
      className={styles.search}
      role="search"
      aria-label={t('search', { name })}
      onSubmit={(event) => {
        event.preventDefault();
        go('previous');
      }}
      onKeyDown={(event) => {
        if (event.key === 'Escape') close();
      }}
    >
      <input
        ref={input}
        value={text}
        placeholder={t('searchPlaceholder')}
        aria-label={t('search', { name })}
        onChange={(event) => {
          setText(event.target.value);
          go('previous', event.target.value);
        }}
      />
      <span className="note" role="status">
        {found ? '' : t('searchNone')}
      </span>
      <button type="submit" className="btn sm quiet icon" aria-label={t('searchPrevious')}>
        <Icon name="up" />
      </button>
      <button type="button" className="btn sm quiet icon" aria-label={t('searchNext')} onClick={() => go('next')}>
        <Icon name="down" />
      </button>
      <button type="button" className="btn sm quiet icon" aria-label={frame('close')} onClick={close}>
        <Icon name="cross" />
      </button>
    </form>
  );
}
