// A lesson's short sentence with `code` in back quotes. The only mark-up such a sentence may carry; all else is text.
import { Fragment } from 'react';

/** Splits at back quotes: every second part is code. An unpaired back quote stays text. */
export function splitCode(text: string): { code: boolean; text: string }[] {
  const parts = text.split('`');
  const paired = parts.length % 2 === 1 ? parts : [...parts.slice(0, -2), `${parts.at(-2)}\`${parts.at(-1)}`];
  return paired.flatMap((part, index) => (part === '' ? [] : [{ code: index % 2 === 1, text: part }]));
}

export function InlineCode({ text }: { text: string }) {
  return splitCode(text).map((part, index) =>
    part.code ? <code key={index}>{part.text}</code> : <Fragment key={index}>{part.text}</Fragment>,
  );
}
