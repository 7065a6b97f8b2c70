// Names of images, read and completed as Docker does (distribution/reference: its grammar, normalize.go): "busybox" is
// docker.io/library/busybox:latest, and is shown as "busybox" again. Looks nothing up.
import { type Digest, parseDigest } from './digest.ts';
import { EngineError } from './engine-error.ts';

/** A complete name. Without tag and digest it names a repository. */
export interface ImageReference {
  /** "docker.io", "localhost:5000"; "" for the rare name whose first part only looks like a host. */
  readonly domain: string;
  /** "library/busybox" */
  readonly path: string;
  readonly tag?: string;
  readonly digest?: Digest;
}

const DEFAULT_DOMAIN = 'docker.io';
const OFFICIAL = 'library/';
const PATH_MAX = 255;
/** Nothing valid is longer (domain 255 and a port, path, tag, digest); it bounds what the patterns below look at. */
const TEXT_MAX = 1024;

const LABEL = /^[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?$/;
const IPV6 = /^\[[a-fA-F0-9:]+\]$/;
const COMPONENT = /^[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*$/;
const TAG = /^\w[\w.-]{0,127}$/;
const DIGEST = /^[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}$/;
const IDENTIFIER = /^[a-f0-9]{64}$/;

const invalid = (message: string): EngineError => new EngineError('invalid_argument', message);

/**
 * A name as users write it, its domain filled in, its tag not ("busybox" names all of busybox). Throws invalid_argument
 * with Docker's sentences: "invalid reference format", "… repository name (Foo) must be lowercase" …
 */
export function parseReference(text: string): ImageReference {
  if (text.length > TEXT_MAX) throw invalid('invalid reference format');
  if (IDENTIFIER.test(text))
    throw invalid(`invalid repository name (${text}), cannot specify 64-byte hexadecimal strings`);
  const [domain, rest] = splitDomain(text);
  const [remote = ''] = rest.split(':', 1);
  if (remote.toLowerCase() !== remote)
    throw invalid(`invalid reference format: repository name (${remote}) must be lowercase`);
  return readGrammar(domain, rest);
}

/** Which part of "a/b/c" is the registry: "localhost", what has a dot, a colon or an upper-case letter. */
function splitDomain(text: string): [domain: string, rest: string] {
  const slash = text.indexOf('/');
  if (slash < 0) return [DEFAULT_DOMAIN, OFFICIAL + text];
  const first = text.slice(0, slash);
  const looksLikeHost = first === 'localhost' || /[.:]/.test(first) || first.toLowerCase() !== first;
  const rest = looksLikeHost ? text.slice(slash + 1) : text;
  const domain = !looksLikeHost || first === 'index.docker.io' ? DEFAULT_DOMAIN : first;
  return [domain, domain === DEFAULT_DOMAIN && !rest.includes('/') ? OFFICIAL + rest : rest];
}

function readGrammar(domain: string, rest: string): ImageReference {
  const at = rest.indexOf('@');
  const named = at < 0 ? rest : rest.slice(0, at);
  const digest = at < 0 ? undefined : rest.slice(at + 1);
  const colon = named.indexOf(':');
  const path = colon < 0 ? named : named.slice(0, colon);
  const tag = colon < 0 ? undefined : named.slice(colon + 1);
  const isPath = (name: string) => name.split('/').every((component) => COMPONENT.test(component));
  const wellFormed =
    isPath(path) && (tag === undefined || TAG.test(tag)) && (digest === undefined || DIGEST.test(digest));
  const isHost = isDomain(domain);
  // "a_b.c/x" has a dot, but no host has an underscore: the grammar then takes the whole for a path.
  if (!wellFormed || (!isHost && !isPath(domain))) throw invalid('invalid reference format');
  const whole = isHost ? path : `${domain}/${path}`;
  if (whole.length > PATH_MAX) throw invalid(`repository name must not be more than ${PATH_MAX} characters`);
  return {
    domain: isHost ? domain : '',
    path: whole,
    ...(tag === undefined ? {} : { tag }),
    ...(digest === undefined ? {} : { digest: parseDigest(digest) }),
  };
}

function isDomain(domain: string): boolean {
  const [, host = '', port] = /^(\[[^\]]*\]|[^:]*)(?::(.*))?$/.exec(domain) ?? [];
  if (port !== undefined && !/^[0-9]+$/.test(port)) return false;
  return IPV6.test(host) || host.split('.').every((label) => LABEL.test(label));
}

/** The reference with this tag. Throws "invalid tag format". */
export function withTag(reference: ImageReference, tag: string): ImageReference {
  if (!TAG.test(tag)) throw invalid('invalid tag format');
  return { domain: reference.domain, path: reference.path, tag };
}

/** "latest" where neither tag nor digest was given. A digest says more than a tag: with both, the tag is dropped. */
export function completed(reference: ImageReference): ImageReference {
  const { domain, path, tag, digest } = reference;
  return digest === undefined ? { domain, path, tag: tag ?? 'latest' } : { domain, path, digest };
}

/** "docker.io/library/busybox" */
export const repositoryOf = ({ domain, path }: ImageReference): string => (domain === '' ? path : `${domain}/${path}`);

const suffix = ({ tag, digest }: ImageReference): string =>
  (tag === undefined ? '' : `:${tag}`) + (digest === undefined ? '' : `@${digest}`);

/** "docker.io/library/busybox:latest": one spelling for each image, as it is stored. */
export const canonicalName = (reference: ImageReference): string => repositoryOf(reference) + suffix(reference);

/** "busybox", "you/app", "localhost:5000/app" */
export function familiarRepository({ domain, path }: ImageReference): string {
  if (domain !== DEFAULT_DOMAIN) return repositoryOf({ domain, path });
  const official = path.startsWith(OFFICIAL) ? path.slice(OFFICIAL.length) : path;
  return official.includes('/') ? path : official;
}

/** "busybox:latest": as users are shown it. */
export const familiarName = (reference: ImageReference): string => familiarRepository(reference) + suffix(reference);
