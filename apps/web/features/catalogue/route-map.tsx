// The route map: tracks as lines whose length is time, stations as lessons, the dock, the hull of the capstone, the water.
// A picture of what the lists below say in words; the stations that are open are links.
import { NAMESPACE_TYPES } from '@drydock/protocol/observed.ts';
import type { Catalogue } from '@drydock/protocol/pages.ts';
import { useLocale, useTranslations } from 'next-intl';
import { Glyph } from '../sign/sign.tsx';
import { fractionDone, lessonHref, lessonState, minutesOf, resumeOf, type Resume } from './progress.ts';
import { MAP, layoutRouteMap, type Line } from './route-map-layout.ts';
import styles from './route-map.module.css';

const HULL =
  'M672 150C732 159 804 154 878 136C874 190 870 262 856 318C850 340 840 352 822 352H712C694 352 686 340 684 322Z';
const wave = (y: number) => `M902 ${y}${'q6 -4 12 0t12 0'.repeat(20)}`;
const DOT = { done: styles.done, now: styles.here, ready: styles.ready, later: styles.laterDot };

export function RouteMap({ catalogue }: { catalogue: Catalogue }) {
  const t = useTranslations('catalogue');
  const map = layoutRouteMap(catalogue.tracks);
  const resume = resumeOf(catalogue);
  return (
    <section className={styles.box} aria-label={t('routeMap')}>
      <div className={`${styles.scroll} sheet-grid`}>
        <svg className={styles.map} viewBox={`0 4 ${MAP.width} ${MAP.height}`} role="group" aria-label={t('routeMap')}>
          <Dock pxPerMinute={map.pxPerMinute} />
          {map.links.map((path) => (
            <path key={path} className={styles.link} d={path} />
          ))}
          <path className={styles.arrow} d="M670 214l-9-4.5v9z" />
          {map.lines.map((line) => (
            <Track key={line.track.id} line={line} here={resume?.track.id === line.track.id ? resume : null} />
          ))}
        </svg>
      </div>
      <Legend />
    </section>
  );
}

function Dock({ pxPerMinute }: { pxPerMinute: number }) {
  const t = useTranslations('catalogue');
  const half = 30 * pxPerMinute;
  return (
    <>
      <text x="24" y="32" className={`${styles.n2} ${styles.b}`}>
        {t('inDock')}
        <tspan className={styles.n} dx="8" fontWeight="500">
          {t('inDockNote')}
        </tspan>
      </text>
      <text x="922" y="32" className={`${styles.n2} ${styles.b}`}>
        {t('afloat')}
        <tspan className={styles.n} dx="8" fontWeight="500">
          {t('afloatNote')}
        </tspan>
      </text>
      <path className={styles.floor} d={`M0 ${MAP.floorY}H896`} />
      <rect x="0" y={MAP.floorY} width="896" height="8" fill="url(#hatch)" />
      <rect className={styles.gate} x={MAP.gateX} y="20" width="12" height="372" />
      <rect x={MAP.gateX} y="20" width="12" height="372" fill="url(#hatch)" />
      <path className={styles.wave} strokeOpacity=".9" d={wave(366)} />
      <path className={styles.wave} strokeOpacity=".6" d={wave(377)} />
      <path className={styles.wave} strokeOpacity=".35" d={wave(388)} />
      <path className={styles.hull} d={HULL} />
      {[710, 758, 806].map((x) => (
        <g key={x}>
          <rect className={styles.block} x={x} y="352" width="22" height="40" />
          <rect x={x} y="352" width="22" height="40" fill="url(#hatch)" />
          <path className={styles.block} fill="none" d={`M${x} 365h22M${x} 378h22`} />
        </g>
      ))}
      {NAMESPACE_TYPES.map((type, index) => (
        <Glyph key={type} type={type} own x={693 + index * 20.5} y={258} size={17} />
      ))}
      <text x="694" y="298" className={styles.n2}>
        {t('hullNote1')}
      </text>
      <text x="694" y="314" className={styles.n2}>
        {t('hullNote2')}
      </text>
      <path
        className={styles.scale}
        d={`M24 364v8M24 368H${24 + 2 * half}M${24 + half} 364v8M${24 + 2 * half} 364v8`}
      />
      <text x="24" y="357" className={`${styles.n} ${styles.m}`}>
        0
      </text>
      <text x={24 + half} y="357" className={`${styles.n} ${styles.m}`}>
        30
      </text>
      <text x={24 + 2 * half} y="357" className={`${styles.n} ${styles.m}`}>
        {t('scaleMinutes', { count: 60 })}
      </text>
    </>
  );
}

