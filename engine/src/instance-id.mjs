// The word that an instance's kernel objects carry in their names: drydock-<id> (control groups), drydock_<id> (nftables
// table), dk<id>-… (links). Plain JavaScript, because the set-up's uninstall needs it too and runs before anything is built.
import { createHash } from 'node:crypto';
import { resolve } from 'node:path';

/**
 * Six hex digits made of DRYDOCK_ROOT and DRYDOCK_RUN: the same directories find the same objects again, others never share any.
 * @param {string} root @param {string} run
 */
export function instanceId(root, run) {
  return createHash('sha256')
    .update(`${resolve(root)}\n${resolve(run)}`)
    .digest('hex')
    .slice(0, 6);
}
