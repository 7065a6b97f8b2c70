// `npm start`: looks at Node's version before anything that an old Node could not read, then goes on in start-lab.mjs.
import { nodeVersionProblem } from './node-version.mjs';

var problem = nodeVersionProblem(process.version, process.execPath);
if (problem !== null) {
  console.error(problem);
  process.exit(1);
} else {
  void import('./start-lab.mjs').then(function (lab) {
    return lab.startLab(process.argv.slice(2));
  });
}
