import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { lessonSource } from './lesson-source.ts';
import type { Library } from './library.ts';

let directory: string;
let told: string[];
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'drydock-lessons-'));
  cpSync(join(import.meta.dirname, '../../../../lessons'), directory, { recursive: true });
  told = [];
});
afterEach(() => rmSync(directory, { recursive: true }));

const source = (preview: string | null) => lessonSource(directory, preview, (sentence) => void told.push(sentence));
const titles = ({ tracks }: Library): string[] =>
  tracks.flatMap(({ lessons }) =>
    lessons.flatMap(({ content }) => content?.steps.map(({ step }) => step.title.en) ?? []),
  );

function edit(file: string, from: string, to: string): void {
  const path = join(directory, 'b-namespaces/b2-pid', file);
  const text = readFileSync(path, 'utf8');
  expect(text).toContain(from);
  writeFileSync(path, text.replace(from, to));
}

it('keeps what was read at the start', () => {
  const lessons = source(null);
  const before = lessons();
  edit('1-the-trap/step.yaml', 'The trap', 'The pit');
  expect(lessons()).toBe(before);
  expect(before.tracks.length).toBeGreaterThan(5);
});

it('previews one lesson alone, as its files are now', () => {
  const lessons = source('B/b2-pid');
  const before = lessons();
  expect(before.tracks.map(({ lessons: each }) => each.map(({ id }) => id))).toEqual([['b2-pid']]);
  expect(lessons()).toBe(before);
  edit('1-the-trap/step.yaml', 'The trap', 'The pit');
  expect(titles(lessons())[0]).toBe('The pit');
  expect(told).toEqual(['B/b2-pid: read again']);
});

it('tells what a change broke, shows what was there before, and goes on once it is mended', () => {
  const lessons = source('B/b2-pid');
  edit('1-the-trap/step.yaml', 'minutes: 5', 'minutes: soon');
  expect(titles(lessons())[0]).toBe('The trap');
  expect(titles(lessons())[0]).toBe('The trap');
  expect(told).toEqual([
    'b-namespaces/b2-pid/1-the-trap/step.yaml:2: minutes: must be a number, and is "soon"',
    'B/b2-pid: what was there before is still shown',
  ]);
  edit('1-the-trap/step.yaml', 'minutes: soon', 'minutes: 6');
  expect(lessons().tracks[0]?.lessons[0]?.content?.steps[0]?.step.minutes).toBe(6);
});

it('previews nothing that is not there', () => {
  expect(() => source('B/b3-mnt')).toThrow('Cannot preview "B/b3-mnt": there is no such lesson, or it is broken');
});
