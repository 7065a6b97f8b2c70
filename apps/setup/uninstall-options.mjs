// What may stand after `npm run uninstall --`. Pure.
import { parseArgs } from 'node:util';
import { SetupError } from './tool.mjs';

export const UNINSTALL_USAGE = `npm run uninstall -- [options]
  --yes         do not ask
  --keep-data   keep sandboxes' files, learners' progress and the learner's image
  --packages    also remove the Debian packages that the set-up installed
  --help        this text`;

/** @param {string[]} argv */
export function parseUninstallOptions(argv) {
  try {
    const { values } = parseArgs({
      args: argv,
      options: {
        yes: { type: 'boolean' },
        'keep-data': { type: 'boolean' },
        packages: { type: 'boolean' },
        help: { type: 'boolean' },
      },
    });
    return {
      yes: values.yes ?? false,
      keepData: values['keep-data'] ?? false,
      packages: values.packages ?? false,
      help: values.help ?? false,
    };
  } catch (error) {
    throw new SetupError(`${error instanceof Error ? error.message : String(error)}.\n${UNINSTALL_USAGE}`);
  }
}
