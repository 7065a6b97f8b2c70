// The verdicts of lesson B2's steps on states recorded from a real kernel.
import { describe, expect, test } from 'vitest';
import type { Snapshot } from '@drydock/engine/model/observed.ts';
import { evaluate, hintLadder } from './evaluate.ts';
import { observedForPrediction } from './prediction.ts';
import { CONTEXT, processOf, recorded, stepOfB2 } from './recorded.ts';

const MARK = { 'not-yet': '○', contradicts: '✗', met: '✓' };

/** "✓ stays ○ children … hint" for one step and one recording. */
function judged(stepId: string, snapshot: Snapshot, context = CONTEXT): string {
  const verdict = evaluate(stepId, stepOfB2(stepId).step, snapshot, context);
  const marks = verdict.checks.map(({ id, state }) => `${MARK[state]} ${id}`).join(' ');
  return `${marks}${verdict.hint ? ` hint ${verdict.hint}` : ''}${verdict.solved ? ' solved' : ''}`;
}

describe('step 1, the trap', () => {
  test.each([
    ['start', '○ stays ○ children ○ nobody'],
    ['trapped-unforked', '✓ stays ○ children ✓ nobody hint not-forked'],
    ['trapped-first-child-lives', '✓ stays ✓ children ○ nobody hint first-child-lives'],
    ['trapped-dead', '✓ stays ✓ children ✓ nobody solved'],
    ['trapped-nested', '✗ stays ✓ children ✓ nobody hint nested'],
    ['forked-without-proc', '○ stays ○ children ○ nobody hint used-fork'],
  ])('%s: %s', (name, wanted) => expect(judged('1-the-trap', recorded(name))).toBe(wanted));

  test('the unshare that waits for its child is not P, also once the child has ended', () => {
    const snapshot = recorded('forked-without-proc');
    const bash = processOf(snapshot, [4, 1]);
    const between = { ...snapshot, processes: snapshot.processes.filter(({ key }) => key !== bash.key) };
    expect(judged('1-the-trap', between)).toBe('○ stays ○ children ○ nobody hint used-fork');
  });

  test('a terminal’s own shell that became the trapped bash counts as well', () => {
    const snapshot = recorded('trapped-dead');
    const trapped = processOf(snapshot, [3]);
    const init = processOf(snapshot, [1]);
    const exec = { ...trapped, terminal: 't1', parentKey: null };
    expect(judged('1-the-trap', { ...snapshot, processes: [init, exec] })).toBe('✓ stays ✓ children ✓ nobody solved');
  });

  test('what the engine runs by itself does not count', () => {
    const snapshot = recorded('trapped-dead');
    const trapped = { ...processOf(snapshot, [3]), parentKey: null };
    const others = snapshot.processes.filter(({ key }) => key !== trapped.key);
    expect(judged('1-the-trap', { ...snapshot, processes: [...others, trapped] })).toBe('○ stays ○ children ○ nobody');
  });

  test('says what was expected, what was read, and in which file', () => {
    const snapshot = recorded('trapped-unforked');
    const { checks, subject } = evaluate('1-the-trap', stepOfB2('1-the-trap').step, snapshot, CONTEXT);
    expect(subject).toBe(processOf(snapshot, [3]).key);
    const inode = snapshot.namespaces.pid;
    expect(checks[0]).toMatchObject({
      expected: `pid:[${inode}], the one your host is in`,
      observed: `pid:[${inode}], the one your host is in`,
      readFrom: '/proc/3/ns/pid',
      mark: subject,
    });
    expect(checks[1]).toMatchObject({
      observed: 'not readable: nobody was born there yet; it can be read after the first fork',
      readFrom: '/proc/3/ns/pid_for_children',
    });
  });

  test('says it in Chinese, too', () => {
    const context = { ...CONTEXT, language: 'zh' as const };
    const { checks } = evaluate('1-the-trap', stepOfB2('1-the-trap').step, recorded('trapped-unforked'), context);
    expect(checks[1]?.observed).toBe('读不到：那里还没有进程出生，第一次 fork 之后才能读');
  });

  test('the prediction is answered with the number bash has on the host', () => {
    const { step } = stepOfB2('1-the-trap');
    expect(observedForPrediction(step, recorded('start'), CONTEXT)).toBeNull();
    expect(observedForPrediction(step, recorded('trapped-unforked'), CONTEXT)).toBe('3');
  });
});

