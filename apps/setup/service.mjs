// `npm start -- --service`: installs the systemd units of this instance and starts them. What was running from a terminal is refused.
import { existsSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { instanceId } from '../../engine/src/instance-id.mjs';
import { PROFILE_NAME, profileNeeded } from './app-armor.mjs';
import { recordInJournal } from './journal.mjs';
import { LAB_USER } from './lab-user.mjs';
import { instancePaths, projectRoot } from './paths.mjs';
import { CODE_PARTS, engineArguments, engineEnvironment, serverEnvironment } from './server-jail.mjs';
import { SetupError, runTool } from './tool.mjs';
import { engineUnit, engineUnitName, labUnit, labUnitName } from './units.mjs';

const UNIT_FOLDER = '/etc/systemd/system';
const USUAL = instancePaths({});

/** True where systemd is the machine's init (sd_booted(3)). */
export const systemdRuns = () => existsSync('/run/systemd/system');

/** Throws SetupError where there is no systemd to install units for. */
export function requireSystemd() {
  if (systemdRuns()) return;
  throw new SetupError(
    'Cannot install a service: this machine was not started by systemd. Run "npm start" in a terminal, or start it from your own init; docker-free-setup.md, "Without systemd", shows how.',
  );
}

/** A word for the instance's units, so that two instances have two pairs. @param {{ root: string, run: string }} paths */
export function unitSuffix({ root, run }) {
  return root === USUAL.root && run === USUAL.run ? '' : `-${instanceId(root, run)}`;
}

/**
 * @param {import('./paths.mjs').InstancePaths} paths @param {{ host: string, port: number }} options
 * @param {{ gid: number }} user
 * @returns {import('./units.mjs').UnitFacts}
 */
export function unitFacts(paths, options, user) {
  return {
    suffix: unitSuffix(paths),
    node: process.execPath,
    clone: projectRoot,
    codeParts: CODE_PARTS.filter((part) => existsSync(join(projectRoot, part))),
    run: paths.run,
    socketFolder: dirname(paths.socket),
    labData: paths.labData,
    user: LAB_USER,
    engineArguments: engineArguments(),
    engineProfile: profileNeeded() ? PROFILE_NAME : '',
    engineEnvironment: engineEnvironment(paths, user),
    serverEnvironment: serverEnvironment(options, process.env),
  };
}

/**
 * Writes the units, starts or restarts them, and has them start at boot.
 * @param {import('./paths.mjs').InstancePaths} paths @param {{ host: string, port: number }} options @param {{ gid: number }} user
 */
export async function installService(paths, options, user) {
  const facts = unitFacts(paths, options, user);
  const names = [engineUnitName(facts), labUnitName(facts)];
  recordInJournal(paths.journal, { units: names, files: names.map((name) => join(UNIT_FOLDER, name)) });
  writeFileSync(join(UNIT_FOLDER, engineUnitName(facts)), engineUnit(facts));
  writeFileSync(join(UNIT_FOLDER, labUnitName(facts)), labUnit(facts));
  const advice = `"journalctl -u ${names[0]} -u ${names[1]}" shows what they say.`;
  await runTool('systemctl', ['daemon-reload'], { advice });
  await runTool('systemctl', ['enable', ...names], { advice });
  await runTool('systemctl', ['restart', ...names], { advice });
  return names;
}

/** The units of this instance that are active now. @param {string[]} units */
export async function activeUnits(units) {
  if (!systemdRuns()) return [];
  const active = [];
  for (const unit of units) {
    try {
      await runTool('systemctl', ['is-active', '--quiet', unit]);
      active.push(unit);
    } catch {
      // Exit code 3: it is not active.
    }
  }
  return active;
}
