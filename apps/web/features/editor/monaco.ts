// Monaco, from the local package: the editor, a handful of languages, its worker as a module. Loaded only when an editor opens.
import { editor } from 'monaco-editor/editor';
import 'monaco-editor/features/bracketMatching/register';
import 'monaco-editor/features/caretOperations/register';
import 'monaco-editor/features/clipboard/register';
import 'monaco-editor/features/comment/register';
import 'monaco-editor/features/find/register';
import 'monaco-editor/features/folding/register';
import 'monaco-editor/features/gotoLine/register';
import 'monaco-editor/features/indentation/register';
import 'monaco-editor/features/linesOperations/register';
import 'monaco-editor/features/multicursor/register';
import 'monaco-editor/features/toggleTabFocusMode/register';
import 'monaco-editor/features/wordOperations/register';
import 'monaco-editor/languages/definitions/cpp/register';
import 'monaco-editor/languages/definitions/markdown/register';
import 'monaco-editor/languages/definitions/python/register';
import 'monaco-editor/languages/definitions/shell/register';
import 'monaco-editor/languages/definitions/yaml/register';
import 'monaco-editor/languages/features/json/register';

declare global {
  interface Window {
    MonacoEnvironment?: { getWorker: (id: string, label: string) => Worker };
  }
}

window.MonacoEnvironment = {
  getWorker: (_id, label) =>
    label === 'json'
      ? new Worker(new URL('monaco-editor/languages/features/json/json.worker.js', import.meta.url), { type: 'module' })
      : new Worker(new URL('monaco-editor/editor/editor.worker.js', import.meta.url), { type: 'module' }),
};

/** Hex of a custom property as the page computes it: Monaco's themes take nothing else. */
function hex(name: string): string {
  const probe = document.createElement('span');
  probe.style.color = `var(${name})`;
  document.body.append(probe);
  const numbers = getComputedStyle(probe).color.match(/[\d.]+/g) ?? [];
  probe.remove();
  return `#${numbers
    .slice(0, 3)
    .map((part) => Math.round(Number(part)).toString(16).padStart(2, '0'))
    .join('')}`;
}

/** Defines the theme anew from the tokens: the editor is paper and ink, as the page is. */
export function applyTheme(): void {
  const dark = getComputedStyle(document.documentElement).colorScheme.includes('dark')
    ? document.documentElement.dataset['theme'] === 'dark' ||
      (document.documentElement.dataset['theme'] !== 'light' && matchMedia('(prefers-color-scheme: dark)').matches)
    : false;
  const bare = (name: string) => hex(name).slice(1);
  editor.defineTheme('drydock', {
    base: dark ? 'vs-dark' : 'vs',
    inherit: true,
    rules: [
      { token: '', foreground: bare('--ink') },
      { token: 'comment', foreground: bare('--ink-3'), fontStyle: 'italic' },
      { token: 'string', foreground: bare('--pass') },
      { token: 'keyword', foreground: bare('--ink'), fontStyle: 'bold' },
      { token: 'number', foreground: bare('--now') },
      { token: 'variable', foreground: bare('--warn') },
      { token: 'metatag', foreground: bare('--ink-3') },
      { token: 'type', foreground: bare('--ink'), fontStyle: 'bold' },
      { token: 'tag', foreground: bare('--ink'), fontStyle: 'bold' },
      { token: 'delimiter', foreground: bare('--ink-2') },
      { token: 'operator', foreground: bare('--ink-2') },
      { token: 'predefined', foreground: bare('--ink') },
    ],
    colors: {
      'editor.background': hex('--raised'),
      'editor.foreground': hex('--ink'),
      'editorLineNumber.foreground': hex('--ink-3'),
      'editorLineNumber.activeForeground': hex('--ink'),
      'editorCursor.foreground': hex('--ink'),
      'editor.selectionBackground': hex('--mark'),
      'editor.lineHighlightBackground': hex('--sheet'),
      'editorWidget.background': hex('--sheet'),
      'editorWidget.border': hex('--line-strong'),
    },
  });
  editor.setTheme('drydock');
}

export { editor };