describe('step 2, a tree', () => {
  test.each([
    ['start', '○ first ○ proc'],
    ['trapped-dead', '✗ first ✗ proc hint fork'],
    ['tree', '✓ first ✓ proc solved'],
    ['tree-with-sleep', '✓ first ✓ proc solved'],
    ['mount-proc-without-fork', '✗ first ✓ proc hint fork'],
    ['forked-without-proc', '✓ first ✗ proc hint no-proc'],
    ['proc-over-the-hosts', '✓ first ✗ proc hint no-proc'],
    ['proc-mounted-too-early', '✓ first ✗ proc hint early-proc'],
    ['proc-mounted-by-a-child', '✗ first ✓ proc hint late-proc'],
    ['tree-nested', '✗ first ✓ proc hint too-deep'],
  ])('%s: %s', (name, wanted) => expect(judged('2-a-tree', recorded(name))).toBe(wanted));

  test('a proc mounted too early is told from one that belongs to P', () => {
    const early = recorded('proc-mounted-too-early');
    const { checks } = evaluate('2-a-tree', stepOfB2('2-a-tree').step, early, CONTEXT);
    expect(checks[1]).toMatchObject({
      observed: `/proc lists pid:[${early.namespaces.pid}], your host’s processes`,
      readFrom: '/proc/5/mountinfo',
    });
  });

  test('a child that started in the same tick as its parent is the newer one', () => {
    const snapshot = recorded('proc-mounted-by-a-child');
    const { startedAtMs } = processOf(snapshot, [4, 1]);
    const processes = snapshot.processes.map((process) => ({ ...process, startedAtMs }));
    expect(judged('2-a-tree', { ...snapshot, processes })).toBe('✗ first ✓ proc hint late-proc');
  });

  test('without mountinfo the check on /proc waits', () => {
    const snapshot = recorded('tree');
    const blind = { ...snapshot, processes: snapshot.processes.map((process) => ({ ...process, mounts: null })) };
    expect(judged('2-a-tree', blind)).toBe('✓ first ○ proc');
  });

  test('the prediction is answered with both numbers', () => {
    const { step } = stepOfB2('2-a-tree');
    expect(observedForPrediction(step, recorded('tree'), CONTEXT)).toBe('4 on your host, 1 inside');
    expect(observedForPrediction(step, recorded('tree'), { ...CONTEXT, language: 'zh' })).toBe('主机上是 4，里面是 1');
  });
});

describe('step 3, killing PID 1', () => {
  test.each([
    ['start', '○ killed ○ took-along'],
    ['tree', '○ killed ○ took-along hint nobody-inside'],
    ['tree-with-sleep', '○ killed ○ took-along hint from-inside'],
    ['tree-after-kill-from-inside', '○ killed ○ took-along hint from-inside'],
    ['init-killed', '✓ killed ✓ took-along solved'],
    ['init-killed-alone', '✓ killed ✗ took-along hint alone'],
    ['init-exited', '✗ killed ✓ took-along hint by-itself'],
  ])('%s: %s', (name, wanted) => expect(judged('3-killing-pid-1', recorded(name))).toBe(wanted));

  test('what ended before the step began does not count', () => {
    const snapshot = recorded('init-killed');
    const context = { ...CONTEXT, stepStartedAtMs: snapshot.atMs };
    expect(judged('3-killing-pid-1', snapshot, context)).toBe('○ killed ○ took-along');
  });

  test('an end that nobody saw is not taken for a kill', () => {
    const snapshot = recorded('init-killed');
    const unseen = { ...snapshot, exits: snapshot.exits.map((exit) => ({ ...exit, signal: null, code: null })) };
    expect(judged('3-killing-pid-1', unseen)).toBe('✗ killed ✓ took-along hint by-itself');
    const { checks } = evaluate('3', stepOfB2('3-killing-pid-1').step, unseen, CONTEXT);
    expect(checks[0]?.observed).toBe('5 (bash) ended; how was not seen');
  });

  test('the prediction is answered with the end of the one beside it', () => {
    const { step } = stepOfB2('3-killing-pid-1');
    expect(observedForPrediction(step, recorded('init-killed'), CONTEXT)).toBe('sleep ended by signal 9 (SIGKILL)');
    expect(observedForPrediction(step, recorded('init-killed-alone'), CONTEXT)).toBeNull();
  });
});

test('hints are three deep; what was observed chooses the first', () => {
  const { step } = stepOfB2('2-a-tree');
  const ids = (hint: string | null) => hintLadder(step, { hint }).map(({ id }) => id);
  expect(ids(null)).toEqual(['born-inside', 'ps-reads-proc', 'command']);
  expect(ids('fork')).toEqual(['fork', 'ps-reads-proc', 'command']);
});
