// `npm run uninstall`: takes back what the set-up and the lab did to this host, from the journal and by the instance's own names.
// Removes nothing it does not know; says what it leaves.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { instanceId } from '../../engine/src/instance-id.mjs';
import { PROFILE_FILE } from './app-armor.mjs';
import { reportFailure } from './failure.mjs';
import { writeSysctl } from './harden.mjs';
import { findProgram } from './host-packages.mjs';
import { readJournal, writeJournal } from './journal.mjs';
import { LAB_USER, findUser } from './lab-user.mjs';
import { removablePackages, removeGroups, removeKnown, removeTable, unmountBelow } from './leftovers.mjs';
import { instancePaths } from './paths.mjs';
import { systemdRuns } from './service.mjs';
import { stopRunning, tearDown } from './stop.mjs';
import { SetupError, runTool } from './tool.mjs';
import { UNINSTALL_USAGE, parseUninstallOptions } from './uninstall-options.mjs';

/** What the set-up and the engine make in DRYDOCK_ROOT; without its data, only what can be made again. */
const STATE = [
  'sandboxes',
  'images',
  'containers',
  'image',
  'overlay',
  'vfs',
  'volumes',
  'engine-id',
  'logs',
  'setup-journal.json',
];
/** What they make in DRYDOCK_RUN. */
const RUN_STATE = [
  'engine.sock',
  'lab.sock',
  'start.json',
  'lab-root',
  'sandboxes',
  'keepers',
  'ground',
  'containers',
  'oci',
  'volume-copies',
  'volume-subpaths',
];
const KEPT_STATE = ['logs'];
/** Ranges of user ids that sandboxes hold, for all instances of the machine. */
const SLOTS = '/var/lib/drydock-slots';

/** @typedef {import('./paths.mjs').InstancePaths} InstancePaths */
/** @typedef {ReturnType<typeof parseUninstallOptions>} UninstallOptions */

try {
  const options = parseUninstallOptions(process.argv.slice(2));
  if (options.help) console.log(UNINSTALL_USAGE);
  else await uninstall(options, instancePaths(process.env));
} catch (error) {
  reportFailure(error);
  process.exitCode = 1;
}

/** @param {UninstallOptions} options @param {InstancePaths} paths */
async function uninstall(options, paths) {
  if (process.getuid?.() !== 0)
    throw new SetupError('Cannot undo the set-up: that needs root ("sudo npm run uninstall").');
  const journal = readJournal(paths.journal);
  announce(options, paths, journal);
  if (!options.yes && !(await agreed())) {
    console.log('Nothing was changed.');
    return;
  }
  const id = instanceId(paths.root, paths.run);
  await stopUnits(journal.units);
  if (await stopRunning(paths)) console.log('The lab and the engine have stopped.');
  await endSandboxes(paths);
  for (const group of [`drydock-${id}`, `drydock-${id}-containers`]) await removeGroups(group);
  await removeTable(`drydock_${id}`);
  for (const [key, value] of Object.entries(journal.sysctls)) writeSysctl(key, value);
  await removeFiles(journal.files);
  if (systemdRuns() && journal.units.length > 0) await runTool('systemctl', ['daemon-reload']);
  await removeUsers(journal.users);
  if (options.packages && journal.packages.length > 0) await removePackages(journal.packages);
  await removeState(options, paths, journal);
  console.log('Done. What is left is this clone: its folders build/ and node_modules/ go with it.');
}

/** @param {UninstallOptions} options @param {InstancePaths} paths @param {import('./journal.mjs').Journal} journal */
function announce(options, paths, journal) {
  const data = options.keepData ? 'stopped; files are kept' : 'ended and removed, with all files in them';
  const lines = [
    `sandboxes of ${paths.root}: ${data}`,
    ...(options.keepData ? [] : [`learners' progress (${paths.labData}) and the learner's image: removed`]),
    ...journal.units.map((unit) => `systemd unit ${unit}: stopped and removed`),
    ...Object.entries(journal.sysctls).map(([key, value]) => `kernel setting ${key}: back to ${value}`),
    ...journal.files.map((file) => `file ${file}: removed`),
    ...journal.users.map((user) => `user ${user}: removed`),
  ];
  console.log(
    `This takes back what Drydock's set-up did to this host:\n${lines.map((line) => `  ${line}`).join('\n')}`,
  );
  if (journal.packages.length === 0) return;
  const names = journal.packages.join(' ');
  console.log(
    options.packages
      ? `  packages ${names}: removed`
      : `Packages that it installed stay (--packages removes them): ${names}`,
  );
}

