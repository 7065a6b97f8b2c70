// Starts a worker thread of the engine, from the TypeScript sources (vitest, tsx) or from the bundle: there each
// `x.worker.ts` is an entry of its own beside engine.mjs: build/x.worker.mjs.
import { Worker } from 'node:worker_threads';

/** `source`: `new URL('./x.worker.ts', import.meta.url)`, written beside the caller. */
export function startWorker(source: URL, callerUrl: string, workerData: unknown, name: string): Worker {
  if (callerUrl.endsWith('.ts')) {
    // Node 20 reads no TypeScript, and a worker doesn't inherit the loader of its parent.
    const boot = `import('tsx/esm/api').then((tsx) => { tsx.register(); return import(${JSON.stringify(source.href)}); })`;
    return new Worker(boot, { eval: true, workerData, name });
  }
  const base = source.pathname.split('/').at(-1)?.replace(/\.ts$/, '.mjs');
  return new Worker(new URL(`./${base}`, callerUrl), { workerData, name });
}
