// Names of containers: which are allowed, and those that are made up. Pure.
import { EngineError } from './engine-error.ts';

const ALLOWED = '[a-zA-Z0-9][a-zA-Z0-9_.-]';
const NAME = new RegExp(`^/?${ALLOWED}+$`);

/** The name without its slash. Throws invalid_argument in Docker's words. */
export function checkedName(name: string): string {
  if (NAME.test(name)) return name.replace(/^\//, '');
  throw new EngineError('invalid_argument', `Invalid container name (${name}), only ${ALLOWED} are allowed`);
}

export const nameConflict = (name: string, holder: string): EngineError =>
  new EngineError(
    'conflict',
    `Conflict. The container name "/${name}" is already in use by container "${holder}". You have to remove (or rename) that container to be able to reuse that name.`,
  );

const MOODS =
  'able active amber bold brave breezy bright brisk calm candid careful cheerful clear clever cosy curious daring dear eager earnest easy elegant fair famous fast fearless festive fine firm fond frank free fresh friendly gentle glad golden grand happy hardy hearty helpful honest hopeful humble jolly joyful keen kind lively loyal lucid lucky mellow merry mighty modest neat nimble noble patient playful polite proud quick quiet ready serene sharp silent smart snowy steady sunny swift tidy tender thankful tranquil trusty upbeat vivid warm wise witty zealous';

// Of shipyards and the sea, of computing, of mathematics.
const SURNAMES =
  'abel amundsen archimedes babbage banks bernoulli bessel boole borg brahe brunel cabot cantor cerf church codd cook cousteau curie darwin dijkstra drake easley earhart euclid euler faraday fermat fourier franklin galileo galois gauss goedel hamilton hamming heyerdahl hilbert hopper humboldt huygens hypatia jemison johnson kepler kernighan khwarizmi knuth kovalevskaya lagrange lamarr lamport laplace leibniz liskov lovelace magellan maxwell mccarthy meitner mercator minsky nansen napier neumann newton nightingale noether pascal pike planck plimsoll poincare ptolemy ramanujan riemann ritchie roebling scott shackleton shannon sinclair slocum sutherland tesla thompson torvalds turing vespucci wallace wilkes wirth zheng zuse';

/** "calm_lovelace" of a random number in [0, 1); a second number makes it longer when that one is taken. */
export function madeUpName(random: () => number, attempt = 0): string {
  const pick = (words: string) => {
    const list = words.split(' ');
    return list[Math.floor(random() * list.length)] ?? '';
  };
  return `${pick(MOODS)}_${pick(SURNAMES)}${attempt === 0 ? '' : Math.floor(random() * 10)}`;
}
