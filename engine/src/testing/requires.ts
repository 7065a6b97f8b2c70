// What a kernel test needs of the machine. An absence that the committed list knows of skips the tests of the file, with
// the reason; any other absence fails them, so that a broken machine can't look green.
import { beforeEach } from 'vitest';
import { CAPABILITIES, probe, type Capability } from '../kernel/probe.ts';
import knownMissing from './known-missing.json' with { type: 'json' };

/** Capabilities whose absence is no failure on the project's test machine. */
export const KNOWN_MISSING: readonly Capability[] = knownMissing.capabilities.map((id) => {
  const capability = CAPABILITIES.find((known) => known === id);
  if (capability === undefined) throw new Error(`known-missing.json names "${id}", which is no capability`);
  return capability;
});

/**
 * Call at the top of a kernel test's file (or of a describe). Returns false where its tests will be skipped: a
 * `beforeAll` that needs the capability looks at that. Throws where something is absent that should be there.
 */
export function requires(...capabilities: Capability[]): boolean {
  const absent = capabilities.map((id) => probe(id)).filter(({ present }) => !present);
  const unknown = absent.filter(({ id }) => !KNOWN_MISSING.includes(id));
  if (unknown.length > 0)
    throw new Error(
      unknown.map(({ id, why, howToGet }) => `This test needs ${id}, which is absent: ${why}. ${howToGet}`).join('\n'),
    );
  if (absent.length === 0) return true;
  const reason = `the test machine lacks ${absent.map(({ id }) => id).join(', ')}`;
  beforeEach(({ skip }) => skip(reason));
  return false;
}
