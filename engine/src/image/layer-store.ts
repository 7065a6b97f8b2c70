// Layers in the graph driver, by chain id: unpacked once however many images have them, kept as long as somebody pins or
// refers to them. Whether an image refers to a layer is asked, not known here.
import { type Digest, hexOf } from '../model/digest.ts';
import { EngineError } from '../model/engine-error.ts';
import { applyLayer } from './apply-layer.ts';
import type { GraphDriver } from './graph-driver.ts';
import { KeyedLock } from './keyed-lock.ts';
import { Pins } from './pins.ts';
import { uncompressed } from './uncompressed.ts';

export interface LayerContent {
  readonly chainId: Digest;
  readonly diffId: Digest;
  /** Chain id of the layer below. */
  readonly parent: Digest | null;
  /** Its tar, with or without compression. Opened only when the layer is not there yet. */
  readonly open: () => AsyncIterable<Uint8Array>;
}

export class LayerStore {
  readonly #graph: GraphDriver;
  readonly #isReferred: (chainId: Digest) => boolean;
  readonly #lock = new KeyedLock();
  readonly #sizes = new Map<Digest, number>();
  readonly pins = new Pins();

  constructor(graph: GraphDriver, isReferred: (chainId: Digest) => boolean) {
    this.#graph = graph;
    this.#isReferred = isReferred;
  }

  has(chainId: Digest): boolean {
    return this.#graph.hasLayer(hexOf(chainId));
  }

  /** Unpacks the layer unless it is there. Pin it before: what nobody pins or refers to may be collected at once. Throws
   * invalid_argument for a tar that is not what its diff id says. */
  async ensure({ chainId, diffId, parent, open }: LayerContent): Promise<void> {
    await this.#lock.run(chainId, async () => {
      if (this.has(chainId)) return;
      await this.#graph.createLayer(hexOf(chainId), parent === null ? null : hexOf(parent), async (target) => {
        const applied = await applyLayer(uncompressed(open()), target);
        if (applied.diffId !== diffId)
          throw new EngineError(
            'invalid_argument',
            `wrong layer: expected diff id "${diffId}", got "${applied.diffId}"`,
          );
      });
    });
  }

  /** Bytes of what the layer itself adds; counted once. */
  async sizeBytes(chainId: Digest): Promise<number> {
    const known = this.#sizes.get(chainId);
    if (known !== undefined) return known;
    const size = await this.#graph.sizeBytes(hexOf(chainId));
    this.#sizes.set(chainId, size);
    return size;
  }

  /** Where its files are, as inspect shows it. */
  shown(chainId: Digest): Readonly<Record<string, string>> {
    const mount = this.#graph.mountOf(hexOf(chainId));
    return mount.kind === 'overlay' ? { LowerDir: mount.lower.join(':') } : { Dir: mount.path };
  }

  /** Removes a layer that nobody pins or refers to; false when somebody does, another layer lies on it, or it is gone. */
  async remove(chainId: Digest): Promise<boolean> {
    return this.#lock.run(chainId, async () => {
      if (!this.has(chainId) || this.pins.has(chainId) || this.#isReferred(chainId)) return false;
      try {
        await this.#graph.remove(hexOf(chainId));
      } catch (error) {
        if (error instanceof EngineError && error.kind === 'conflict') return false;
        throw error;
      }
      this.#sizes.delete(chainId);
      return true;
    });
  }

  /** Removes all that nobody pins or refers to, the upper ones before those they lie on. */
  async removeUnreferred(): Promise<void> {
    for (let removed = true; removed;) {
      removed = false;
      for (const chain of this.list()) removed = (await this.remove(chain)) || removed;
    }
  }

  list(): Digest[] {
    return this.#graph.list().layers.map((hex) => `sha256:${hex}` as const);
  }
}
