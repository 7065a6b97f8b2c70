// `--change` of commit and import: some of Dockerfile's instructions, applied to an image's configuration as Docker does
// (moby, builder/dockerfile: BuildFromConfig). Pure.
import { EngineError } from './engine-error.ts';
import { goDurationNs } from './go-time.ts';
import type { ImageDefaults } from './image-defaults.ts';

type Config = { -readonly [Key in keyof ImageDefaults]: ImageDefaults[Key] };

const refuse = (why: string): EngineError => new EngineError('invalid_argument', why);
const DEFAULT_SHELL = ['/bin/sh', '-c'];

/** Words, with quotes and backslashes taken off as in a Dockerfile. */
function words(text: string): string[] {
  const found: string[] = [];
  let word: string | null = null;
  let quote = '';
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at] as string;
    if (quote === '' && /\s/.test(character)) {
      if (word !== null) found.push(word);
      word = null;
    } else if (quote !== '' && character === quote) quote = '';
    else if (quote === '' && (character === '"' || character === "'")) {
      quote = character;
      word ??= '';
    } else if (character === '\\' && quote !== "'" && at + 1 < text.length) {
      at += 1;
      word = (word ?? '') + (text[at] as string);
    } else word = (word ?? '') + character;
  }
  if (quote !== '')
    throw refuse(`unexpected end of statement while looking for matching ${quote === '"' ? 'double' : 'single'}-quote`);
  if (word !== null) found.push(word);
  return found;
}

/** A JSON array of strings; null where the text is none. */
function jsonForm(text: string): string[] | null {
  if (!text.startsWith('[')) return null;
  try {
    const parsed: unknown = JSON.parse(text);
    return Array.isArray(parsed) && parsed.every((one) => typeof one === 'string') ? parsed : null;
  } catch {
    return null; // then it is a shell's word that begins with a bracket
  }
}

const command = (config: Config, text: string): string[] =>
  jsonForm(text) ?? (text === '' ? [] : [...(config.Shell ?? DEFAULT_SHELL), text]);

/** "A=b C=d"; of ENV and LABEL also the old form "A b". */
function pairs(instruction: string, text: string): [string, string][] {
  const [first = ''] = text.split(/\s/, 1);
  if (!first.includes('=')) {
    const value = text.slice(first.length).trim();
    if (first === '' || value === '') throw refuse(`${instruction} must have two arguments`);
    return [[first, words(value).join(' ')]];
  }
  return words(text).map((word) => {
    const at = word.indexOf('=');
    if (at < 0) throw refuse(`Syntax error - can't find = in "${word}". Must be of the form: name=value`);
    if (at === 0) throw refuse(`${instruction} names can not be blank`);
    return [word.slice(0, at), word.slice(at + 1)];
  });
}

function port(text: string): string[] {
  const match = /^(\d{1,5})(?:-(\d{1,5}))?(?:\/(tcp|udp|sctp))?$/i.exec(text);
  const [low, high] = [Number(match?.[1]), Number(match?.[2] ?? match?.[1])];
  if (match === null || high > 65_535 || high < low) throw refuse(`invalid containerPort: ${text}`);
  return Array.from({ length: high - low + 1 }, (_, index) => `${low + index}/${(match[3] ?? 'tcp').toLowerCase()}`);
}

const emptySet = (names: readonly string[]): Record<string, object> =>
  Object.fromEntries(names.map((name) => [name, {}]));

function workdir(before: string, text: string): string {
  if (text === '') throw refuse('WORKDIR requires exactly one argument');
  const parts: string[] = [];
  for (const part of `${text.startsWith('/') ? '' : before}/${text}`.split('/'))
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  return `/${parts.join('/')}`;
}

