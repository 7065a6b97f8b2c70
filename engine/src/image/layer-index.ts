// What a graph driver knows of its layers, on disk as one small file each. The file is what makes a layer exist: it is
// written, whole, after the layer's own files are on the disk; a directory without one is what a crash left.
import { mkdirSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { writeAtomically } from '../kernel/atomic-file.ts';
import { EngineError } from '../model/engine-error.ts';

export interface LayerRecord {
  readonly id: string;
  readonly parentId: string | null;
  /** Of its directory: short, since all directories of a stack must fit one page of mount options. */
  readonly name: string;
  readonly sizeBytes: number;
}

const isRecord = (value: unknown): value is LayerRecord =>
  typeof value === 'object' && value !== null && 'id' in value && 'name' in value && 'parentId' in value;

export class LayerIndex {
  readonly #directory: string;
  readonly #records = new Map<string, LayerRecord>();

  constructor(directory: string) {
    this.#directory = directory;
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    for (const file of readdirSync(directory)) {
      const path = join(directory, file);
      if (!file.endsWith('.json')) rmSync(path, { force: true });
      else {
        const record: unknown = JSON.parse(readFileSync(path, 'utf8'));
        if (!isRecord(record)) throw new EngineError('internal', `Cannot read "${path}": it describes no layer`);
        this.#records.set(record.id, record);
      }
    }
  }

  #path(id: string): string {
    return join(this.#directory, `${id.replace(/[^A-Za-z0-9_.-]/g, '-')}.json`);
  }

  get(id: string): LayerRecord | undefined {
    return this.#records.get(id);
  }

  all(): LayerRecord[] {
    return [...this.#records.values()];
  }

  put(record: LayerRecord): void {
    writeAtomically(this.#path(record.id), JSON.stringify(record));
    this.#records.set(record.id, record);
  }

  delete(id: string): void {
    rmSync(this.#path(id), { force: true });
    this.#records.delete(id);
  }

  /** The layer and those below it, topmost first. Throws not_found, internal for a chain with a hole. */
  chain(id: string): LayerRecord[] {
    const chain: LayerRecord[] = [];
    for (let at: string | null = id; at !== null;) {
      const record: LayerRecord | undefined = this.#records.get(at);
      if (record === undefined)
        throw new EngineError('not_found', `Cannot find layer "${at}": the storage driver has none of that id`);
      chain.push(record);
      at = record.parentId;
    }
    return chain;
  }

  hasChildren(id: string): boolean {
    return this.all().some(({ parentId }) => parentId === id);
  }
}
