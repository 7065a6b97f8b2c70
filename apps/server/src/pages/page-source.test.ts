import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { findLesson, loadLessons } from '../lessons/library.ts';
import { pageSource } from './page-source.ts';

const library = loadLessons(join(import.meta.dirname, '../../../../lessons'));
const solved = [{ track: 'B', lesson: 'b2-pid', step: '1-the-trap' }];
const pages = pageSource(() => library, { solved: async () => solved, ofLesson: async () => [] });

describe('the catalogue', () => {
  it('shows every lesson, which are here, and where to go on', async () => {
    const { tracks } = await pages.catalogue('ann');
    expect(tracks.map(({ id }) => id)).toEqual(['A', 'B', 'C', 'D', 'E', 'F', 'G', 'H', 'I', 'capstone']);
    const lessons = tracks.find(({ id }) => id === 'B')!.lessons;
    expect(lessons.find(({ id }) => id === 'b2-pid')).toMatchObject({
      code: 'B2',
      available: true,
      steps: 3,
      stepsSolved: 1,
      resumeAt: '2-a-tree',
    });
    expect(
      lessons.filter(({ available }) => !available).every(({ resumeAt, steps }) => resumeAt === null && steps === 0),
    ).toBe(true);
  });
});

describe('a lesson’s page', () => {
  it('gives nothing away: no answer, hint, feedback, solution or check', async () => {
    const page = await pages.lesson('ann', 'B', 'b2-pid');
    const { steps } = findLesson(library, 'B', 'b2-pid')!.content!;
    const text = JSON.stringify(page);
    for (const { step, solution, setup } of steps) {
      for (const hint of step.hints) expect(text).not.toContain(hint.text.en);
      for (const { feedback } of step.explain.options) expect(text).not.toContain(feedback.en);
      expect(text).not.toContain(JSON.stringify(solution.text).slice(1, -1));
      if (setup) expect(text).not.toContain(JSON.stringify(setup).slice(1, -1));
    }
    expect(text).not.toMatch(/"(answer|assert|contradictedBy|hints|wrong|fits)":/);
    expect(page!.steps.map(({ id, hintCount }) => [id, hintCount])).toEqual(steps.map(({ id }) => [id, 3]));
  });

  it('is null where there is none', async () => {
    expect(await pages.lesson('ann', 'B', 'none')).toBeNull();
    expect(await pages.lesson('ann', 'A', 'b2-pid')).toBeNull();
  });
});
