// Reads one YAML file against a schema; every problem keeps the line and the field it is about. Never throws for content.
import { LineCounter, isMap, isNode, isPair, isSeq, parseDocument, visit, type Document } from 'yaml';
import type { z } from 'zod';
import type { Problem } from './problem.ts';

export type Path = readonly PropertyKey[];

export interface YamlFile<T> {
  /** Null when the file does not say what the schema asks for. */
  value: T | null;
  problems: Problem[];
  /** A problem found later, by a rule that looks at more than one field. */
  problemAt(path: Path, message: string): Problem;
}

/** Parses `text`; `file` is only named in problems. Unknown keys, duplicate keys and aliases are problems, too. */
export function readYaml<T>(file: string, text: string, schema: z.ZodType<T>): YamlFile<T> {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, strict: true, uniqueKeys: true });
  const lineOf = (offset: number): number => Math.max(1, lines.linePos(offset).line);
  const problemAt = (path: Path, message: string): Problem => {
    const offset = offsetOf(document, path);
    return { file, line: offset === null ? 1 : lineOf(offset), field: fieldName(path), message };
  };
  const broken = [...document.errors, ...document.warnings].map((error): Problem => ({
    file,
    line: lineOf(error.pos[0]),
    field: null,
    message: `cannot be read as YAML: ${error.message}`,
  }));
  if (broken.length > 0) return { value: null, problems: broken, problemAt };
  // Lessons need no aliases, and a chain of them can grow without bound.
  const aliases: Problem[] = [];
  visit(document, {
    Alias(_, { source, range }) {
      const message = `*${source} is an alias: lessons have none, so write out what it stands for`;
      aliases.push({ file, line: lineOf(range?.[0] ?? 0), field: null, message });
    },
  });
  if (aliases.length > 0) return { value: null, problems: aliases, problemAt };
  const plain: unknown = document.toJS({ maxAliasCount: 0 });
  const result = schema.safeParse(plain, { reportInput: true });
  if (result.success) return { value: result.data, problems: [], problemAt };
  const problems = result.error.issues.flatMap((issue) =>
    issue.code === 'unrecognized_keys'
      ? issue.keys.map((key) =>
          problemAt([...issue.path, key], 'is not a field of the format: remove it, or correct its name'),
        )
      : [problemAt(issue.path, sentenceOf(issue))],
  );
  return { value: null, problems, problemAt };
}

function sentenceOf(issue: z.core.$ZodIssue): string {
  if (issue.code === 'invalid_type')
    return issue.input === undefined
      ? `is missing: ${article(issue.expected)} is needed here`
      : `must be ${article(issue.expected)}, and is ${shown(issue.input)}`;
  if (issue.code === 'invalid_value')
    return `must be one of ${issue.values.map(String).join(', ')}, and is ${shown(issue.input)}`;
  if (issue.code === 'invalid_union' && 'options' in issue && Array.isArray(issue.options))
    return `must be one of ${issue.options.map(String).join(', ')}`;
  return issue.message.charAt(0).toLowerCase() + issue.message.slice(1);
}

const article = (noun: string): string => (/^[aeiou]/.test(noun) ? `an ${noun}` : `a ${noun}`);

const shown = (value: unknown): string => JSON.stringify(value)?.slice(0, 60) ?? 'missing';

/** "checks[0].assert.fact" */
export function fieldName(path: Path): string | null {
  if (path.length === 0) return null;
  return path
    .map((part, i) => (typeof part === 'number' ? `[${part}]` : `${i > 0 ? '.' : ''}${String(part)}`))
    .join('');
}

/** Where a field begins: its key if it has one, else its value; the nearest that exists, when it is missing. */
function offsetOf(document: Document, path: Path): number | null {
  let node: unknown = document.contents;
  let offset = isNode(node) ? (node.range?.[0] ?? null) : null;
  for (const part of path) {
    if (isMap(node)) {
      const pair = node.items.find((item) => isPair(item) && keyOf(item.key) === String(part));
      if (!pair) return offset;
      if (isNode(pair.key)) offset = pair.key.range?.[0] ?? offset;
      node = pair.value;
    } else if (isSeq(node)) {
      node = node.items[Number(part)];
      if (!isNode(node)) return offset;
      offset = node.range?.[0] ?? offset;
    } else return offset;
  }
  return offset;
}

const keyOf = (key: unknown): string => String(isNode(key) && 'value' in key ? key.value : key);
