// Asks the engine over a unix socket: sandboxes that run, and their end. Only what the set-up needs.
import { request } from 'node:http';

const TIMEOUT_MS = 30_000;

/**
 * @param {string} socketPath @param {string} method @param {string} path
 * @returns {Promise<{ status: number, text: string }>}
 */
function ask(socketPath, method, path) {
  return new Promise((resolve, reject) => {
    const call = request({ socketPath, method, path, timeout: TIMEOUT_MS }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (/** @type {string} */ part) => (text += part));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
      response.on('error', reject);
    });
    call.on('timeout', () =>
      call.destroy(new Error(`the engine did not answer ${method} ${path} within ${TIMEOUT_MS / 1000} s`)),
    );
    call.on('error', reject);
    call.end();
  });
}

/** @typedef {{ id: string, state: string }} SandboxLine */

/** All sandboxes, or null where no engine answers. @param {string} socketPath @returns {Promise<SandboxLine[] | null>} */
export async function listSandboxes(socketPath) {
  try {
    const { status, text } = await ask(socketPath, 'GET', '/lab/sandboxes');
    return status === 200 ? JSON.parse(text) : null;
  } catch {
    return null;
  }
}

/** Ends the processes of a sandbox and keeps its files. @param {string} socketPath @param {string} id */
export async function stopSandbox(socketPath, id) {
  const { status, text } = await ask(socketPath, 'POST', `/lab/sandboxes/${id}/stop`);
  if (status >= 300) throw new Error(`Cannot stop sandbox "${id}": ${text}`);
}

/** Ends a sandbox and removes its files. @param {string} socketPath @param {string} id */
export async function removeSandbox(socketPath, id) {
  const { status, text } = await ask(socketPath, 'DELETE', `/lab/sandboxes/${id}`);
  if (status >= 300 && status !== 404) throw new Error(`Cannot remove sandbox "${id}": ${text}`);
}
