'use client';
// EN | 中文. The page is asked for again in the other language; what is open in it stays open.
import { useLocale, useTranslations } from 'next-intl';
import { useRouter } from 'next/navigation';
import { useTransition } from 'react';
import type { Language } from '@drydock/protocol/language.ts';
import { LANGUAGE_COOKIE } from '@drydock/protocol/session.ts';
import { keepCookie } from './keep-cookie.ts';

const NAMES: Record<Language, string> = { en: 'EN', zh: '中文' };

export function LanguageSwitch() {
  const t = useTranslations('frame');
  const locale = useLocale();
  const router = useRouter();
  const [, startTransition] = useTransition();
  const choose = (language: Language) => {
    keepCookie(LANGUAGE_COOKIE, language);
    startTransition(() => router.refresh());
  };
  return (
    <div className="seg" role="group" aria-label={t('language')}>
      {(['en', 'zh'] as const).map((language) => (
        <button
          key={language}
          type="button"
          lang={language}
          aria-pressed={locale === language}
          onClick={() => choose(language)}
        >
          {NAMES[language]}
        </button>
      ))}
    </div>
  );
}
