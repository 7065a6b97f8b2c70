// next-intl's entry: language and messages of one request.
import { cookies, headers } from 'next/headers';
import { LANGUAGE_COOKIE } from '@drydock/protocol/session.ts';
import { getRequestConfig } from 'next-intl/server';
import { chooseLanguage } from './language.ts';
import en from '../messages/en.json' with { type: 'json' };
import zh from '../messages/zh.json' with { type: 'json' };

export default getRequestConfig(async () => {
  const locale = chooseLanguage(
    (await cookies()).get(LANGUAGE_COOKIE)?.value,
    (await headers()).get('accept-language'),
  );
  return { locale, messages: locale === 'zh' ? zh : en, timeZone: 'UTC' };
});
