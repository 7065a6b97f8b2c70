'use client';
// The lesson page: bar, text, Scope, workbench. Owns which step is shown and what is in front; the lab owns the rest.
import type { LessonPage } from '@drydock/protocol/pages.ts';
import { useTranslations } from 'next-intl';
import { useSearchParams } from 'next/navigation';
import { useEffect, useMemo, useState, type CSSProperties } from 'react';
import { LabProvider, useLabState } from '../connection/lab-context.tsx';
import { createLab } from '../connection/lab.ts';
import { LanguageSwitch } from '../frame/language-switch.tsx';
import { ThemeSwitch } from '../frame/theme-switch.tsx';
import type { Theme } from '../frame/theme.ts';
import { TopBar } from '../frame/top-bar.tsx';
import { Scope } from '../scope/scope.tsx';
import { Icon } from '../sign/sign.tsx';
import { Workbench } from '../workbench/workbench.tsx';
import { Announcer } from './announcer.tsx';
import { useLayoutMode } from './layout-mode.ts';
import { LessonColumn } from './lesson-column.tsx';
import { Notices } from './notices.tsx';
import { Reset } from './reset.tsx';
import { SandboxPlate } from './sandbox-plate.tsx';
import { Sash } from './sash.tsx';
import { useShare } from './share.ts';
import { SHEET, stepOf } from './step-address.ts';
import { StepNav } from './step-nav.tsx';
import { ViewsContext, type View, type Views } from './views.tsx';
import styles from './lesson-app.module.css';

export function LessonApp({ page, theme }: { page: LessonPage; theme: Theme }) {
  const t = useTranslations('lesson');
  const words = useTranslations('sandbox');
  const search = useSearchParams();
  const [first] = useState(page);
  const [lab] = useState(() => createLab(page.track.id, page.lesson.id, page.progress));
  const at = stepOf(first, search.get('step'));
  const mode = useLayoutMode();
  const [view, setView] = useState<View>('lesson');
  const [tab, setTab] = useState<string | null>(null);
  const [focusRequest, setFocusRequest] = useState<Views['focusRequest']>({ terminal: null, count: 0 });
  const [share, moveSash] = useShare(mode);

  useEffect(() => {
    lab.start({
      noAnswer: (seconds) => words('noAnswer', { seconds }),
      keysUnsure: words('keysUnsure'),
    });
    return () => lab.stop();
    // In another language the server says its sentences anew: a socket keeps the language it was opened with.
  }, [lab, words]);
  useEffect(() => {
    // The sheet is read with the last step's sandbox still open.
    const step = at === SHEET ? page.steps.at(-1)?.id : at;
    if (step !== undefined) void lab.openStep(step);
  }, [at, lab, page.steps]);
  useEffect(() => {
    // A reload comes back to this step, also once it is solved.
    if (search.get('step') === null) window.history.replaceState(null, '', `?step=${encodeURIComponent(at)}`);
  }, [at, search]);
  const go = (step: string) => {
    window.history.pushState(null, '', `?step=${encodeURIComponent(step)}`);
    setView('lesson');
  };
  const views = useMemo<Views>(
    () => ({
      view,
      show: setView,
      tab,
      setTab,
      focusRequest,
      showTerminal: (id) => {
        setTab(id);
        setView('terminal');
        setFocusRequest(({ count }) => ({ terminal: id, count: count + 1 }));
      },
    }),
    [view, tab, focusRequest],
  );
  const rightStyle = share === null ? {} : ({ '--share': `${share}%` } as CSSProperties);
  return (
    <LabProvider value={lab}>
      <ViewsContext.Provider value={views}>
        <div className={styles.app} data-view={view}>
          <TopBar bare={mode === 'phone'}>
            <StepNav page={page} at={at} go={go} />
            <span className="spacer" />
            <span className={styles.language}>
              <LanguageSwitch />
            </span>
            <SandboxPlate />
            <Reset />
            <ThemeSwitch initial={theme} />
          </TopBar>
          <div className={styles.lesson}>
            <LessonColumn page={page} at={at} go={go} />
          </div>
          <div className={styles.right} style={rightStyle}>
            {mode === 'tabs' ? (
              <ViewNav className={`${styles.views} ${styles.inline}`} views={['scope', 'terminal']} />
            ) : null}
            <div className={styles.scope}>
              <Scope tableFirst={mode === 'phone'} />
            </div>
            <Sash
              orientation={mode === 'beside' ? 'vertical' : 'horizontal'}
              label={t('resize')}
              share={share}
              onShare={moveSash}
            />
            <div className={styles.bench}>
              <Workbench />
            </div>
          </div>
          <ViewNav className={`${styles.views} ${styles.bottom}`} views={['lesson', 'scope', 'terminal']} />
        </div>
        <Notices />
        <Announcer page={page} />
      </ViewsContext.Provider>
    </LabProvider>
  );
}

const VIEW_ICON = { lesson: 'book', scope: 'scope', terminal: 'term' } as const;
const VIEW_WORD = { lesson: 'viewLesson', scope: 'viewScope', terminal: 'viewTerminal' } as const;

function ViewNav({ className, views }: { className: string; views: readonly View[] }) {
  const t = useTranslations('lesson');
  return (
    <ViewsContext.Consumer>
      {(context) => (
        <nav className={className} aria-label={t('views')}>
          {views.map((view) => {
            const here = context?.view === view || (view === 'scope' && !views.includes(context?.view ?? 'scope'));
            return (
              <button
                key={view}
                type="button"
                aria-current={here ? 'page' : undefined}
                onClick={() => context?.show(view)}
              >
                <Icon name={VIEW_ICON[view]} />
                {view === 'scope' && !here ? <Fresh /> : null}
                <span>{t(VIEW_WORD[view])}</span>
              </button>
            );
          })}
        </nav>
      )}
    </ViewsContext.Consumer>
  );
}

/** A dot while Scope shows a process that was not there when the step began. */
function Fresh() {
  const t = useTranslations('lesson');
  const fresh = useLabState((state) =>
    (state.scope?.snapshot.processes ?? []).some((process) => !state.baseline.has(process.key)),
  );
  return fresh ? (
    <span className={styles.fresh}>
      <span className="vh">{t('viewNew')}</span>
    </span>
  ) : null;
}
