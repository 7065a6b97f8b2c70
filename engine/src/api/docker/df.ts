// GET /system/df: what takes how much of the disk (moby's swagger, SystemDataUsage). There is no build cache, and so nothing
// of it to prune.
import type { FastifyInstance } from 'fastify';
import { EngineError } from '../../model/engine-error.ts';
import { queryTexts } from './query.ts';
import { volumeAnswer, type VolumeFacts } from './volumes.ts';

export interface DiskUsageBackend {
  /** All images with how much they share and how many containers use each; and the bytes of all layers, each once. */
  images(): Promise<{ readonly layersBytes: number; readonly images: readonly object[] }>;
  containers(): Promise<readonly object[]>;
  volumes(): Promise<readonly { readonly volume: VolumeFacts; readonly bytes: number; readonly users: number }[]>;
  mountpoint(volume: string): string;
}

const TYPES = ['container', 'image', 'volume', 'build-cache'];

export function diskUsageRoutes(app: FastifyInstance, backend: DiskUsageBackend): void {
  app.get('/system/df', async ({ query }) => {
    const asked = queryTexts(query, 'type');
    const strange = asked.find((type) => !TYPES.includes(type));
    if (strange !== undefined) throw new EngineError('invalid_argument', `unknown object type: ${strange}`);
    const wants = (type: string) => asked.length === 0 || asked.includes(type);
    const images = wants('image') ? await backend.images() : null;
    const volumes = wants('volume') ? await backend.volumes() : null;
    return {
      ...(images && { LayersSize: images.layersBytes, Images: images.images }),
      ...(wants('container') && { Containers: await backend.containers() }),
      ...(volumes && {
        Volumes: volumes.map(({ volume, bytes, users }) => ({
          ...volumeAnswer(backend, volume),
          UsageData: { Size: bytes, RefCount: users },
        })),
      }),
      ...(wants('build-cache') && { BuildCache: [] }),
    };
  });

  app.post('/build/prune', () => ({ CachesDeleted: null, SpaceReclaimed: 0 }));
}
