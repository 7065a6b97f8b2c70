'use client';
// One button, three themes: system, light, dark.
import { useTranslations } from 'next-intl';
import { useState } from 'react';
import { Icon } from '../sign/sign.tsx';
import { keepCookie } from './keep-cookie.ts';
import { THEME_COOKIE, nextTheme, type Theme } from './theme.ts';

const ICON = { system: 'system', light: 'sun', dark: 'moon' } as const;
const LABEL = { system: 'themeSystem', light: 'themeLight', dark: 'themeDark' } as const;

export function ThemeSwitch({ initial }: { initial: Theme }) {
  const t = useTranslations('frame');
  const [theme, setTheme] = useState(initial);
  const change = () => {
    const next = nextTheme(theme);
    keepCookie(THEME_COOKIE, next);
    if (next === 'system') delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = next;
    setTheme(next);
  };
  return (
    <button type="button" className="btn icon" aria-label={t(LABEL[theme])} title={t(LABEL[theme])} onClick={change}>
      <Icon name={ICON[theme]} />
    </button>
  );
}
