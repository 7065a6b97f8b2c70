// The server's own sentences in both languages, and how an error becomes one. Lessons bring their own text.
import { LANGUAGES, type Language } from '@drydock/protocol/lesson.ts';
import { EngineError } from '@drydock/engine/model/engine-error.ts';
import { readCookie } from '../http/session-cookie.ts';
import { LANGUAGE_COOKIE } from '@drydock/protocol/session.ts';
import { EngineAbsentError } from '../engine-client/engine-http.ts';
import { DiskFullError } from '../repositories/database.ts';
import en from './en.json' with { type: 'json' };
import zh from './zh.json' with { type: 'json' };

export type MessageKey = keyof typeof en;
export type Values = Record<string, string | number>;

const SENTENCES: Record<Language, Record<MessageKey, string>> = { en, zh };

/** The sentence in this language, its `{names}` replaced. */
export function say(language: Language, key: MessageKey, values: Values = {}): string {
  return SENTENCES[language][key].replaceAll(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
}

/** A refusal that the learner reads. */
export class LabError extends Error {
  override readonly name = 'LabError';
  readonly key: MessageKey;
  readonly values: Values;
  constructor(key: MessageKey, values: Values = {}) {
    super(say('en', key, values));
    this.key = key;
    this.values = values;
  }
}

/** One sentence for whatever went wrong; null when the learner can't know what it means (it goes to the log). */
export function sentenceOf(error: unknown, language: Language): string | null {
  if (error instanceof LabError) return say(language, error.key, error.values);
  if (error instanceof DiskFullError) return say(language, 'diskFull');
  if (error instanceof EngineAbsentError) {
    if (error.reason === 'absent') return say(language, 'engineAbsent', { socket: error.socketPath });
    if (error.reason === 'forbidden') return say(language, 'engineForbidden', { socket: error.socketPath });
    return say(language, 'engineLost');
  }
  if (error instanceof EngineError && error.kind !== 'internal')
    return say(language, 'engineSaid', { message: error.message });
  return null;
}

/** The learner's language: the cookie the page writes, else what the browser asks for. */
export function languageOf(headers: { cookie?: string | undefined; 'accept-language'?: string | undefined }): Language {
  const chosen = readCookie(headers.cookie, LANGUAGE_COOKIE);
  const known = LANGUAGES.find((language) => language === chosen);
  if (known) return known;
  return /^\s*zh\b/i.test(headers['accept-language'] ?? '') ? 'zh' : 'en';
}
