// For kernel tests: an image store of its own with a real graph driver, and archives to load into it.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createReadStream } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Events } from '../container/events.ts';
import { imageContext, type ImageContext } from '../image/image-context.ts';
import { loadImages } from '../image/load.ts';
import { OverlayDriver } from '../image/overlay.ts';
import type { ProgressMessage } from '../image/progress.ts';
import { ImageStore } from '../image/store.ts';
import type { StoredImage } from '../image/stored-image.ts';

export interface ImageWorld {
  readonly directory: string;
  readonly graph: OverlayDriver;
  readonly context: ImageContext;
  readonly events: Events;
  readonly warnings: string[];
  load(path: string): Promise<{ images: StoredImage[]; messages: ProgressMessage[] }>;
  /** As after a restart of the daemon: everything is read from disk again. */
  reopen(): Promise<ImageWorld>;
  /** A shell script in a directory for archives; its output. */
  shell(script: string): string;
  /** "image load …", "image tag …" of each event so far. */
  told(): string[];
  remove(): void;
}

export async function imageWorld(directory = mkdtempSync(join(tmpdir(), 'drydock-images-'))): Promise<ImageWorld> {
  const warnings: string[] = [];
  const events = new Events();
  const graph = await OverlayDriver.open(join(directory, 'overlay'));
  const store = new ImageStore(join(directory, 'store'), graph, (message) => warnings.push(message));
  const context = imageContext(store, events, {
    os: 'linux',
    architecture: process.arch === 'x64' ? 'amd64' : process.arch,
  });
  const work = mkdtempSync(join(directory, 'work-'));
  return {
    directory,
    graph,
    context,
    events,
    warnings,
    load: async (path) => {
      const messages: ProgressMessage[] = [];
      const images = await loadImages(context, createReadStream(path), (message) => messages.push(message));
      return { images, messages };
    },
    reopen: () => imageWorld(directory),
    shell: (script) =>
      execFileSync('sh', ['-ec', script], { cwd: work, encoding: 'utf8', env: { ...process.env, WORK: work } }),
    told: () => events.recent().map(({ Type, Action, Actor }) => `${Type} ${Action} ${Actor.Attributes['name']}`),
    remove: () => rmSync(directory, { recursive: true, force: true }),
  };
}
