// Which of the editor's languages a path is, and how a file is run in a shell. Pure.

const BY_EXTENSION: Readonly<Record<string, string>> = {
  sh: 'shell',
  bash: 'shell',
  c: 'c',
  h: 'c',
  py: 'python',
  json: 'json',
  yaml: 'yaml',
  yml: 'yaml',
  md: 'markdown',
};

/** Language id by the name's end, else by the first line's interpreter, else plain text. */
export function languageOf(path: string, text: string): string {
  const name = path.split('/').at(-1) ?? '';
  const extension = name.includes('.') ? (name.split('.').at(-1)?.toLowerCase() ?? '') : '';
  const known = BY_EXTENSION[extension];
  if (known) return known;
  if (/^\.(bash|profile)/.test(name)) return 'shell';
  const first = text.slice(0, 200).split('\n', 1)[0] ?? '';
  if (/^#!.*\b(ba|da)?sh\b/.test(first)) return 'shell';
  if (/^#!.*\bpython/.test(first)) return 'python';
  return 'plaintext';
}

/** A path as one word of a POSIX shell. */
export function shellWord(path: string): string {
  return /^[\w./+-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
}

/** What is typed to run a file: by its interpreter, so that it need not be executable. */
export function runLine(path: string, language: string): string {
  if (language === 'python') return `python3 ${shellWord(path)}`;
  if (language === 'c') return `cc -o /tmp/a.out ${shellWord(path)} && /tmp/a.out`;
  return `bash ${shellWord(path)}`;
}

/** An absolute path from what was typed: "~" and relative names are root's home, as the terminals have it. */
export function absolutePath(typed: string): string {
  const trimmed = typed.trim();
  if (trimmed.startsWith('/')) return trimmed;
  return `/root/${trimmed.replace(/^~\/?/, '')}`;
}
