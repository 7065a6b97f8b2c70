// What the lab server hands to the pages when they are rendered (through the request's `drydock` context). Prose is HTML
// made on the server by remark and rehype-sanitize: no raw HTML from the lesson survives.
import type { Check, Language, Lesson, Step, Text } from './lesson.ts';
import type { StepProgress } from './events.ts';

export interface CatalogueTrack {
  id: string;
  title: Text;
  subtitle: Text;
  needs: string[];
  lessons: {
    id: string;
    code: string;
    title: Text;
    minutes: number;
    available: boolean;
    steps: number;
    stepsSolved: number;
    /** First unsolved step; null when the lesson is done or not available. */
    resumeAt: string | null;
  }[];
}

export interface Catalogue {
  tracks: CatalogueTrack[];
}

/** A step without what would give it away: no answers, no hint texts, no solution. */
export interface PublicStep {
  id: string;
  title: Text;
  minutes: number;
  prose: Record<Language, { situation: string; explain: string }>;
  predict: Omit<Step['predict'], 'answer'>;
  commands: Step['commands'];
  checks: Pick<Check, 'id' | 'label'>[];
  hintCount: number;
  explain: { question: Text; options: { id: string; label: Text }[] };
  citations: Step['citations'];
}

export interface LessonPage {
  track: { id: string; title: Text };
  lesson: Pick<Lesson, 'id' | 'title' | 'minutes' | 'opens' | 'glossary'> & {
    code: string;
    opening: Record<Language, string>;
    sheet: Record<Language, string>;
  };
  steps: PublicStep[];
  progress: StepProgress[];
}

/**
 * Set by apps/server as `globalThis.__drydockPages` and read there by the server components. Who asks stands in the
 * request header LEARNER_HEADER: the server sets it on the IncomingMessage, after removing whatever a client sent under that name.
 */
export interface PageSource {
  catalogue(learner: string): Promise<Catalogue>;
  lesson(learner: string, track: string, lesson: string): Promise<LessonPage | null>;
}

/** Request header that carries the learner's id from apps/server to the server components of the same process. */
export const LEARNER_HEADER = 'x-drydock-learner';
