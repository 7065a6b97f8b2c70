// A lesson's Markdown: cut into its named parts, checked, rendered to HTML. No raw HTML, no scripts, no pictures from afar.
import type { Nodes, Root, RootContent } from 'mdast';
import rehypeSanitize from 'rehype-sanitize';
import rehypeStringify from 'rehype-stringify';
import remarkGfm from 'remark-gfm';
import remarkParse from 'remark-parse';
import remarkRehype from 'remark-rehype';
import { unified } from 'unified';
import type { Problem } from './problem.ts';

export interface Prose<Part extends string> {
  /** HTML of each part. */
  html: Record<Part, string>;
  /** Its fenced code, in order: the same in every language. */
  code: { text: string; line: number }[];
  problems: Problem[];
}

const parser = unified().use(remarkParse).use(remarkGfm);
// remarkRehype without allowDangerousHtml drops raw HTML; rehypeSanitize then keeps only what GitHub would.
const renderer = unified().use(remarkRehype).use(rehypeSanitize).use(rehypeStringify);

/**
 * Reads a file whose first-level headings name its parts (`# situation`): those are not shown. Every part has to be
 * there, once, with something in it.
 */
export function readProse<Part extends string>(file: string, text: string, parts: readonly Part[]): Prose<Part> {
  const tree = parser.parse(text);
  const problems: Problem[] = [];
  const at = (node: Nodes, message: string, field: string | null = null): void => {
    problems.push({ file, line: node.position?.start.line ?? null, field, message });
  };
  const sections = new Map<Part, RootContent[]>();
  let open: RootContent[] | null = null;
  for (const node of tree.children) {
    if (node.type === 'heading' && node.depth === 1) {
      const name = textOf(node).trim();
      const part = parts.find((known) => known === name);
      open = [];
      if (!part)
        at(node, `is not a part of this file: its parts are ${parts.map((known) => `"# ${known}"`).join(', ')}`, name);
      else if (sections.has(part)) at(node, 'is there twice', part);
      else sections.set(part, open);
    } else if (open) open.push(node);
    else at(node, `stands before the first part: begin with "# ${parts[0]}"`);
  }
  for (const part of parts) {
    const section = sections.get(part);
    if (!section) problems.push({ file, line: null, field: part, message: `is missing: add a heading "# ${part}"` });
    else if (section.length === 0) problems.push({ file, line: null, field: part, message: 'is empty' });
  }
  const code: Prose<Part>['code'] = [];
  visit(tree, (node) => {
    const fault = faultOf(node);
    if (fault) at(node, fault);
    if (node.type === 'code') code.push({ text: node.value, line: node.position?.start.line ?? 1 });
  });
  const html = Object.fromEntries(
    parts.map((part) => [part, render({ type: 'root', children: sections.get(part) ?? [] })]),
  ) as Record<Part, string>;
  return { html, code, problems };
}

function render(root: Root): string {
  return renderer.stringify(renderer.runSync(root));
}

function visit(node: Nodes, see: (node: Nodes) => void): void {
  see(node);
  if ('children' in node) for (const child of node.children) visit(child, see);
}

/** Why a node may not stand in a lesson; null if it may. */
function faultOf(node: Nodes): string | null {
  if (node.type === 'html')
    return `raw HTML is not shown: write Markdown instead of ${JSON.stringify(node.value.slice(0, 40))}`;
  if (node.type === 'image' || node.type === 'imageReference')
    return 'pictures are not shown: the drawings are made from the kernel';
  if ((node.type === 'link' || node.type === 'definition') && !node.url.startsWith('https://'))
    return `links must begin with https://, and ${JSON.stringify(node.url.slice(0, 60))} does not`;
  return null;
}

function textOf(node: Nodes): string {
  if ('value' in node) return node.value;
  return 'children' in node ? node.children.map(textOf).join('') : '';
}
