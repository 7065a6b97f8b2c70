import { createTranslator } from 'next-intl';
import { describe, expect, it } from 'vitest';
import en from '../messages/en.json' with { type: 'json' };
import zh from '../messages/zh.json' with { type: 'json' };
import { chooseLanguage } from './language.ts';

type Tree = { [key: string]: string | Tree };

function leaves(tree: Tree, path = ''): [string, string][] {
  return Object.entries(tree).flatMap(([key, value]) =>
    typeof value === 'string' ? [[`${path}${key}`, value] as [string, string]] : leaves(value, `${path}${key}.`),
  );
}

const argumentsOf = (message: string): string[] =>
  [...new Set([...message.matchAll(/\{([a-z][A-Za-z0-9]*)\s*[,}]/g)].map((match) => match[1] ?? ''))].toSorted();

describe('messages', () => {
  it('has the same keys in both languages', () => {
    expect(leaves(zh).map(([key]) => key)).toEqual(leaves(en).map(([key]) => key));
  });

  it('names the same arguments in both languages', () => {
    const chinese = new Map(leaves(zh));
    for (const [key, message] of leaves(en))
      expect([key, argumentsOf(chinese.get(key) ?? '')]).toEqual([key, argumentsOf(message)]);
  });

  it('leaves nothing empty', () => {
    for (const [key, message] of [...leaves(en), ...leaves(zh)]) expect([key, message.trim()]).not.toEqual([key, '']);
  });

  it('counts as each language does', () => {
    const english = createTranslator({ locale: 'en', messages: en, namespace: 'lesson' });
    const chinese = createTranslator({ locale: 'zh', messages: zh, namespace: 'lesson' });
    expect(english('checksToGo', { count: 1 })).toBe('1 check to go');
    expect(english('checksToGo', { count: 2 })).toBe('2 checks to go');
    expect(chinese('checksToGo', { count: 0 })).toBe('检查全部满足');
  });
});

describe('chooseLanguage', () => {
  it('puts the cookie first, then the browser’s wish, then English', () => {
    expect(chooseLanguage('zh', 'en')).toBe('zh');
    expect(chooseLanguage(undefined, 'fr-FR,zh-CN;q=0.8,en;q=0.5')).toBe('zh');
    expect(chooseLanguage('klingon', 'zh;q=0, en')).toBe('en');
    expect(chooseLanguage(undefined, null)).toBe('en');
  });
});
