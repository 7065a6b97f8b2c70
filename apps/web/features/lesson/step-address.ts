// Which step an address names. Pure. `?step=sheet` is the sheet to keep, after the last step.
import type { LessonPage } from '@drydock/protocol/pages.ts';

export const SHEET = 'sheet';

/** The step named in the address, else the first that is not solved, else the first. */
export function stepOf(page: LessonPage, wanted: string | null | undefined): string {
  if (wanted === SHEET || page.steps.some((step) => step.id === wanted)) return wanted ?? SHEET;
  const solved = new Set(page.progress.filter((entry) => entry.solvedAtMs !== null).map((entry) => entry.step));
  return (page.steps.find((step) => !solved.has(step.id)) ?? page.steps[0])?.id ?? SHEET;
}

/** The stops before and after one; null at the ends. */
export function neighbours(page: LessonPage, at: string): { before: string | null; after: string | null } {
  const stops = [...page.steps.map((step) => step.id), SHEET];
  const index = stops.indexOf(at);
  return { before: stops[index - 1] ?? null, after: stops[index + 1] ?? null };
}