function Track({ line, here }: { line: Line; here: Resume | null }) {
  const t = useTranslations('catalogue');
  const locale = useLocale();
  const { track, x, y, endX, stations } = line;
  const open = track.lessons.some((lesson) => lesson.available);
  const titleY = here ? y + 50 : y - 34;
  return (
    <g>
      <path
        className={`${styles.route} ${open ? '' : styles.routeLater}`}
        d={`M${x} ${y}H${endX}M${endX} ${y - 6}v12`}
      />
      {track.lessons.map((lesson, index) => {
        const from = stations[index] ?? x;
        const state = lessonState(lesson);
        const to = from + lesson.minutes * ((endX - x) / Math.max(1, minutesOf(track))) * fractionDone(lesson);
        const dot = (
          <>
            {to > from ? (
              <path className={state === 'done' ? styles.routeDone : styles.routeNow} d={`M${from} ${y}H${to}`} />
            ) : null}
            <circle className={DOT[state]} cx={from} cy={y} r={state === 'done' || state === 'now' ? 6.5 : 5.5} />
            <text
              x={from}
              y={y + 22}
              className={`${styles.m} ${state === 'later' ? styles.n : `${styles.n2} ${styles.b}`}`}
            >
              {lesson.code.replace(/^[A-Z]/, '') || index + 1}
            </text>
          </>
        );
        return lesson.available ? (
          <a key={lesson.id} className={styles.stationLink} href={lessonHref(track, lesson)}>
            <title>{`${lesson.code} ${lesson.title[locale]}`}</title>
            <rect x={from - 12} y={y - 14} width="24" height="40" fill="transparent" />
            {dot}
          </a>
        ) : (
          <g key={lesson.id}>
            <title>{`${lesson.code} ${lesson.title[locale]}, ${t('later')}`}</title>
            {dot}
          </g>
        );
      })}
      <text x={x - 6} y={titleY} className={`${styles.title} ${open ? '' : styles.later} ${here ? styles.halo : ''}`}>
        {track.title[locale]}
      </text>
      <text x={x - 6} y={titleY + 16} className={`${styles.n} ${here ? styles.halo : ''}`}>
        {t('trackNote', { count: track.lessons.length, minutes: minutesOf(track) })}
      </text>
      {here ? <Here line={line} resume={here} /> : null}
    </g>
  );
}

function Here({ line, resume }: { line: Line; resume: Resume }) {
  const t = useTranslations('catalogue');
  const locale = useLocale();
  const index = line.track.lessons.indexOf(resume.lesson);
  const from = line.stations[index] ?? line.x;
  const perMinute = (line.endX - line.x) / Math.max(1, minutesOf(line.track));
  const x = from + resume.lesson.minutes * perMinute * fractionDone(resume.lesson);
  const y = line.y;
  return (
    <g>
      <path className={styles.flagLine} d={`M${x} ${y - 16}V${y - 60}H${x + 9}`} />
      <path className={styles.flag} d={`M${x} ${y - 7}l-4.5-9h9z`} />
      <text x={x + 14} y={y - 56} className={`${styles.n2} ${styles.now} ${styles.halo}`}>
        {lessonState(resume.lesson) === 'now'
          ? t('youAreHere', { step: resume.step, steps: resume.lesson.steps })
          : t('begin')}
      </text>
      <text x={x + 14} y={y - 40} className={`${styles.n2} ${styles.b} ${styles.halo}`}>
        {resume.lesson.code} {resume.lesson.title[locale]}
      </text>
    </g>
  );
}

function Legend() {
  const t = useTranslations('catalogue');
  return (
    <div className={`${styles.legend} note`}>
      <span>
        <svg viewBox="0 0 26 12" aria-hidden="true">
          <path className={styles.routeDone} d="M0 6h26" />
          <circle className={styles.done} cx="6" cy="6" r="5.5" />
        </svg>
        {t('legendDone')}
      </span>
      <span>
        <svg viewBox="0 0 26 12" aria-hidden="true">
          <path className={styles.route} d="M0 6h26" />
          <path className={styles.routeNow} d="M0 6h16" />
          <circle className={styles.here} cx="5" cy="6" r="4.5" />
        </svg>
        {t('legendNow')}
      </span>
      <span>
        <svg viewBox="0 0 26 12" aria-hidden="true">
          <path className={styles.route} d="M0 6h26" />
          <circle className={styles.ready} cx="8" cy="6" r="4.5" />
        </svg>
        {t('legendReady')}
      </span>
      <span>
        <svg viewBox="0 0 26 12" aria-hidden="true">
          <path className={`${styles.route} ${styles.routeLater}`} d="M0 6h26" />
          <circle className={styles.laterDot} cx="8" cy="6" r="4.5" />
        </svg>
        {t('legendLater')}
      </span>
      <span>
        <svg viewBox="0 0 26 12" aria-hidden="true">
          <path className={styles.link} d="M0 6h26" />
        </svg>
        {t('legendLeads')}
      </span>
      <span className={styles.toScale}>{t('toScale')}</span>
    </div>
  );
}
