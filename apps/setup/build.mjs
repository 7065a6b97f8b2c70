// `node apps/setup/build.mjs [launch|engine|server|web|pty|all]…`: builds what is named, and only what changed. all: what the lab runs on.
import { BUILD_TARGETS, LAB_TARGETS, buildSteps } from './build-steps.mjs';
import { reportFailure } from './failure.mjs';
import { Progress } from './progress.mjs';
import { runSteps } from './steps.mjs';

const named = process.argv.slice(2);
const unknown = named.find((name) => name !== 'all' && !BUILD_TARGETS.some((target) => target === name));
if (unknown !== undefined) {
  console.error(`Cannot build "${unknown}": there is no such target. Targets: ${BUILD_TARGETS.join(', ')}, all.`);
  process.exit(2);
}
const all = named.length === 0 || named.includes('all');
try {
  await runSteps(
    buildSteps(BUILD_TARGETS.filter((target) => named.includes(target) || (all && LAB_TARGETS.includes(target)))),
    new Progress(),
  );
} catch (error) {
  reportFailure(error);
  process.exit(1);
}
