'use client';
// The sandbox in the top bar: is it running, how long yet, what does it use. An announced end is said by notices.tsx.
import { useTranslations } from 'next-intl';
import { useLabState } from '../connection/lab-context.tsx';
import { bytes, clock } from './format.ts';
import { sparkArea, sparkline } from './sparkline.ts';
import { useNow } from './use-now.ts';
import styles from './sandbox-plate.module.css';

export function SandboxPlate() {
  const t = useTranslations('sandbox');
  const connection = useLabState((state) => state.connection);
  const sandbox = useLabState((state) => state.sandbox);
  const load = useLabState((state) => state.load);
  const now = useNow();
  const state = connection === 'online' ? (sandbox?.state ?? 'starting') : connection;
  const left = sandbox?.endsAtMs && now !== null ? clock(sandbox.endsAtMs - now) : null;
  return (
    <div className={styles.plate} role="group" aria-label={t('label')}>
      <span className={styles.state} title={sandbox?.message ?? undefined}>
        <span className={styles.lamp} data-state={state} aria-hidden="true" />
        <span>{t(state)}</span>
      </span>
      {left === null ? null : <span className={styles.left}>{t('left', { time: left })}</span>}
      {sandbox && connection === 'online' ? (
        <>
          <span className={styles.cpu} title={t('cpuTitle', { percent: Math.round(sandbox.cpuPercent) })}>
            <i>{t('cpu')}</i>
            <Spark readings={load.cpuPercent} most={Math.max(100, ...load.cpuPercent)} />
            <span className={styles.number}>{Math.round(sandbox.cpuPercent)}%</span>
          </span>
          <span
            className={styles.mem}
            title={t('memTitle', { used: bytes(sandbox.memoryBytes), limit: bytes(sandbox.memoryLimitBytes) })}
          >
            <i>{t('mem')}</i>
            <Spark readings={load.memoryBytes} most={sandbox.memoryLimitBytes} />
            {bytes(sandbox.memoryBytes)}
          </span>
        </>
      ) : null}
    </div>
  );
}

function Spark({ readings, most }: { readings: readonly number[]; most: number }) {
  const path = sparkline(readings, 60, most);
  return (
    <svg className={styles.spark} viewBox="0 0 40 16" aria-hidden="true">
      <path className={styles.area} d={sparkArea(path)} />
      <path d={path} />
    </svg>
  );
}
