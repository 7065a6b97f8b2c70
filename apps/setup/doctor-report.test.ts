import { expect, it } from 'vitest';
import { formatReport, labCanRun, type Row } from './doctor-report.mjs';

const row = (state: Row['state'], id: string): Row => ({
  section: 'Kernel',
  id,
  state,
  why: `why ${id}`,
  howToGet: `get ${id}`,
});

it('says that the lab can run when nothing it needs is missing', () => {
  const rows = [row('ok', 'veth'), row('lax', 'netem'), { ...row('note', 'dockerd'), section: 'Others', howToGet: '' }];
  expect(labCanRun(rows)).toBe(true);
  expect(formatReport(rows)).toBe(
    [
      'Kernel',
      '  ✓ veth     why veth',
      '  ○ netem    why netem',
      '             → get netem',
      '',
      'Others',
      '  i dockerd  why dockerd',
      '',
      'The lab can run here. 1 thing marked ○ would make it better.',
    ].join('\n'),
  );
});

it('says how many things are missing when it can’t', () => {
  const rows = [row('missing', 'overlay'), row('missing', 'veth')];
  expect(labCanRun(rows)).toBe(false);
  expect(formatReport(rows)).toContain("The lab can't run here: 2 things marked ✗ are missing.");
});
