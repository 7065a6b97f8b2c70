'use client';
// Scope, Processes view: what the kernel holds right now, as a drawing or as a table, and the namespaces of one process.
import { NAMESPACE_TYPES } from '@drydock/protocol/observed.ts';
import { useTranslations } from 'next-intl';
import { useMemo, useState } from 'react';
import { useLabState } from '../connection/lab-context.tsx';
import type { ScopeState } from '../connection/scope-feed.ts';
import { Glyph } from '../sign/sign.tsx';
import { Details } from './details.tsx';
import { Drawing } from './drawing.tsx';
import { nameOf, processViews, type ProcessView } from './process-view.ts';
import { ProcessTable } from './process-table.tsx';
import styles from './scope.module.css';

type Form = 'drawing' | 'table';

/** `tableFirst`: on a phone the table is what opens. */
export function Scope({ tableFirst }: { tableFirst: boolean }) {
  const t = useTranslations('scope');
  const scope = useLabState((state) => state.scope);
  const [chosenForm, setForm] = useState<Form | null>(null);
  const form = chosenForm ?? (tableFirst ? 'table' : 'drawing');
  return (
    <section className={styles.scope} aria-label={t('label')}>
      <div className={styles.head}>
        <h2>{t('processes')}</h2>
        {scope ? <span className="note">{t('count', { count: scope.snapshot.processes.length })}</span> : null}
        <span className="spacer" />
        <div className="seg" role="group" aria-label={t('form')}>
          {(['drawing', 'table'] as const).map((which) => (
            <button key={which} type="button" aria-pressed={form === which} onClick={() => setForm(which)}>
              {t(which)}
            </button>
          ))}
        </div>
      </div>
      {scope ? (
        <Processes scope={scope} form={form} />
      ) : (
        <p className={`${styles.waiting} small sheet-grid`} style={{ gridRow: '2 / -1' }}>
          {t('waiting')}
        </p>
      )}
    </section>
  );
}

function Processes({ scope, form }: { scope: ScopeState; form: Form }) {
  const terminals = useLabState((state) => state.terminals);
  const baseline = useLabState((state) => state.baseline);
  const verdict = useLabState((state) => state.verdict);
  const [chosen, setChosen] = useState<string | null>(null);
  const [detailed, setDetailed] = useState(false);
  const makeViews = useMemo(() => processViews(), []);
  const mark = verdict?.checks.find((check) => check.state === 'contradicts' && check.mark !== null)?.mark ?? null;
  const views = useMemo(() => makeViews(scope, baseline, mark), [makeViews, scope, baseline, mark]);
  const byKey = new Map(views.map((view) => [view.key, view]));
  // Without a choice: the process the checks are about, else the first terminal's shell, else the first there is.
  const selected =
    byKey.get(chosen ?? '') ??
    byKey.get(verdict?.subject ?? '') ??
    views.find((view) => view.process.terminal !== null && view.process.terminal === terminals[0]?.id) ??
    views[0];
  const select = useMemo(
    () => (key: string) => {
      setChosen(key);
      setDetailed(true);
    },
    [],
  );
  const shown = {
    snapshot: scope.snapshot,
    views,
    terminals,
    selected: selected?.key ?? null,
    onSelect: select,
  };
  return (
    <>
      {selected ? (
        <NamespaceRow view={selected} expanded={detailed} onToggle={() => setDetailed(!detailed)} />
      ) : (
        <span />
      )}
      {form === 'drawing' ? <Drawing {...shown} /> : <ProcessTable {...shown} />}
      {detailed && selected ? (
        <Details
          view={selected}
          parent={byKey.get(selected.process.parentKey ?? '') ?? null}
          terminals={terminals}
          onClose={() => setDetailed(false)}
        />
      ) : null}
    </>
  );
}

function NamespaceRow({ view, expanded, onToggle }: { view: ProcessView; expanded: boolean; onToggle: () => void }) {
  const t = useTranslations('scope');
  const { process } = view;
  const name = `${nameOf(process)} ${process.pids[0]}`;
  return (
    <div className={styles.namespaces} data-inodes="">
      <button type="button" className={`btn sm quiet ${styles.who}`} aria-expanded={expanded} onClick={onToggle}>
        <span className="note">
          <b>{name}</b>
        </span>
      </button>
      <ul aria-label={t('namespacesOf', { name })}>
        {NAMESPACE_TYPES.map((type) => {
          const inode = process.namespaces[type];
          const own = view.own.includes(type);
          const word = inode === null ? t('unreadable') : t(own ? 'own' : 'shared');
          return (
            <li key={type} className={own ? styles.own : ''} title={`${type}:[${inode ?? '?'}], ${word}`}>
              <Glyph type={type} own={own} />
              <span>{type}</span>
              <span className={styles.inode} aria-hidden="true">
                {inode === null ? '?' : `…${String(inode).slice(-4)}`}
              </span>
              <span className="vh">
                {inode ?? '?'}, {word}
              </span>
            </li>
          );
        })}
      </ul>
      <span className={`${styles.legend} note`}>{t('legend')}</span>
    </div>
  );
}
