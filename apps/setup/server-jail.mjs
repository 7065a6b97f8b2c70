// How the lab server is started: as the user drydock-lab, in its own mount namespace whose root holds only the system's
// programs, the code (read-only, at /opt/drydock), its own data and the folder of lab.sock. A clone under /root works, because the
// code is bound where the user can reach it.
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { PROFILE_NAME, profileNeeded } from './app-armor.mjs';
import { buildFolder, projectRoot } from './paths.mjs';

export const CODE = '/opt/drydock';
export const DATA = '/var/lib/drydock-lab';
const SOCKETS = '/run/drydock';
const NODE = '/opt/node';

/** What of the clone the server reads at run time. */
export const CODE_PARTS = ['build', 'node_modules', 'apps', 'lessons', 'prisma', 'package.json'];

// Arguments: new root, clone, data, folder of the sockets, node, uid, gid, then parts of the clone.
const SCRIPT = `set -eu
new=$1 clone=$2 data=$3 sockets=$4 node=$5 uid=$6 gid=$7
shift 7
mount -t tmpfs -o mode=755,size=1m drydock-lab "$new"
for name in bin sbin lib lib32 lib64 libx32; do
  if [ -L "/$name" ]; then cp -P "/$name" "$new/$name"
  elif [ -d "/$name" ]; then mkdir "$new/$name" && mount --bind -o ro "/$name" "$new/$name"
  fi
done
cd "$new"
mkdir -p usr etc proc dev tmp opt/drydock var/lib/drydock-lab run/drydock
mount --bind -o ro,nosuid,nodev /usr usr
mount --bind -o ro,nosuid,nodev,noexec /etc etc
# hidepid=2: of the host's processes the server sees its own alone (proc(5)).
mount -t proc -o nosuid,nodev,noexec,hidepid=2 proc proc
mount -t tmpfs -o mode=755,size=64k,nosuid,noexec dev dev
for name in null zero full random urandom; do : >"dev/$name" && mount --bind "/dev/$name" "dev/$name"; done
mount -t tmpfs -o mode=1777,size=64m,nosuid,nodev,noexec tmp tmp
: >opt/node
mount --bind -o ro,nosuid,nodev "$node" opt/node
for part in "$@"; do
  if [ -d "$clone/$part" ]; then mkdir "opt/drydock/$part"; else : >"opt/drydock/$part"; fi
  mount --bind -o ro,nosuid,nodev "$clone/$part" "opt/drydock/$part"
done
mount --bind -o nosuid,nodev,noexec "$data" var/lib/drydock-lab
mount --bind -o ro,nosuid,nodev,noexec "$sockets" run/drydock
mount -o remount,bind,ro "$new"
# pivot_root(2), "pivot_root . .": the old root lies over the new one until it is taken off.
pivot_root . .
umount -l .
cd ${CODE}
# --pdeathsig: when "npm start" is killed outright, the server ends too and its port is free again.
exec setpriv --reuid "$uid" --regid "$gid" --clear-groups --no-new-privs --bounding-set=-all --inh-caps=-all --pdeathsig TERM \\
  ${NODE} --enable-source-maps build/server.mjs
`;

/**
 * The command line and environment of the lab server.
 * @param {import('./paths.mjs').InstancePaths} paths
 * @param {{ uid: number, gid: number }} user
 * @param {{ host: string, port: number }} options
 * @param {Record<string, string | undefined>} env of the set-up: DATABASE_URL and DRYDOCK_ORIGINS pass through
 */
export function serverCommand(paths, user, options, env) {
  const parts = CODE_PARTS.filter((part) => existsSync(join(projectRoot, part)));
  const positional = [
    jailRoot(paths),
    projectRoot,
    paths.labData,
    dirname(paths.socket),
    process.execPath,
    user.uid,
    user.gid,
    ...parts,
  ];
  return {
    command: 'unshare',
    args: ['--mount', '--propagation', 'private', 'sh', '-c', SCRIPT, 'drydock-lab', ...positional.map(String)],
    env: serverEnvironment(options, env),
  };
}

/** Where the new root is put together; an empty folder to everyone else. @param {import('./paths.mjs').InstancePaths} paths */
export const jailRoot = (paths) => join(paths.run, 'lab-root');

/**
 * Nothing of the caller's environment but what is named here.
 * @param {{ host: string, port: number }} options @param {Record<string, string | undefined>} env
 * @returns {Record<string, string>}
 */
export function serverEnvironment({ host, port }, env) {
  const passed = ['DRYDOCK_ORIGINS', 'LOG_LEVEL', 'TZ'].flatMap((name) => (env[name] ? [[name, env[name]]] : []));
  return {
    PATH: '/usr/sbin:/usr/bin:/sbin:/bin',
    HOME: DATA,
    LANG: 'C.UTF-8',
    NODE_ENV: 'production',
    NEXT_TELEMETRY_DISABLED: '1',
    HOST: host,
    PORT: String(port),
    DATABASE_URL: env['DATABASE_URL'] || `file:${DATA}/lab.db`,
    DRYDOCK_HOME: CODE,
    DRYDOCK_LESSONS: `${CODE}/lessons`,
    DRYDOCK_RUN: SOCKETS,
    DRYDOCK_SOCKET: `${SOCKETS}/engine.sock`,
    ...Object.fromEntries(passed),
  };
}

/**
 * The engine daemon: root, in the host's own namespaces.
 * @param {import('./paths.mjs').InstancePaths} paths @param {{ gid: number }} user
 */
export function engineCommand(paths, user) {
  const profile = profileNeeded() ? ['aa-exec', '-p', PROFILE_NAME, '--'] : [];
  return {
    command: 'setpriv',
    args: ['--pdeathsig', 'TERM', ...profile, process.execPath, ...engineArguments()],
    env: engineEnvironment(paths, user),
  };
}

/** What stands after the node program. */
export const engineArguments = () => ['--enable-source-maps', join(buildFolder, 'engine.mjs')];

/** @param {import('./paths.mjs').InstancePaths} paths @param {{ gid: number }} user @returns {Record<string, string>} */
export function engineEnvironment(paths, user) {
  return {
    DRYDOCK_ROOT: paths.root,
    DRYDOCK_RUN: paths.run,
    DRYDOCK_SOCKET: paths.socket,
    DRYDOCK_LAUNCH: join(buildFolder, 'launch'),
    DRYDOCK_LESSONS: join(projectRoot, 'lessons'),
    DRYDOCK_LAB_GID: String(user.gid),
  };
}
