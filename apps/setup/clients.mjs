// Docker's clients, for tests and suites: Debian's packages downloaded and unpacked into build/clients, never installed. docker.io
// has a daemon in it, which is thereby never started.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { findProgram, hasApt } from './host-packages.mjs';
import { buildFolder } from './paths.mjs';
import { SetupError, runTool } from './tool.mjs';

/** @typedef {{ names: string[], there: () => boolean }} Client */

const ADVICE = 'Check that "apt-get update" works on this machine, then run the command again.';

/** Where unpacked packages are: usr/bin, usr/lib/python3/dist-packages … */
export const clientsFolder = join(buildFolder, 'clients');

/** @param {string} module */
const pythonHas = (module) =>
  spawnSync('/usr/bin/python3', ['-c', `import ${module}`], {
    stdio: 'ignore',
    env: { ...process.env, PYTHONPATH: '' },
  }).status === 0;

/** The docker CLI: newer Debian has it in a package of its own. @type {Client[]} */
const DOCKER = [{ names: ['docker-cli', 'docker.io'], there: () => findProgram('docker') !== null }];

/** python3-docker with what it needs. @type {Client[]} */
const PYTHON_DOCKER = [
  'docker',
  'requests',
  'urllib3',
  'chardet',
  'charset-normalizer',
  'idna',
  'certifi',
  'six',
  'websocket',
].map((name) => ({
  names: [`python3-${name}`],
  there: () => pythonHas(name.replaceAll('-', '_')),
}));

/** What docker-py's own tests need besides. @type {Client[]} */
const PYTEST = [
  ['pytest', 'pytest'],
  ['pytest-timeout', 'pytest_timeout'],
  ['iniconfig', 'iniconfig'],
  ['pluggy', 'pluggy'],
  ['packaging', 'packaging'],
  ['attr', 'attr'],
  ['paramiko', 'paramiko'],
  ['bcrypt', 'bcrypt'],
  ['cryptography', 'cryptography'],
  ['nacl', 'nacl'],
  ['cffi-backend', '_cffi_backend'],
].map(([name = '', module = '']) => ({ names: [`python3-${name}`], there: () => pythonHas(module) }));

/** Others' tools for images at rest, and the libraries of theirs that a small system lacks. @type {Client[]} */
const IMAGE_TOOLS = [
  { names: ['skopeo'], there: () => findProgram('skopeo') !== null },
  { names: ['umoci'], there: () => findProgram('umoci') !== null },
  { names: ['libgpgme11', 'libgpgme11t64'], there: () => findProgram('skopeo') !== null },
  { names: ['libassuan0', 'libassuan9'], there: () => findProgram('skopeo') !== null },
];

/** The clients that the project's own tests use. */
export const TEST_CLIENTS = [...DOCKER, ...PYTHON_DOCKER, ...IMAGE_TOOLS];
/** The clients that other people's suites use. */
export const SUITE_CLIENTS = [...TEST_CLIENTS, ...PYTEST];

/** The step that unpacks what the machine lacks. @param {Client[]} clients @returns {import('./steps.mjs').Step} */
export function clientsStep(clients) {
  const lacking = () => clients.filter(({ names, there }) => !names.some(isUnpacked) && !there());
  return {
    id: 'clients',
    title: 'Docker’s clients',
    key: () => null,
    done: () => lacking().length === 0,
    run: (note) =>
      unpack(
        lacking().map(({ names }) => names),
        note,
      ),
  };
}

/** @param {string} name */
const isUnpacked = (name) => existsSync(join(clientsFolder, '.unpacked', name));

/** Unpacks the first of each row that apt knows. @param {string[][]} rows @param {(text: string) => void} note */
async function unpack(rows, note) {
  const wanted = rows.map((names) => names.join(' or ')).join(', ');
  if (!hasApt())
    throw new SetupError(
      `Cannot get ${wanted}: this machine has no apt-get. Install what your distribution calls them, then run the command again.`,
    );
  note(wanted);
  const names = (await known(rows)) ?? (await runTool('apt-get', ['update'], { advice: ADVICE }), await known(rows));
  if (!names)
    throw new SetupError(
      `Cannot get ${wanted}: apt does not know all of these packages. Add a mirror of the distribution to apt's sources.`,
    );
  const partial = join(clientsFolder, '.partial');
  rmSync(partial, { recursive: true, force: true });
  mkdirSync(partial, { recursive: true });
  await runTool('apt-get', ['download', '-o', 'APT::Sandbox::User=root', ...names], { cwd: partial, advice: ADVICE });
  for (const deb of readdirSync(partial)) {
    await runTool('dpkg', ['-x', join(partial, deb), clientsFolder]);
    // The name in this folder says that all of the package is there.
    mkdirSync(join(clientsFolder, '.unpacked', deb.slice(0, deb.indexOf('_'))), { recursive: true });
  }
  rmSync(partial, { recursive: true, force: true });
}

/** The first name of each row that apt has a package of; null where a row has none. @param {string[][]} rows */
async function known(rows) {
  const text = await runTool('apt-cache', ['policy', ...rows.flat()]);
  const there = new Set([...text.matchAll(/^(\S+):\n.*\n {2}Candidate: (?!\(none\))/gm)].map(([, name]) => name));
  const names = rows.map((row) => row.find((name) => there.has(name)));
  return names.every((name) => name !== undefined) ? names : null;
}