function healthcheck(config: Config, text: string): NonNullable<Config['Healthcheck']> {
  const none = { Interval: 0, Timeout: 0, Retries: 0, StartPeriod: 0, StartInterval: 0 };
  const flags: Record<string, string> = {};
  let rest = text;
  for (let match = /^--([a-z-]+)=(\S+)\s*/.exec(rest); match; match = /^--([a-z-]+)=(\S+)\s*/.exec(rest)) {
    flags[match[1] as string] = match[2] as string;
    rest = rest.slice(match[0].length);
  }
  const [, type = '', asked = ''] = /^(\S+)\s*([^]*)$/.exec(rest) ?? [];
  if (type.toUpperCase() === 'NONE') return { Test: ['NONE'], ...none };
  if (type.toUpperCase() !== 'CMD') throw refuse(`Unknown type "${type.toUpperCase()}" in HEALTHCHECK (try CMD)`);
  if (asked === '') throw refuse('Missing command after HEALTHCHECK CMD');
  const json = jsonForm(asked);
  const duration = (name: string): number => {
    const value = flags[name];
    const ns = value === undefined ? 0n : goDurationNs(value);
    if (ns === null) throw refuse(`time: invalid duration "${value}"`);
    return Number(ns);
  };
  return {
    Test: json ? ['CMD', ...json] : ['CMD-SHELL', asked],
    Interval: duration('interval'),
    Timeout: duration('timeout'),
    Retries: Number(flags['retries'] ?? 0),
    StartPeriod: duration('start-period'),
    StartInterval: duration('start-interval'),
  };
}

const CHANGES: Readonly<Record<string, (config: Config, text: string) => Partial<Config>>> = {
  CMD: (config, text) => ({ Cmd: command(config, text) }),
  ENTRYPOINT: (config, text) => ({ Entrypoint: command(config, text) }),
  ENV: (config, text) => {
    const asked = pairs('ENV', text);
    const names = new Map(asked);
    const kept = (config.Env ?? []).filter((one) => !names.has(one.split('=', 1)[0] ?? ''));
    return { Env: [...kept, ...[...names].map(([name, value]) => `${name}=${value}`)] };
  },
  EXPOSE: (config, text) => ({ ExposedPorts: { ...config.ExposedPorts, ...emptySet(words(text).flatMap(port)) } }),
  HEALTHCHECK: (config, text) => ({ Healthcheck: healthcheck(config, text) }),
  LABEL: (config, text) => ({ Labels: { ...config.Labels, ...Object.fromEntries(pairs('LABEL', text)) } }),
  ONBUILD: (config, text) => ({ OnBuild: [...(config.OnBuild ?? []), text] }),
  SHELL: (_config, text) => {
    const shell = jsonForm(text);
    if (!shell) throw refuse('SHELL requires the arguments to be in JSON form');
    return { Shell: shell };
  },
  STOPSIGNAL: (_config, text) => ({ StopSignal: text }),
  USER: (_config, text) => ({ User: text }),
  VOLUME: (config, text) => ({ Volumes: { ...config.Volumes, ...emptySet(jsonForm(text) ?? words(text)) } }),
  WORKDIR: (config, text) => ({ WorkingDir: workdir(config.WorkingDir ?? '', text) }),
};

/** Applies them in order. Throws invalid_argument with Docker's sentences. */
export function applyChanges(config: ImageDefaults, changes: readonly string[]): ImageDefaults {
  let changed: Config = { ...config };
  const seen = new Set<string>();
  for (const line of changes.flatMap((change) => change.split('\n'))) {
    const [, name = '', text = ''] = /^\s*(\S+)\s*([^]*?)\s*$/.exec(line) ?? [];
    if (name === '') continue;
    const change = CHANGES[name.toUpperCase()];
    if (!change) throw refuse(`${name} is not a valid change command`);
    seen.add(name.toUpperCase());
    changed = { ...changed, ...change(changed, text) };
    // Who changes the entry point alone does not mean the old one's arguments.
    if (name.toUpperCase() === 'ENTRYPOINT' && !seen.has('CMD')) changed = { ...changed, Cmd: null };
  }
  return changed;
}
