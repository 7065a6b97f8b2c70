// What is left of a container on disk, whatever a crash of the daemon or the machine did to its files.
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readCreateRequest } from '../api/docker/container-create-schema.ts';
import type { ContainerRecord, ContainerState } from './container.ts';
import { ContainerStore, FRESH_STATE } from './store.ts';

const ID = 'a'.repeat(64);
let root: string;
let store: ContainerStore;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'drydock-store-'));
  store = new ContainerStore(root, pino({ level: 'silent' }));
});
afterEach(() => rmSync(root, { recursive: true }));

function record(state: Partial<ContainerState> = {}): ContainerRecord {
  const { config, hostConfig } = readCreateRequest({ Image: 'busybox', Cmd: ['sh'] });
  return {
    id: ID,
    name: 'web',
    createdAtMs: 1,
    config,
    hostConfig,
    networks: {},
    imageId: `sha256:${'b'.repeat(64)}`,
    mounts: [],
    state: { ...FRESH_STATE, ...state },
  };
}

test('what was saved is read again by another daemon', () => {
  store.make(ID);
  store.saveRecord(record());
  store.saveState(record({ status: 'exited', exitCode: 3, startedAtMs: 5, finishedAtMs: 6 }));
  const again = new ContainerStore(root, pino({ level: 'silent' }));
  expect(again.ids()).toEqual([ID]);
  expect(again.load(ID)).toEqual({
    record: record({ status: 'exited', exitCode: 3, startedAtMs: 5, finishedAtMs: 6 }),
    removing: null,
  });
});

test('a directory without a record, or with one that was never synced, is no container', () => {
  store.make(ID);
  expect(store.load(ID)).toBeNull();
  writeFileSync(join(store.directory(ID), 'container.json'), '');
  expect(store.load(ID)).toBeNull();
  writeFileSync(join(store.directory(ID), 'container.json'), '{"id":"aa');
  expect(store.load(ID)).toBeNull();
});

test('a state that is lost with the machine’s power does no harm to the container', () => {
  store.make(ID);
  store.saveRecord(record());
  writeFileSync(join(store.directory(ID), 'state.json'), '');
  expect(store.load(ID)?.record).toEqual(record());
});

test('a removal that has begun is known, with what it was to take', () => {
  for (const withVolumes of [false, true]) {
    store.make(ID);
    store.saveRecord(record());
    store.beginRemoval(ID, withVolumes);
    store.beginRemoval(ID, withVolumes); // it failed, and is tried again
    expect(store.load(ID)).toEqual({ record: record(), removing: { withVolumes } });
    store.forget(ID);
    expect(store.ids()).toEqual([]);
  }
});

test('a sync passes over what is gone, and strangers are no containers', async () => {
  store.make(ID);
  store.saveRecord(record());
  store.forget(ID);
  await store.sync();
  writeFileSync(join(root, 'containers/notes'), '');
  expect(store.ids()).toEqual([]);
  store.make(ID);
  store.saveRecord(record());
  await store.sync();
  expect(existsSync(join(store.directory(ID), 'container.json'))).toBe(true);
  expect(readdirSync(store.directory(ID))).toEqual(['container.json']); // no half-written files beside it
});
