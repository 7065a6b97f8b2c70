import { EventEmitter, once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { Progress } from './progress.mjs';
import { Stamps, runSteps, type Step } from './steps.mjs';

let folder = '';
let printed = '';
const progress = () => new Progress({ isTTY: false, write: (text: string) => (printed += text) });
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'drydock-steps-'));
  printed = '';
});
afterEach(() => rmSync(folder, { recursive: true }));

function step(id: string, more: Partial<Step> = {}): Step {
  return { id, title: `step ${id}`, key: () => 'key', run: async () => {}, ...more };
}

it('runs each step after those it needs, and those apart side by side', async () => {
  const order: string[] = [];
  const gate = new EventEmitter();
  const opened = once(gate, 'open');
  await runSteps(
    [
      step('slow', { run: () => opened.then(() => void order.push('slow')) }),
      step('after', { needs: ['slow'], run: async () => void order.push('after') }),
      step('apart', {
        run: async () => {
          order.push('apart');
          gate.emit('open');
        },
      }),
    ],
    progress(),
    new Stamps(folder),
  );
  expect(order).toEqual(['apart', 'slow', 'after']);
});

it('skips a step whose key is the same and whose work stands', async () => {
  const stamps = new Stamps(folder);
  let key = 'one';
  let stands = true;
  const run = () => runSteps([step('a', { key: () => key, stands: () => stands })], progress(), stamps);
  expect(await run()).toEqual(['a']);
  expect(await run()).toEqual([]);
  key = 'two';
  expect(await run()).toEqual(['a']);
  stands = false;
  expect(await run()).toEqual(['a']);
});

it('throws the first failure, starts nothing that needs it, and runs it again the next time', async () => {
  const stamps = new Stamps(folder);
  const ran: string[] = [];
  const steps = (fails: boolean) => [
    step('a', {
      run: async () => {
        ran.push('a');
        if (fails) throw new Error('no room');
      },
    }),
    step('b', { needs: ['a'], run: async () => void ran.push('b') }),
  ];
  await expect(runSteps(steps(true), progress(), stamps)).rejects.toThrow('no room');
  expect(ran).toEqual(['a']);
  expect(printed).toContain('✗ step a: failed');
  await runSteps(steps(false), progress(), stamps);
  expect(ran).toEqual(['a', 'a', 'b']);
});
