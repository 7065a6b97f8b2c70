import { expect, test } from 'vitest';
import type { EngineEvent } from '../../container/events.ts';
import { eventLine, eventMatcher } from './event-filters.ts';

const event = (over: Partial<EngineEvent> = {}): EngineEvent => ({
  Type: 'container',
  Action: 'exec_create: sh -c true',
  Actor: { ID: 'abcdef', Attributes: { name: 'web', image: 'busybox:1.36', tier: 'front' } },
  scope: 'local',
  timeNano: 1_795_207_008_277_991_398n,
  ...over,
});
const matches = (filters: object, one = event()) => eventMatcher(JSON.stringify(filters))(one);

test.each([
  [{}, true],
  [{ type: ['container'] }, true],
  [{ type: { image: true } }, false],
  [{ type: ['image', 'container'] }, true],
  [{ event: ['exec_create'] }, true],
  [{ event: ['exec_create: sh -c true'] }, true],
  [{ event: ['exec'] }, false],
  [{ container: ['web'] }, true],
  [{ container: ['abc'] }, true],
  [{ container: ['bcd'] }, false],
  [{ image: ['busybox'] }, true],
  [{ image: ['busybox:1.36'] }, true],
  [{ image: ['busy'] }, false],
  [{ label: ['tier'] }, true],
  [{ label: ['tier=front', 'name=web'] }, true],
  [{ label: ['tier=front', 'other'] }, false],
  [{ volume: ['web'] }, false],
  [{ scope: ['local'] }, true],
  [{ scope: ['swarm'] }, false],
  [{ daemon: ['web'] }, false],
  [{ type: ['container'], container: ['nobody'] }, false],
])('%j: %s', (filters, expected) => {
  expect(matches(filters)).toBe(expected);
});

test('an image’s own events are found by its name and the beginning of its id', () => {
  const pulled = event({ Type: 'image', Action: 'pull', Actor: { ID: 'alpine:3', Attributes: { name: 'alpine' } } });
  expect([matches({ image: ['alpine'] }, pulled), matches({ image: ['alpine:3'] }, pulled)]).toEqual([true, true]);
  expect(matches({ container: ['alpine'] }, pulled)).toBe(false);
});

test('a filter nobody knows is refused', () => {
  expect(() => eventMatcher('{"colour":["red"]}')).toThrow("invalid filter 'colour'");
});

test('a line has the old fields and every digit of the time', () => {
  expect(eventLine(event())).toBe(
    '{"status":"exec_create: sh -c true","id":"abcdef","from":"busybox:1.36","Type":"container",' +
      '"Action":"exec_create: sh -c true","Actor":{"ID":"abcdef","Attributes":{"name":"web","image":"busybox:1.36","tier":"front"}},' +
      '"scope":"local","time":1795207008,"timeNano":1795207008277991398}\n',
  );
  expect(eventLine(event({ Type: 'volume' }))).not.toContain('status');
});
