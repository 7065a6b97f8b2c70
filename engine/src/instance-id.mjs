// The word that an instance's kernel objects carry in their names: drydock-<id> (control groups), drydock_<id> (nftables
// table), dk<id>-… (links). Plain JavaScript, because the set-up's uninstall needs it too and runs before anything is built.
import { createHash } from 'node:crypto';
import { resolve } from 'node:path';

/**
 * Six hex digits made of DRYDOCK_ROOT: the same root finds the same objects again, two roots never share any.
 * @param {string} root
 */
export function instanceId(root) {
  return createHash('sha256').update(resolve(root)).digest('hex').slice(0, 6);
}
