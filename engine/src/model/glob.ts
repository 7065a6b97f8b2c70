// Shell patterns as Go's path.Match reads them: * and ? stop at a slash, [a-z] and [^a-z], \ takes the next character as it is. Pure.
import { EngineError } from './engine-error.ts';

const literal = (character: string): string => character.replace(/[\\^$.*+?()[\]{}|/]/u, String.raw`\$&`);

/** A whole text against a pattern. Throws invalid_argument "syntax error in pattern". */
export function globMatch(pattern: string, text: string): boolean {
  let source = '';
  for (let at = 0; at < pattern.length; at += 1) {
    const character = pattern[at] as string;
    if (character === '*') source += source.endsWith('[^/]*') ? '' : '[^/]*';
    else if (character === '?') source += '[^/]';
    else if (character === '[') {
      const set = /^\[(\^?)((?:\\.|[^\]\\])+)\]/su.exec(pattern.slice(at));
      if (set === null) throw new EngineError('invalid_argument', 'syntax error in pattern');
      source += `[${set[1]}${(set[2] as string).replace(/[[^]/gu, String.raw`\$&`)}]`;
      at += set[0].length - 1;
    } else if (character === '\\') {
      at += 1;
      if (at === pattern.length) throw new EngineError('invalid_argument', 'syntax error in pattern');
      source += literal(pattern[at] as string);
    } else source += literal(character);
  }
  try {
    return new RegExp(`^${source}$`, 's').test(text);
  } catch (error) {
    throw new EngineError('invalid_argument', 'syntax error in pattern', { cause: error });
  }
}
