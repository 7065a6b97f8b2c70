// The guest's kernel: Debian's cloud image package, downloaded and unpacked into the cache, never installed.
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { findProgram } from '../host-packages.mjs';
import { SetupError, runTool } from '../tool.mjs';

const META_PACKAGE = 'linux-image-cloud-amd64';
const ADVICE = 'Check that "apt-get update" works on this machine, then run the command again.';

/**
 * Unpacks the newest kernel that apt knows, once. With a kernel in the cache apt is not asked: tests run without network.
 * @param {string} cache @returns {Promise<{ version: string, vmlinuz: string, modules: string }>}
 */
export async function guestKernel(cache) {
  const folder = join(cache, 'kernel');
  if (!existsSync(folder)) await unpack(folder);
  const modules = join(folder, 'lib/modules');
  const version = readdirSync(modules)[0];
  if (!version)
    throw new SetupError(`Cannot use the guest kernel in "${folder}": it has no modules. Remove the folder.`);
  return { version, vmlinuz: join(folder, 'boot', `vmlinuz-${version}`), modules: join(modules, version) };
}

/** @param {string} folder */
async function unpack(folder) {
  const busybox = findProgram('busybox') ?? 'busybox';
  const partial = `${folder}.partial`;
  rmSync(partial, { recursive: true, force: true });
  mkdirSync(partial, { recursive: true });
  const name = await realPackage();
  await runTool('apt-get', ['download', '-o', 'APT::Sandbox::User=root', name], { cwd: partial, advice: ADVICE });
  const deb = readdirSync(partial).find((file) => file.endsWith('.deb')) ?? '';
  await runTool('dpkg', ['-x', join(partial, deb), partial]);
  rmSync(join(partial, deb));
  rmSync(join(partial, 'usr'), { recursive: true, force: true });
  // modules.dep and modules.alias, which modprobe reads, are made when a kernel is installed; here they are made here.
  const version = readdirSync(join(partial, 'lib/modules'))[0] ?? '';
  await runTool(busybox, ['depmod', '-b', partial, version]);
  renameSync(partial, folder);
}

/** The meta package depends on the real one: linux-image-6.1.0-30-cloud-amd64. */
async function realPackage() {
  const ask = () => runTool('apt-cache', ['depends', META_PACKAGE]).catch(() => '');
  const named = (/** @type {string} */ text) => /Depends: (linux-image-\S+)/.exec(text)?.[1];
  const known = named(await ask());
  if (known) return known;
  await runTool('apt-get', ['update'], { advice: ADVICE });
  const found = named(await ask());
  if (found) return found;
  throw new SetupError(
    `Cannot get a kernel for the guest: apt knows no package ${META_PACKAGE}. It is Debian's; add a Debian mirror to apt's sources.`,
  );
}
