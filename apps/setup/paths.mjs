// Where things are: the clone, its build folder, the state of one instance. Pure but for reading the environment.
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The clone this file belongs to. */
export const projectRoot = resolve(dirname(fileURLToPath(import.meta.url)), '../..');

/** What the build makes: bundles, the launch program, stamps and logs. */
export const buildFolder = join(projectRoot, 'build');

/**
 * The folders and sockets of one instance; two instances differ in DRYDOCK_ROOT and DRYDOCK_RUN.
 * @param {Record<string, string | undefined>} env
 */
export function instancePaths(env) {
  const root = resolve(env['DRYDOCK_ROOT'] || '/var/lib/drydock');
  const run = resolve(env['DRYDOCK_RUN'] || '/run/drydock');
  const socket = resolve(env['DRYDOCK_SOCKET'] || join(run, 'engine.sock'));
  return {
    root,
    run,
    socket,
    labSocket: join(dirname(socket), 'lab.sock'),
    /** The lab server's own data: beside the root, because SQLite writes next to its file and the root is root's alone. */
    labData: `${root}-lab`,
    images: join(root, 'images'),
    imagePointer: join(root, 'images/learner.json'),
    journal: join(root, 'setup-journal.json'),
    /** Written by a running `npm start`: who it is and where it listens. */
    runningFile: join(run, 'start.json'),
  };
}

/** @typedef {ReturnType<typeof instancePaths>} InstancePaths */
