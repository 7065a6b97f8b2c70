// All containers of one daemon, by id and by name.
import { EngineError } from '../model/engine-error.ts';
import { nameConflict } from '../model/container-name.ts';
import type { ContainerFinder } from './container.ts';
import type { LiveContainer } from './live-container.ts';

export class Containers implements ContainerFinder {
  readonly #byId = new Map<string, LiveContainer>();
  /** Also names that are promised to a container in the making. */
  readonly #idOfName = new Map<string, string>();

  /** Throws conflict in Docker's words when somebody has it. */
  reserve(name: string, id: string): void {
    const holder = this.#idOfName.get(name);
    if (holder !== undefined && holder !== id) throw nameConflict(name, holder);
    this.#idOfName.set(name, id);
  }

  /** Nothing when another has taken it meanwhile. */
  release(name: string, id: string): void {
    if (this.#idOfName.get(name) === id) this.#idOfName.delete(name);
  }

  isTaken(name: string): boolean {
    return this.#idOfName.has(name);
  }

  /** Its name is reserved already. */
  add(container: LiveContainer): void {
    this.#byId.set(container.id, container);
  }

  drop(container: LiveContainer): void {
    this.release(container.name, container.id);
    this.#byId.delete(container.id);
  }

  /** In the order of making. */
  all(): LiveContainer[] {
    return [...this.#byId.values()];
  }

  find(idOrName: string): LiveContainer {
    const name = idOrName.replace(/^\//, '');
    const exact = this.#byId.get(name) ?? this.#byId.get(this.#idOfName.get(name) ?? '');
    if (exact) return exact;
    const absent = new EngineError('not_found', `No such container: ${idOrName}`);
    if (!/^[0-9a-f]+$/.test(name)) throw absent;
    const matching = this.all().filter(({ id }) => id.startsWith(name));
    if (matching.length > 1)
      throw new EngineError('invalid_argument', `multiple IDs found with provided prefix: ${idOrName}`);
    const [only] = matching;
    if (!only) throw absent;
    return only;
  }
}
