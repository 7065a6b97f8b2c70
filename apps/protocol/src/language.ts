// The languages of lessons and pages. Apart from the lesson's schemas, so that a browser can know them without loading those.
export const LANGUAGES = ['en', 'zh'] as const;
export type Language = (typeof LANGUAGES)[number];
