// `npm run engine|doctor|lessons|conformance|bench|soak`: looks at Node's version, like start.mjs, then goes on in run-command.mjs.
import { nodeVersionProblem } from './node-version.mjs';

var problem = nodeVersionProblem(process.version, process.execPath);
if (problem !== null) {
  console.error(problem);
  process.exit(1);
} else {
  void import('./run-command.mjs').then(function (commands) {
    return commands.runCommand(process.argv[2], process.argv.slice(3));
  });
}
