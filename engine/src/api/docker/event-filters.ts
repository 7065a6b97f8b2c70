// Which events a client asks for, and how each is written. Pure.
import type { EngineEvent } from '../../container/events.ts';
import { hasLabel, parseFilters } from './filters.ts';

const KNOWN = [
  'type',
  'event',
  'container',
  'image',
  'label',
  'volume',
  'network',
  'daemon',
  'scope',
  'plugin',
  'node',
  'service',
  'secret',
  'config',
] as const;

/** Throws invalid_argument for filters that are none. */
export function eventMatcher(text: string | undefined): (event: EngineEvent) => boolean {
  const filters = parseFilters(text, KNOWN);
  const asked = (key: (typeof KNOWN)[number], holds: (value: string) => boolean) =>
    filters.get(key)?.some((value) => holds(value)) ?? true;
  /** An object of that type, by the beginning of its id or by its name. */
  const isAbout = (event: EngineEvent, type: string) => (value: string) =>
    event.Type === type && (event.Actor.ID.startsWith(value) || event.Actor.Attributes['name'] === value);
  return (event) => {
    const { Attributes } = event.Actor;
    return (
      asked('type', (value) => event.Type === value) &&
      // "exec_create" and "health_status" are asked for without what follows the colon, or with it.
      asked('event', (value) => event.Action === value || event.Action.startsWith(`${value}: `)) &&
      asked('scope', (value) => event.scope === value) &&
      asked('container', isAbout(event, 'container')) &&
      asked('volume', isAbout(event, 'volume')) &&
      asked('network', isAbout(event, 'network')) &&
      asked('daemon', isAbout(event, 'daemon')) &&
      (filters.get('label') ?? []).every((value) => hasLabel(Attributes, value)) &&
      asked('image', (value) => imageNames(event).some((name) => name === value || familiar(name) === value)) &&
      (['plugin', 'node', 'service', 'secret', 'config'] as const).every((key) => asked(key, isAbout(event, key)))
    );
  };
}

/** The image an event is about, or its container's. */
const imageNames = ({ Type, Actor }: EngineEvent): string[] =>
  Type === 'image'
    ? [Actor.ID, Actor.Attributes['name'] ?? '']
    : Type === 'container'
      ? [Actor.Attributes['image'] ?? '']
      : [];

/** "busybox" of "busybox:1.36": asked for without a tag, any tag is meant. */
const familiar = (name: string): string => name.replace(/@.*$/, '').replace(/:[^:/]*$/, '');

/** A line, with the fields of before API 1.22 that older clients read. 64-bit numbers do not go through JSON.stringify. */
export function eventLine({ Type, Action, Actor, scope, timeNano }: EngineEvent): string {
  const old =
    Type === 'container' || Type === 'image'
      ? { status: Action, id: Actor.ID, ...(Actor.Attributes['image'] && { from: Actor.Attributes['image'] }) }
      : {};
  const head = JSON.stringify({ ...old, Type, Action, Actor, scope, time: Number(timeNano / 1_000_000_000n) });
  return `${head.slice(0, -1)},"timeNano":${timeNano}}\n`;
}
