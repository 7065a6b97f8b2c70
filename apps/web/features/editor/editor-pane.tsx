'use client';
// The editor tab: open a path of the sandbox, edit, save, run. A file that changed underneath is never overwritten unasked.
import { useTranslations } from 'next-intl';
import { useCallback, useEffect, useRef, useState, type FormEvent } from 'react';
import { useLab } from '../connection/lab-context.tsx';
import type { Lab } from '../connection/lab.ts';
import { Dialog } from '../lesson/dialog.tsx';
import { timeOfDay } from '../lesson/format.ts';
import { Question } from '../terminal/terminal-pane.tsx';
import { absolutePath, languageOf, runLine } from './file-language.ts';
import type { MonacoHost } from './monaco-host.ts';
import styles from './editor-pane.module.css';

interface OpenFile {
  path: string;
  /** null: not there yet; made when it is saved. */
  version: string | null;
  savedAtMs: number | null;
}

interface EditorProps {
  shown: boolean;
  onState: (state: { name: string | null; dirty: boolean }) => void;
  onRun: (line: string) => void;
}

export function EditorPane({ shown, onState, onRun }: EditorProps) {
  const t = useTranslations('bench');
  const lab = useLab();
  const element = useRef<HTMLDivElement>(null);
  const host = useRef<MonacoHost | null>(null);
  const [path, setPath] = useState('');
  const [file, setFile] = useState<OpenFile | null>(null);
  const [dirty, setDirty] = useState(false);
  const [conflict, setConflict] = useState(false);
  const [leaving, setLeaving] = useState<string | null>(null);
  const [wanted, setWanted] = useState<{ text: string; path: string } | null>(null);

  useEffect(() => onState({ name: file?.path.split('/').at(-1) ?? null, dirty }), [file, dirty, onState]);

  const load = async (target: string) => {
    setConflict(false);
    setLeaving(null);
    const opened = await lab.request('file:read', { path: target }).catch(async (error: unknown) => {
      // A file that is not there yet is made by saving; anything else is said, and nothing is opened.
      if (await isMissing(lab, target)) return null;
      lab.say('error', error instanceof Error ? error.message : String(error));
      return undefined;
    });
    if (opened === undefined) return;
    setFile({ path: target, version: opened?.version ?? null, savedAtMs: null });
    setPath(target);
    setDirty(false);
    setWanted({ text: opened?.text ?? '', path: target });
  };
  /** Unsaved changes are never lost unasked. */
  const leaveFor = (target: string) => {
    if (dirty) setLeaving(target);
    else void load(target);
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (path.trim() === '') return;
    leaveFor(absolutePath(path));
  };
  const save = useCallback(
    async (overwrite = false): Promise<boolean> => {
      if (!file || !host.current) return false;
      const text = host.current.text();
      let { version } = file;
      try {
        if (overwrite) version = (await lab.request('file:read', { path: file.path })).version;
        const written = await lab.request('file:write', { path: file.path, text, version });
        setFile({ path: written.path, version: written.version, savedAtMs: Date.now() });
        setDirty(host.current.text() !== text);
        setConflict(false);
        return true;
      } catch (error) {
        const changed = await changedUnderneath(lab, file);
        if (changed) setConflict(true);
        else lab.say('error', error instanceof Error ? error.message : String(error));
        return false;
      }
    },
    [file, lab],
  );
  const run = async () => {
    if (!file || !host.current) return;
    if ((dirty || file.version === null) && !(await save())) return;
    onRun(runLine(file.path, languageOf(file.path, host.current.text())));
  };

  const saveNow = useRef(save);
  useEffect(() => {
    saveNow.current = save;
  }, [save]);
  useEffect(() => {
    if (!wanted) return undefined;
    let gone = false;
    const begin = async () => {
      const { openMonaco } = await import('./monaco-host.ts');
      if (gone || !element.current) return;
      host.current ??= openMonaco(element.current, {
        onChange: () => setDirty(true),
        onSave: () => void saveNow.current(),
      });
      host.current.show(wanted.text, languageOf(wanted.path, wanted.text), t('editorLabel', { path: wanted.path }));
    };
    void begin();
    return () => {
      gone = true;
    };
  }, [wanted, t]);
  useEffect(
    () => () => {
      host.current?.dispose();
      host.current = null;
    },
    [],
  );
  useEffect(() => {
    if (shown) host.current?.layout();
  }, [shown]);
  useEffect(() => {
    if (!dirty) return undefined;
    // The browser asks in its own words.
    const ask = (event: BeforeUnloadEvent) => event.preventDefault();
    window.addEventListener('beforeunload', ask);
    return () => window.removeEventListener('beforeunload', ask);
  }, [dirty]);

  return (
    <div className={styles.pane} role="tabpanel" id="panel-editor" aria-labelledby="tab-editor" hidden={!shown}>
      <div className={styles.bar}>
        <form onSubmit={submit}>
          <input
            value={path}
            onChange={(event) => setPath(event.target.value)}
            placeholder="/root/run.sh"
            aria-label={t('path')}
            spellCheck={false}
            autoCapitalize="off"
          />
          <button type="submit" className="btn sm">
            {t('open')}
          </button>
        </form>
        {file ? (
          <>
            <span className="note" role="status">
              {dirty
                ? t('unsaved')
                : file.savedAtMs !== null
                  ? t('saved', { time: timeOfDay(file.savedAtMs) })
                  : file.version === null
                    ? t('newFile')
                    : ''}
            </span>
            <button type="button" className="btn sm" onClick={() => void save()}>
              {t('save')}
            </button>
            <button type="button" className="btn sm solid" onClick={() => void run()}>
              {t('runFile')}
            </button>
          </>
        ) : null}
      </div>
      {conflict && file ? (
        <div className={styles.conflict} role="alert">
          <p>{t('conflict', { path: file.path })}</p>
          <button type="button" className="btn sm" onClick={() => leaveFor(file.path)}>
            {t('reload')}
          </button>
          <button type="button" className="btn sm" onClick={() => void save(true)}>
            {t('overwrite')}
          </button>
        </div>
      ) : null}
      <div className={styles.host}>
        <div ref={element} />
        {file ? null : <p className={styles.empty}>{t('editorEmpty')}</p>}
      </div>
      <Dialog open={leaving !== null} title={t('discardTitle')} onClose={() => setLeaving(null)}>
        <Question
          text={t('discardText', { path: file?.path ?? '' })}
          quote={leaving ?? ''}
          action={t('discard')}
          onYes={() => void load(leaving ?? '')}
          onNo={() => setLeaving(null)}
        />
      </Dialog>
    </div>
  );
}

/** After a refused save: is the file another than the one that was opened? */
async function changedUnderneath(lab: Lab, file: OpenFile): Promise<boolean> {
  try {
    return (await lab.request('file:read', { path: file.path })).version !== file.version;
  } catch {
    return false;
  }
}

/** Its directory can be read and has no such name. */
async function isMissing(lab: Lab, path: string): Promise<boolean> {
  const slash = path.lastIndexOf('/');
  try {
    const entries = await lab.request('file:list', { path: path.slice(0, slash) || '/' });
    return entries.every(({ name }) => name !== path.slice(slash + 1));
  } catch {
    return false;
  }
}
