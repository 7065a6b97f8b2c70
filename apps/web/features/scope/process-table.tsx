'use client';
// The table form of the Processes view: a treegrid with levels. Arrow keys walk it; the choice is the drawing's too.
import type { TerminalInfo } from '@drydock/protocol/events.ts';
import type { Snapshot } from '@drydock/protocol/observed.ts';
import { useTranslations } from 'next-intl';
import { Fragment, memo, useMemo, useRef, type KeyboardEvent } from 'react';
import { Glyph } from '../sign/sign.tsx';
import { nameOf } from './process-view.ts';
import type { ProcessView } from './process-view.ts';
import { tableRows, type TableRow } from './table-rows.ts';
import { remark } from './words.ts';
import styles from './table.module.css';

interface TableProps {
  snapshot: Snapshot;
  views: readonly ProcessView[];
  terminals: readonly TerminalInfo[];
  selected: string | null;
  onSelect: (key: string) => void;
}

export function ProcessTable({ snapshot, views, terminals, selected, onSelect }: TableProps) {
  const t = useTranslations('scope');
  const body = useRef<HTMLTableSectionElement>(null);
  const rows = useMemo(() => tableRows(views, snapshot.namespaces.pid), [views, snapshot.namespaces.pid]);
  const current = rows.some((row) => row.view.key === selected) ? selected : (rows[0]?.view.key ?? null);
  const onKeyDown = (event: KeyboardEvent) => {
    const index = rows.findIndex((row) => row.view.key === current);
    const row = rows[index];
    const target = row ? destination(event.key, rows, index, row) : null;
    if (target === null) return;
    event.preventDefault();
    onSelect(target);
    body.current?.querySelector<HTMLElement>(`[data-row="${CSS.escape(target)}"]`)?.focus();
  };
  return (
    <div className={styles.pane}>
      <table className={styles.table} role="treegrid" aria-label={t('tableLabel')} aria-readonly="true">
        <thead>
          <tr>
            <th scope="col" className={styles.number}>
              {t('colHost')}
            </th>
            <th scope="col" className={styles.number}>
              {t('colInside')}
            </th>
            <th scope="col">{t('colProcess')}</th>
            <th scope="col">{t('colState')}</th>
            <th scope="col" className={styles.ownHead}>
              {t('colOwn')}
            </th>
          </tr>
        </thead>
        <tbody ref={body} onKeyDown={onKeyDown}>
          {rows.map((row) => (
            <Row
              key={row.view.key}
              view={row.view}
              branch={row.branch}
              level={row.level}
              position={row.position}
              siblings={row.siblings}
              opens={row.opens}
              remark={remark(row.view, terminals, t)}
              selected={row.view.key === selected}
              focusable={row.view.key === current}
              onSelect={onSelect}
            />
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** Treegrid keys (WAI-ARIA APG): up, down, home, end; left to the parent, right to the first child. */
function destination(key: string, rows: readonly TableRow[], index: number, row: TableRow): string | null {
  if (key === 'ArrowDown') return rows[index + 1]?.view.key ?? null;
  if (key === 'ArrowUp') return rows[index - 1]?.view.key ?? null;
  if (key === 'Home') return rows[0]?.view.key ?? null;
  if (key === 'End') return rows.at(-1)?.view.key ?? null;
  if (key === 'ArrowLeft') return row.parent;
  if (key === 'ArrowRight') return row.firstChild;
  if (key === 'Enter' || key === ' ') return row.view.key;
  return null;
}

interface RowProps {
  view: ProcessView;
  branch: string;
  level: number;
  position: number;
  siblings: number;
  opens: number | null;
  remark: string;
  selected: boolean;
  focusable: boolean;
  onSelect: (key: string) => void;
}

const Row = memo(function Row({ view, selected, focusable, onSelect, ...row }: RowProps) {
  const t = useTranslations('scope');
  const { pids } = view.process;
  const name = nameOf(view.process);
  const classes = [
    styles.row,
    pids.length > 1 && styles.inside,
    view.marked && styles.marked,
    view.exit && styles.gone,
    selected && styles.selected,
  ];
  return (
    <Fragment>
      {row.opens === null ? null : (
        <tr className={styles.caption} role="presentation">
          <td colSpan={5} role="presentation">
            <span>
              <Glyph type="pid" own size={16} /> {`pid:[${row.opens}]`}
            </span>
          </td>
        </tr>
      )}
      <tr
        className={classes.filter(Boolean).join(' ')}
        data-row={view.key}
        aria-level={row.level}
        aria-posinset={row.position}
        aria-setsize={row.siblings}
        aria-selected={selected}
        tabIndex={focusable ? 0 : -1}
        onClick={() => onSelect(view.key)}
      >
        <td className={styles.number}>{pids[0]}</td>
        <td className={`${styles.number} ${styles.innerPid}`}>{pids.slice(1).join(' ')}</td>
        <td>
          <span className={styles.branch} aria-hidden="true">
            {row.branch}
          </span>
          {view.exit ? <s>{name}</s> : name}
        </td>
        <td className={styles.state}>
          {view.isNew && !view.exit ? <span className={styles.new}>{t('new')} </span> : null}
          {row.remark}
          {view.nextChild === null ? null : `, ${t('nextChild')} …${String(view.nextChild).slice(-4)}`}
          {view.marked ? <span className="vh">, {t('marked')}</span> : null}
        </td>
        <td className={styles.glyphs}>
          {view.own.map((type) => (
            <Fragment key={type}>
              <Glyph type={type} own size={16} />
              <span className="vh">{type} </span>
            </Fragment>
          ))}
        </td>
      </tr>
    </Fragment>
  );
});