async function agreed() {
  if (!process.stdin.isTTY) throw new SetupError('Cannot ask whether to go on: there is no terminal. Say --yes.');
  const line = createInterface({ input: process.stdin, output: process.stdout });
  const answer = await line.question('Go on? [y/N] ');
  line.close();
  return /^y(es)?$/i.test(answer.trim());
}

/** @param {InstancePaths} paths */
async function endSandboxes(paths) {
  try {
    await tearDown(paths);
  } catch (error) {
    // What the engine can't end is found by its names afterwards.
    console.error(
      `The engine could not end the sandboxes (${error instanceof Error ? error.message : String(error)}); their control groups are ended instead.`,
    );
  }
}

/** @param {string[]} units */
async function stopUnits(units) {
  if (!systemdRuns()) return;
  for (const unit of units) await runTool('systemctl', ['disable', '--now', unit]).catch(ignoreAbsent);
}

/** A unit that is not there any more is as removed as can be. @param {unknown} error */
function ignoreAbsent(error) {
  if (!(error instanceof SetupError)) throw error;
}

/** @param {string[]} files */
async function removeFiles(files) {
  for (const file of files) {
    // The kernel keeps a profile whose file is gone.
    if (file === PROFILE_FILE && existsSync(file))
      await runTool('apparmor_parser', ['--remove', file]).catch(ignoreAbsent);
    rmSync(file, { force: true });
  }
}

/** @param {string[]} users */
async function removeUsers(users) {
  for (const user of users) {
    if (!findUser(readFileSync('/etc/passwd', 'utf8'), user)) continue;
    try {
      await runTool(findProgram('userdel') ?? 'userdel', [user]);
    } catch (error) {
      const { lastLines = [] } = error instanceof SetupError ? error : {};
      console.error(
        `The user ${user} stays: ${lastLines.join(' ') || String(error)}. Another instance may be using it; "userdel ${LAB_USER}" removes it.`,
      );
    }
  }
}

/** @param {string[]} packages */
async function removePackages(packages) {
  // apt-get refuses to take away what dpkg holds for essential (on Debian 12 e2fsprogs is), also when the set-up brought it.
  const format = '-f=${Package} ${Essential} ${Important}\n';
  const { stdout } = spawnSync('dpkg-query', ['-W', format, ...packages], { encoding: 'utf8' });
  const { remove, keep } = removablePackages(stdout);
  if (keep.length > 0) console.log(`Kept, since Debian holds them for essential: ${keep.join(' ')}.`);
  if (remove.length === 0) return;
  await runTool('apt-get', ['remove', '-y', ...remove], {
    env: { DEBIAN_FRONTEND: 'noninteractive' },
    advice: 'Remove them by hand: apt-get remove.',
  });
  console.log(`Removed: ${remove.join(' ')}.`);
}

/** @param {UninstallOptions} options @param {InstancePaths} paths @param {import('./journal.mjs').Journal} journal */
async function removeState(options, paths, journal) {
  // Never reach into a mount: a sandbox's disk that is still mounted would lose its files one by one.
  await unmountBelow([paths.root, paths.run]);
  const inRun = removeKnown(paths.run, RUN_STATE);
  if (inRun.length > 0) console.log(`Left in ${paths.run}: ${inRun.join(', ')}`);
  if (options.keepData) {
    removeKnown(paths.root, KEPT_STATE);
    writeJournal(paths.journal, {
      ...journal,
      packages: options.packages ? [] : journal.packages,
      sysctls: {},
      users: [],
      files: [],
      units: [],
    });
    console.log(`Kept: ${paths.root} and ${paths.labData}.`);
    return;
  }
  const rest = removeKnown(paths.root, STATE);
  if (rest.length > 0) console.log(`Left in ${paths.root}, because the set-up did not make it: ${rest.join(', ')}`);
  const files = removeKnown(paths.labData, ['lab.db', 'lab.db-wal', 'lab.db-shm']);
  if (files.length > 0) console.log(`Left in ${paths.labData}: ${files.join(', ')}`);
  releaseSlots(paths.root);
}

/** Ranges of user ids whose sandboxes were under this root; other instances' claims stay. @param {string} root */
function releaseSlots(root) {
  if (!existsSync(SLOTS)) return;
  const ours = readdirSync(SLOTS).filter((slot) => readFileSync(join(SLOTS, slot), 'utf8').startsWith(`${root}/`));
  removeKnown(SLOTS, ours);
}
