// Prints a failure of the set-up: the sentence, the tool's last lines, where the whole output is.
import { SetupError } from './tool.mjs';

/** @param {unknown} error @param {(text: string) => void} [print] */
export function reportFailure(error, print = console.error) {
  if (!(error instanceof SetupError)) {
    print(
      `The set-up met something it does not know: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
    );
    return;
  }
  print(`\n${error.message}`);
  if (error.lastLines.length > 0) print(error.lastLines.map((line) => `    ${line}`).join('\n'));
  if (error.log) print(`The whole output: ${error.log}`);
}
