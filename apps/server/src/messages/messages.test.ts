import { describe, expect, it } from 'vitest';
import { EngineError } from '@drydock/engine/model/engine-error.ts';
import en from './en.json' with { type: 'json' };
import zh from './zh.json' with { type: 'json' };
import { EngineAbsentError } from '../engine-client/engine-http.ts';
import { LabError, languageOf, say, sentenceOf } from './messages.ts';

const names = (text: string): string[] => [...text.matchAll(/\{(\w+)\}/g)].map(([, name]) => name ?? '').sort();

describe('messages', () => {
  it('are the same in both languages, with the same values', () => {
    const placeholders = (all: Record<string, string>) =>
      Object.entries(all).map(([key, text]) => [key, names(text)] as const);
    expect(placeholders(zh)).toEqual(placeholders(en));
  });

  it('replaces values and leaves unknown ones visible', () => {
    expect(say('en', 'terminalName', { number: 2 })).toBe('Terminal 2');
    expect(say('zh', 'terminalName', { number: 2 })).toBe('终端 2');
    expect(say('en', 'terminalName')).toBe('Terminal {number}');
  });

  it('tells what is wrong with the engine and how to mend it', () => {
    const error = new EngineAbsentError('/run/x/lab.sock', 'absent', new Error('ENOENT'));
    expect(sentenceOf(error, 'en')).toMatch(/not running.*\/run\/x\/lab\.sock.*npm start/);
    expect(sentenceOf(new EngineError('conflict', 'Cannot save "/a": it changed'), 'en')).toBe(
      'Cannot save "/a": it changed',
    );
    expect(sentenceOf(new LabError('noHint'), 'zh')).toBe(zh.noHint);
  });

  it('says nothing of errors inside the lab', () => {
    expect(sentenceOf(new TypeError('x is undefined'), 'en')).toBeNull();
    expect(sentenceOf(new EngineError('internal', 'Cannot mount "/host/path": EIO'), 'en')).toBeNull();
  });

  it.each([
    [{ cookie: 'drydock-lang=zh' }, 'zh'],
    [{ cookie: 'drydock-lang=en', 'accept-language': 'zh-CN' }, 'en'],
    [{ cookie: 'drydock-lang=fr', 'accept-language': 'zh-CN,en;q=0.5' }, 'zh'],
    [{ 'accept-language': 'en,zh' }, 'en'],
    [{}, 'en'],
  ] as const)('%o asks for %s', (headers, language) => expect(languageOf(headers)).toBe(language));
});
