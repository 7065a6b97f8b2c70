// Reads one step's folder: step.yaml, en.md, zh.md and the scripts. Everything wrong in it is collected, nothing thrown.
import { LANGUAGES, stepSchema, type Language, type Step } from '@drydock/protocol/lesson.ts';
import type { LessonFiles } from './lesson-files.ts';
import type { Problem } from './problem.ts';
import { readProse, type Prose } from './prose.ts';
import { readScript, type Script } from './script.ts';
import { stepFaults } from './step-rules.ts';
import { readYaml } from './yaml-file.ts';

const STEP_PARTS = ['situation', 'explain'] as const;
const KNOWN = /^(step\.yaml|(en|zh)\.md|setup\.sh|solution(-[a-z0-9-]+)?\.sh|wrong-[a-z0-9-]+\.sh)$/;

/** A step as the server uses it. */
export interface LoadedStep {
  id: string;
  step: Step;
  /** HTML, by language. */
  prose: Record<Language, Record<(typeof STEP_PARTS)[number], string>>;
  /** Run as root inside the sandbox (`/bin/sh -c`) before the step begins; null when it needs none. */
  setup: string | null;
  solution: Script;
  /** Other ways to the same state, solution-*.sh, by file name: they pass, too. */
  others: ReadonlyMap<string, Script>;
  /** By file name. */
  wrong: ReadonlyMap<string, Script>;
}

/** `folder`: "b-namespaces/b2-pid/1-trap". The step is null when a problem keeps it from being shown. */
export function readStepFolder(
  files: LessonFiles,
  folder: string,
  id: string,
): { step: LoadedStep | null; problems: Problem[] } {
  const problems: Problem[] = [];
  const missing = (file: string, message: string): void =>
    void problems.push({ file: `${folder}/${file}`, line: null, field: null, message });
  const names = files.list(folder);
  for (const name of names)
    if (!KNOWN.test(name)) missing(name, 'is not a file of a step: remove it, or correct its name');

  const yaml = files.read(`${folder}/step.yaml`, problems);
  const parsed = yaml === null ? null : readYaml(`${folder}/step.yaml`, yaml, stepSchema);
  problems.push(...(parsed?.problems ?? []));
  const step = parsed?.value ?? null;
  if (parsed && step)
    problems.push(...stepFaults(step, names).map(({ path, message }) => parsed.problemAt(path, message)));

  const prose = readProseFiles(files, folder, STEP_PARTS, problems);
  const checks = new Set(step?.checks.map(({ id: check }) => check) ?? []);
  const scriptOf = (name: string): Script | null => {
    const text = files.read(`${folder}/${name}`, problems);
    if (text === null) return null;
    const script = readScript(`${folder}/${name}`, text, checks);
    if (step) problems.push(...script.problems);
    return script;
  };
  const solution = scriptOf('solution.sh');
  const scriptsOf = (prefix: string): Map<string, Script> => {
    const scripts = new Map<string, Script>();
    for (const name of names) {
      const script = name.startsWith(prefix) && KNOWN.test(name) ? scriptOf(name) : null;
      if (script) scripts.set(name, script);
    }
    return scripts;
  };
  const others = scriptsOf('solution-');
  const wrong = scriptsOf('wrong-');
  const setup = names.includes('setup.sh') ? files.read(`${folder}/setup.sh`, problems) : null;
  if (!step || !prose || !solution || problems.length > 0) return { step: null, problems };
  return { step: { id, step, prose, setup, solution, others, wrong }, problems };
}

/** en.md and zh.md of a folder; their fenced code has to be the same, line for line. Null when one can't be read. */
export function readProseFiles<Part extends string>(
  files: LessonFiles,
  folder: string,
  parts: readonly Part[],
  problems: Problem[],
): Record<Language, Record<Part, string>> | null {
  const read = new Map<Language, Prose<Part>>();
  for (const language of LANGUAGES) {
    const text = files.read(`${folder}/${language}.md`, problems);
    if (text === null) continue;
    const prose = readProse(`${folder}/${language}.md`, text, parts);
    problems.push(...prose.problems);
    read.set(language, prose);
  }
  const [en, zh] = [read.get('en'), read.get('zh')];
  if (!en || !zh) return null;
  for (let i = 0; i < Math.max(en.code.length, zh.code.length); i += 1) {
    if (en.code[i]?.text === zh.code[i]?.text) continue;
    const message = `commands are the same in every language, and code block ${i + 1} differs from en.md`;
    problems.push({ file: `${folder}/zh.md`, line: zh.code[i]?.line ?? null, field: null, message });
    break;
  }
  return { en: en.html, zh: zh.html };
}
