// For a kernel test: a daemon that launches one terminal container in argv[2] with root argv[3] and script argv[4], says
// "launched", and waits to be killed.
import { linux } from '../kernel/linux.ts';
import { terminalPlan } from './container-plan.ts';

const [directory = '', root = '', script = ''] = process.argv.slice(2);
const { kept } = await linux.launch(terminalPlan(root, script), { directory });
kept.follow().stream.resume(); // what it has read is its own; the next daemon starts from the ring
console.log('launched');
