// Asks the engine over a unix socket which sandboxes there are, and has one removed. Only what the set-up needs.
import { request } from 'node:http';

const TIMEOUT_MS = 30_000;

/**
 * @param {string} socketPath @param {string} path @param {'GET' | 'DELETE'} method
 * @returns {Promise<{ status: number, text: string }>}
 */
function ask(socketPath, path, method = 'GET') {
  return new Promise((resolve, reject) => {
    const call = request({ socketPath, path, method, timeout: TIMEOUT_MS }, (response) => {
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
    const { status, text } = await ask(socketPath, '/lab/sandboxes');
    return status === 200 ? JSON.parse(text) : null;
  } catch {
    return null;
  }
}

/** Ends a sandbox and removes its files; one that is not there, or an engine that is gone, has none. @param {string} socketPath @param {string} id */
export async function removeSandbox(socketPath, id) {
  await ask(socketPath, `/lab/sandboxes/${id}`, 'DELETE').catch(() => undefined);
}
