// One Monaco editor in an element: shows a text, tells of changes, asks to save on Ctrl+S. Knows no files.
import { KeyCode, KeyMod } from 'monaco-editor/editor';
import { applyTheme, editor } from './monaco.ts';

export interface MonacoHost {
  show(text: string, language: string, label: string): void;
  text(): string;
  layout(): void;
  dispose(): void;
}

export function openMonaco(element: HTMLElement, on: { onChange: () => void; onSave: () => void }): MonacoHost {
  applyTheme();
  const view = editor.create(element, {
    value: '',
    automaticLayout: true,
    fontFamily: getComputedStyle(element).getPropertyValue('--font-mono'),
    fontSize: 13,
    lineHeight: 20,
    minimap: { enabled: false },
    scrollBeyondLastLine: false,
    renderLineHighlight: 'line',
    padding: { top: 8 },
    tabSize: 4,
    wordWrap: 'on',
    contextmenu: false,
    fixedOverflowWidgets: true,
  });
  let quiet = false;
  view.onDidChangeModelContent(() => {
    if (!quiet) on.onChange();
  });
  view.addCommand(KeyMod.CtrlCmd | KeyCode.KeyS, on.onSave);
  const scheme = matchMedia('(prefers-color-scheme: dark)');
  scheme.addEventListener('change', applyTheme);
  const themed = new MutationObserver(applyTheme);
  themed.observe(document.documentElement, { attributes: true, attributeFilter: ['data-theme'] });
  // Metrics are taken when the editor is made; the face may arrive later.
  void document.fonts.ready.then(() => editor.remeasureFonts());
  return {
    show(text, language, label) {
      quiet = true;
      const old = view.getModel();
      view.setModel(editor.createModel(text, language));
      old?.dispose();
      quiet = false;
      view.updateOptions({ ariaLabel: label });
      view.focus();
    },
    text: () => view.getValue(),
    layout: () => view.layout(),
    dispose() {
      scheme.removeEventListener('change', applyTheme);
      themed.disconnect();
      view.getModel()?.dispose();
      view.dispose();
    },
  };
}
