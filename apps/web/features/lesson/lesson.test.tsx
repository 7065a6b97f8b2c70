import { renderToStaticMarkup } from 'react-dom/server';
import { describe, expect, it } from 'vitest';
import type { PublicStep } from '@drydock/protocol/pages.ts';
import type { Verdict } from '@drydock/protocol/verdict.ts';
import { announcements } from './announcements.ts';
import { calloutsOf } from './flag-callouts.ts';
import { bytes, clock, fill, signalName } from './format.ts';
import { InlineCode } from './inline-code.tsx';
import { outcomeOf } from './outcome.ts';
import { sparkline } from './sparkline.ts';

describe('format', () => {
  it('writes times, sizes and signals', () => {
    expect([clock(43 * 60_000 + 10_000), clock(3_723_000), clock(-5)]).toEqual(['43:10', '1:02:03', '0:00']);
    expect([bytes(0), bytes(1536), bytes(61 * 2 ** 20), bytes(2 ** 31)]).toEqual(['0 B', '1.5 kB', '61 MB', '2 GB']);
    expect([signalName(9), signalName(64)]).toEqual(['SIGKILL', '64']);
    expect(fill('You predicted {predicted}, {other}.', { predicted: '1' })).toBe('You predicted 1, {other}.');
  });
});

describe('InlineCode', () => {
  it('makes code of back quotes, and nothing of anything else', () => {
    const render = (text: string) => renderToStaticMarkup(<InlineCode text={text} />);
    expect(render('run `ls /` twice')).toBe('run <code>ls /</code> twice');
    expect(render('a `b')).toBe('a `b');
    expect(render('**no** <img src=x onerror=alert(1)> [x](javascript:1)')).toBe(
      '**no** &lt;img src=x onerror=alert(1)&gt; [x](javascript:1)',
    );
  });
});

describe('announcements', () => {
  const verdict = (
    state: 'met' | 'not-yet' | 'contradicts',
    observed: string | null = null,
    solved = false,
  ): Verdict => ({
    step: 's',
    seq: 1,
    subject: null,
    checks: [{ id: 'c', state, expected: '1', observed, readFrom: null, mark: null }],
    hint: null,
    solved,
  });

  it('says what changed, and only that', () => {
    expect(announcements(null, verdict('not-yet'))).toEqual([]);
    expect(announcements(verdict('not-yet'), verdict('met', '1', true))).toEqual([
      { kind: 'met', check: 'c' },
      { kind: 'solved' },
    ]);
    expect(announcements(verdict('met'), verdict('met'))).toEqual([]);
    expect(announcements(verdict('met'), verdict('not-yet'))).toEqual([{ kind: 'not-yet', check: 'c' }]);
    expect(announcements(verdict('contradicts', '2'), verdict('contradicts', '3'))).toEqual([
      { kind: 'contradicts', check: 'c', expected: '1', observed: '3' },
    ]);
  });

  it('starts anew with another step', () => {
    expect(announcements(verdict('met', '1', true), { ...verdict('met', '1', true), step: 't' })).toHaveLength(2);
  });
});

describe('outcomeOf', () => {
  const predict = {
    question: { en: 'q', zh: 'q' },
    options: [
      { id: 'one', label: { en: '1', zh: '1' } },
      { id: 'host', label: { en: 'another number', zh: '别的号码' } },
    ],
    outcome: { en: 'You predicted {predicted}. The kernel says {observed}.', zh: '{predicted}，{observed}' },
  } as unknown as PublicStep['predict'];

  it('waits for both, and never claims more than was seen', () => {
    expect(outcomeOf(predict, null, '1', 'en')).toBeNull();
    expect(outcomeOf(predict, 'one', null, 'en')).toBeNull();
    expect(outcomeOf(predict, 'one', '1', 'en')).toBe('You predicted 1. The kernel says 1.');
    expect(outcomeOf(predict, 'host', '57', 'zh')).toBe('别的号码，57');
  });
});

describe('calloutsOf', () => {
  const flags = [
    { flag: '--pid', text: 'new pids' },
    { flag: '--fork', text: 'a child' },
  ];

  it('puts the rightmost flag nearest, so that no leader crosses a text', () => {
    expect(calloutsOf('unshare --pid --fork bash', flags, 51)).toMatchObject([
      { flag: '--fork', at: 17, row: 1 },
      { flag: '--pid', at: 10.5, row: 2 },
    ]);
  });

  it('gives way to a list when there is no room, or a flag is not there', () => {
    expect(
      calloutsOf(
        'unshare --pid --fork bash',
        [{ flag: '--fork', text: '让子进程进入新的命名空间，自己留在外面等待它结束' }],
        51,
      ),
    ).toBeNull();
    expect(calloutsOf('unshare bash', flags, 51)).toBeNull();
    expect(calloutsOf('a --pid\nb --fork', flags, 51)).toBeNull();
  });
});

describe('sparkline', () => {
  it('ends at the right edge and stays between ground and top', () => {
    expect(sparkline([1], 60, 100)).toBe('');
    expect(sparkline([0, 100, 250], 3, 100)).toBe('M0.0 15.0L20.0 2.0L40.0 2.0');
  });
});
