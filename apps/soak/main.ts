// `npm run soak`: the long runs. A thousand lives of a container, and a daemon that is killed again and again; exits 1 when
// something is left behind or lost. `-- --cycles N --kills N` for other numbers.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { instanceId } from '../../engine/src/instance-id.mjs';
import { TestDaemon } from '../../engine/src/testing/daemon.ts';
import { busyboxImage } from '../../engine/src/testing/test-image.ts';
import { ApiClient } from '../bench/api-client.ts';
import { makeDisk } from '../bench/disk.ts';
import { undoing } from '../bench/interrupted.ts';
import { cycles } from './cycles.ts';
import { grown, holdingsOf } from './holdings.ts';
import { kills } from './kills.ts';

const BUNDLE = join(import.meta.dirname, '../../build/engine.mjs');
const say = (text: string) => console.log(text);

async function soak(cycleCount: number, killCount: number): Promise<string[]> {
  const disk = makeDisk();
  let daemon: TestDaemon | null = null;
  const takeAway = undoing(async () => {
    await daemon?.end();
    disk.remove();
  });
  try {
    const run = join(disk.run, 'engine');
    daemon = await TestDaemon.start({
      learners: false,
      parent: disk.path,
      run,
      main: [BUNDLE, '--log-level', 'warn'],
    });
    const image = busyboxImage({ tag: 'busybox:latest' }, disk.path);
    const client = new ApiClient(daemon.engineSocket);
    await client.load(readFileSync(image.dockerTar));
    image.remove();
    const held = () => ({
      instance: instanceId(daemon?.root ?? '', run),
      root: daemon?.root ?? '',
      run,
      daemonPid: daemon?.pid ?? 0,
    });
    const wrong = await cycles(client, held(), cycleCount, say);
    client.close();
    const before = holdingsOf(held());
    wrong.push(...(await kills(daemon, killCount, say)));
    // A new process: its memory and descriptors are not those of the one before.
    const { memoryMib, descriptors } = before;
    wrong.push(
      ...grown(before, { ...holdingsOf(held()), memoryMib, descriptors }).map((one) => `after the kills: ${one}`),
    );
    if (wrong.length > 0) say(daemon.log.slice(-4000));
    return wrong;
  } finally {
    await takeAway();
  }
}

const { values } = parseArgs({
  options: { cycles: { type: 'string', default: '1000' }, kills: { type: 'string', default: '100' } },
});
const wrong = await soak(Number(values.cycles), Number(values.kills));
for (const sentence of wrong) console.log(`LEFT OR LOST: ${sentence}`);
console.log(wrong.length === 0 ? 'soak: nothing left behind, nothing lost' : `soak: ${wrong.length} problems`);
process.exitCode = wrong.length === 0 ? 0 : 1;
