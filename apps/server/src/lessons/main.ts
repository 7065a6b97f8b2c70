// The entry of `npm run lessons`: hands the arguments to cli.ts, and its answer to the shell.
import { runLessonsCommand } from './cli.ts';

process.exitCode = await runLessonsCommand(process.argv.slice(2), process.env, {
  out: (text) => console.log(text),
  err: (text) => console.error(text),
});
