// The document: language, theme, fonts, tokens, signs. Every page stands inside it.
import '@fontsource/ibm-plex-sans/latin-400.css';
import '@fontsource/ibm-plex-sans/latin-500.css';
import '@fontsource/ibm-plex-sans/latin-600.css';
import '@fontsource/ibm-plex-mono/400.css';
import '@fontsource/ibm-plex-mono/500.css';
import '@fontsource/ibm-plex-mono/600.css';
import '@fontsource-variable/noto-sans-sc/index.css';
import './tokens.css';
import './base.css';
import type { Metadata, Viewport } from 'next';
import { CSRF_HEADER } from '@drydock/protocol/session.ts';
import { cookies, headers } from 'next/headers';
import { NextIntlClientProvider } from 'next-intl';
import { getLocale, getTranslations } from 'next-intl/server';
import type { ReactNode } from 'react';
import { THEME_COOKIE, readTheme } from '../features/frame/theme.ts';
import { Sprite } from '../features/sign/sprite.tsx';

export const metadata: Metadata = { title: { default: 'Drydock', template: '%s · Drydock' } };
export const viewport: Viewport = { width: 'device-width', initialScale: 1 };

export default async function RootLayout({ children }: { children: ReactNode }) {
  const locale = await getLocale();
  const t = await getTranslations('frame');
  const theme = readTheme((await cookies()).get(THEME_COOKIE)?.value);
  const csrf = (await headers()).get(CSRF_HEADER);
  return (
    <html lang={locale} {...(theme === 'system' ? {} : { 'data-theme': theme })}>
      <head>{csrf === null ? null : <meta name="drydock-csrf" content={csrf} />}</head>
      <body>
        <Sprite />
        <a className="skip" href="#content">
          {t('skip')}
        </a>
        <NextIntlClientProvider>{children}</NextIntlClientProvider>
      </body>
    </html>
  );
}
