'use client';
// Everything the lab knows of one process: command, state, who it is inside and outside, its group, its namespaces.
import type { TerminalInfo } from '@drydock/protocol/events.ts';
import { NAMESPACE_TYPES } from '@drydock/protocol/observed.ts';
import { useTranslations } from 'next-intl';
import { timeOfDay } from '../lesson/format.ts';
import { Glyph, Icon } from '../sign/sign.tsx';
import { terminalNumber } from '../terminal/terminal-number.ts';
import { againstParent, nameOf, type ProcessView } from './process-view.ts';
import { exitWord } from './words.ts';
import styles from './details.module.css';

const RELATION = { own: 'ownNs', shared: 'sharedNs', unreadable: 'unreadable', 'no-parent': 'noParent' } as const;

export function Details({
  view,
  parent,
  terminals,
  onClose,
}: {
  view: ProcessView;
  parent: ProcessView | null;
  terminals: readonly TerminalInfo[];
  onClose: () => void;
}) {
  const t = useTranslations('scope');
  const frame = useTranslations('frame');
  const { process } = view;
  const name = `${nameOf(process)} ${process.pids[0]}`;
  const terminal = terminals.find((candidate) => candidate.id === process.terminal);
  const uid = (value: number | null) => (value === null ? t('unmapped') : String(value));
  const rows: [string, string][] = [
    [t('command'), process.argv.join(' ') || process.comm],
    [t('state'), view.exit ? exitWord(view.exit, t) : t(`state${process.state}`)],
    [t('started'), timeOfDay(process.startedAtMs)],
    [t('pids'), process.pids.length > 1 ? t('pidsText', { list: process.pids.join(' → ') }) : String(process.pids[0])],
    [t('uid'), t('uidText', { inside: uid(process.uidInside), outside: uid(process.uidOutside) })],
    [t('cgroup'), process.cgroup],
    [
      t('tty'),
      [process.controllingTty ?? t('noTty'), terminal ? t('terminal', { number: terminalNumber(terminal) }) : null]
        .filter(Boolean)
        .join(', '),
    ],
  ];
  return (
    <section
      className={`${styles.details} ${process.pids.length > 1 ? styles.left : ''}`}
      aria-label={t('details', { name })}
    >
      <div className={styles.head}>
        <h3>{name}</h3>
        {view.isNew ? <span className="note">{t('newSince')}</span> : null}
        <button type="button" className="btn sm quiet icon" aria-label={frame('close')} onClick={onClose}>
          <Icon name="cross" />
        </button>
      </div>
      <div className={styles.body}>
        <dl className={styles.facts}>
          {rows.map(([label, value]) => (
            <Fact key={label} label={label} value={value} />
          ))}
          {view.nextChild === null ? null : (
            <dd className={styles.wide}>{t('childrenGoTo', { ns: `pid:[${view.nextChild}]` })}</dd>
          )}
        </dl>
        <table className={styles.types}>
          <thead>
            <tr>
              <th scope="col">{t('namespaces')}</th>
              <th scope="col">inode</th>
              <th scope="col">{t('againstParent')}</th>
            </tr>
          </thead>
          <tbody>
            {NAMESPACE_TYPES.map((type) => {
              const relation = againstParent(process, parent?.process ?? null, type);
              return (
                <tr key={type} className={relation === 'own' ? styles.ownRow : styles.sharedRow}>
                  <td>
                    <span className={styles.type}>
                      <Glyph type={type} own={view.own.includes(type)} size={16} />
                      {type}
                    </span>
                  </td>
                  <td>{process.namespaces[type] ?? '?'}</td>
                  <td>{t(RELATION[relation])}</td>
                </tr>
              );
            })}
          </tbody>
        </table>
      </div>
    </section>
  );
}

function Fact({ label, value }: { label: string; value: string }) {
  return (
    <>
      <dt>{label}</dt>
      <dd>{value}</dd>
    </>
  );
}
