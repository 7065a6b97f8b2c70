// The set-up step that makes the learner's image.
import { existsSync } from 'node:fs';
import { makeImage, releaseCodename } from './make.mjs';
import { imageHash, readPointer } from './store.mjs';

/**
 * @param {import('../paths.mjs').InstancePaths} paths @param {{ sources?: string | undefined }} [options]
 * @returns {import('../steps.mjs').Step}
 */
export function imageStep(paths, { sources } = {}) {
  return {
    id: 'image',
    title: 'learner’s image',
    key: () => null,
    done: () => {
      const present = readPointer(paths.imagePointer);
      return (
        !sources && present !== null && existsSync(present.rootfs) && present.hash === imageHash(releaseCodename())
      );
    },
    run: async (note) => {
      const { sizeBytes } = await makeImage(paths, { note, ...(sources ? { sources } : {}) });
      return `${Math.round(sizeBytes / 2 ** 20)} MiB`;
    },
  };
}
