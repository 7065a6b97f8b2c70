// Which language a reader gets: the cookie, else the browser's wish, else English. Pure.
import { LANGUAGES, type Language } from '@drydock/protocol/language.ts';

/** The language of a page from the cookie's value and the request's Accept-Language header (RFC 9110, 12.5.4). */
export function chooseLanguage(cookie: string | undefined, acceptLanguage: string | null): Language {
  const chosen = LANGUAGES.find((language) => language === cookie);
  if (chosen) return chosen;
  const wishes = (acceptLanguage ?? '').split(',').map((part) => {
    const [tag = '', ...parameters] = part.trim().toLowerCase().split(';');
    const quality = parameters.find((parameter) => parameter.trim().startsWith('q='));
    return { tag, quality: quality ? Number(quality.trim().slice(2)) : 1 };
  });
  wishes.sort((a, b) => b.quality - a.quality);
  for (const { tag, quality } of wishes) {
    const match = LANGUAGES.find((language) => tag === language || tag.startsWith(`${language}-`));
    if (match && quality > 0) return match;
  }
  return 'en';
}
