// `node apps/setup/image/build.mjs [--sources FILE]`: makes the learner's image when its recipe changed.
import { parseArgs } from 'node:util';
import { reportFailure } from '../failure.mjs';
import { instancePaths } from '../paths.mjs';
import { Progress } from '../progress.mjs';
import { runSteps } from '../steps.mjs';
import { imageStep } from './step.mjs';

try {
  const { values } = parseArgs({ options: { sources: { type: 'string' } } });
  await runSteps([imageStep(instancePaths(process.env), values)], new Progress());
} catch (error) {
  reportFailure(error);
  process.exit(1);
}
