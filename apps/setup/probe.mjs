// The bundle of the kernel's probes, once the step `probeStep` has made it.
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { buildFolder } from './paths.mjs';

/** @returns {Promise<import('../../engine/src/kernel/probe.ts')>} */
export function loadProbe() {
  return import(pathToFileURL(join(buildFolder, 'probe.mjs')).href);
}
