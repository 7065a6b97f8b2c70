import type { CatalogueTrack } from '@drydock/protocol/pages.ts';
import { describe, expect, it } from 'vitest';
import { lessonHref, lessonState, resumeOf } from './progress.ts';
import { MAP, layoutRouteMap } from './route-map-layout.ts';

function track(
  id: string,
  minutes: number[],
  progress: Partial<CatalogueTrack['lessons'][number]>[] = [],
): CatalogueTrack {
  return {
    id,
    title: { en: `Track ${id}`, zh: id },
    subtitle: { en: id, zh: id },
    needs: [],
    lessons: minutes.map((length, index) => ({
      id: `${id.toLowerCase()}${index}`,
      code: `${id}${index}`,
      title: { en: 'Lesson', zh: '课' },
      minutes: length,
      available: false,
      steps: 0,
      stepsSolved: 0,
      resumeAt: null,
      ...progress[index],
    })),
  };
}

const curriculum = [
  track('A', [15, 12, 15]),
  track('B', [12, 18, 15, 18, 15, 12, 12, 15]),
  track('C', [12, 15, 16, 16, 12, 18, 15]),
  track('D', [12, 15, 15, 15]),
  track('E', [15, 15, 18, 15, 10, 12, 18, 20]),
  track('F', [12, 18, 15, 12, 12, 18]),
  track(
    'G',
    Array.from({ length: 11 }, () => 15),
  ),
  track('H', [15, 15, 12]),
  track('I', [15, 15, 10, 10]),
  track('capstone', [60]),
];

describe('layoutRouteMap', () => {
  it('draws every track to one scale: length is time', () => {
    const map = layoutRouteMap(curriculum);
    expect(map.lines.map((line) => line.track.id).toSorted()).toEqual(curriculum.map((t) => t.id).toSorted());
    for (const line of map.lines) {
      const total = line.track.lessons.reduce((sum, lesson) => sum + lesson.minutes, 0);
      expect(line.endX - line.x).toBeCloseTo(total * map.pxPerMinute);
      expect(line.stations).toHaveLength(line.track.lessons.length);
    }
  });

  it('keeps tracks of a row apart, and everything on the sheet', () => {
    const { lines } = layoutRouteMap(curriculum);
    for (const a of lines) {
      expect(a.endX).toBeLessThan(MAP.width - 10);
      for (const b of lines) if (a !== b && a.y === b.y) expect(a.endX < b.x || b.endX < a.x).toBe(true);
    }
    const dock = lines.filter((line) => 'ABCDE'.includes(line.track.id));
    for (const line of dock) expect(line.endX).toBeLessThan(662);
  });

  it('shrinks the scale rather than leave the sheet', () => {
    const long = curriculum.map((t) =>
      t.id === 'G'
        ? track(
            'G',
            Array.from({ length: 20 }, () => 30),
          )
        : t,
    );
    const map = layoutRouteMap(long);
    expect(map.pxPerMinute).toBeLessThan(2);
    for (const line of map.lines) expect(line.endX).toBeLessThan(MAP.width);
  });
});

describe('progress', () => {
  const begun = { available: true, steps: 3, stepsSolved: 1, resumeAt: '2-fork' };

  it('tells the four states apart', () => {
    const { lessons } = track(
      'B',
      [1, 1, 1, 1],
      [{}, begun, { ...begun, stepsSolved: 0 }, { ...begun, stepsSolved: 3 }],
    );
    expect(lessons.map(lessonState)).toEqual(['later', 'now', 'ready', 'done']);
  });

  it('goes on where the learner stopped, before anything new', () => {
    const b = track('B', [10, 20], [{ ...begun, stepsSolved: 0 }, begun]);
    const resume = resumeOf({ tracks: [b] });
    expect(resume).toMatchObject({ lesson: { id: 'b1' }, step: 2, minutesLeft: 13 });
    expect(lessonHref(b, resume!.lesson)).toBe('/learn/B/b1?step=2-fork');
    expect(resumeOf({ tracks: [track('A', [5])] })).toBeNull();
  });
});
