// Puts images into an engine the way `docker load` does, with no client between: POST /images/load of a tar.
import { createReadStream } from 'node:fs';
import { request } from 'node:http';
import { pipeline } from 'node:stream';
import type { TestImage } from '../../engine/src/testing/test-image.ts';

function ask(socketPath: string, method: string, path: string, file?: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const headers = file === undefined ? {} : { 'content-type': 'application/x-tar' };
    const call = request({ socketPath, method, path, headers, agent: false }, (answer) => {
      let text = '';
      answer.setEncoding('utf8');
      answer.on('data', (part: string) => (text += part));
      answer.on('end', () => {
        if (answer.statusCode === 200) resolve(text);
        else reject(new Error(`${method} ${path}: ${answer.statusCode} ${text.trim()}`));
      });
    });
    call.on('error', reject);
    if (file === undefined) call.end();
    else pipeline(createReadStream(file), call, (error) => error && reject(error));
  });
}

/** Loads each image; throws the engine's sentence when one is refused. */
export async function loadImages(socket: string, images: readonly TestImage[]): Promise<void> {
  for (const image of images) {
    const answer = await ask(socket, 'POST', '/images/load?quiet=1', image.dockerTar);
    if (answer.includes('"error"')) throw new Error(`Cannot load "${image.tag}": ${answer.trim()}`);
  }
}

/** `1.50` */
export async function apiVersionOf(socket: string): Promise<string> {
  return (JSON.parse(await ask(socket, 'GET', '/version')) as { ApiVersion: string }).ApiVersion;
}
