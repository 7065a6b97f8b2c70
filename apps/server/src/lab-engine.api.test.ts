// The lab server with a real engine, a real sandbox and real shells: what a learner types, what dies in between, and how
// much a flood costs. What it took is printed, not asserted: only hanging fails.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TestDaemon } from '@drydock/engine/testing/daemon.ts';
import type { LabClient } from './testing/lab-client.ts';
import { LabUnderTest } from './testing/lab-under-test.ts';

const TRAP = { track: 'B', lesson: 'b2-pid', step: '1-the-trap' };
const TREE = { track: 'B', lesson: 'b2-pid', step: '2-a-tree' };

let daemon: TestDaemon;
let lab: LabUnderTest;
const took: string[] = [];

beforeAll(async () => {
  daemon = await TestDaemon.start();
  lab = new LabUnderTest({ DRYDOCK_SOCKET: daemon.labSocket });
  await lab.start();
});
afterAll(async () => {
  await lab?.end();
  await daemon?.end();
  console.log(took.join('\n'));
});

async function timed<T>(what: string, work: () => Promise<T>): Promise<T> {
  const started = performance.now();
  const result = await work();
  took.push(`${what}: ${(performance.now() - started).toFixed(0)} ms`);
  return result;
}

/** Types a command and waits for a word that only its output has. */
async function run(tab: LabClient, terminal: string, command: string, word: string, limitMs?: number): Promise<void> {
  tab.type(terminal, `${command}\r`);
  await tab.until(`${command} said ${word}`, () => tab.screen(terminal).text.includes(word), limitMs);
}

describe('a real shell', () => {
  it('echoes, keeps its scroll-back over a reload, and serves two tabs', async () => {
    const tab = await lab.connect();
    const state = await timed('click to step, cold', () => tab.request('step:open', TRAP));
    const { id, tty } = state.terminals[0]!;
    expect(tty).toMatch(/^\/dev\/pts\/\d+$/);
    await tab.attach(id);
    await tab.until('there is a prompt', () => tab.screen(id).text.includes('# '));
    await timed('a command and its output', () => run(tab, id, 'echo marker-$((6*7))', 'marker-42'));
    tab.close();

    const [one, two] = [await lab.connect(), await lab.connect()];
    const again = await timed('reload to step', () => one.request('step:open', TRAP));
    expect(again.terminals.map((terminal) => terminal.id)).toEqual(state.terminals.map((terminal) => terminal.id));
    expect(again.baseline.sort()).toEqual(state.baseline.sort());
    await one.attach(id);
    await two.attach(id);
    for (const each of [one, two])
      await each.until('the scroll-back is there', () => each.screen(id).text.includes('marker-42'));
    await run(one, id, 'echo both-$((40+4))', 'both-44');
    await two.until('the other tab sees it', () => two.screen(id).text.includes('both-44'));
  });

  it('has the size of the tab, and ends with its exit code', async () => {
    const tab = await lab.connect();
    await tab.request('step:open', TRAP);
    const { id } = await tab.request('terminal:open', { cols: 93, rows: 31 });
    await tab.request('terminal:attach', { terminal: id, from: 0, cols: 93, rows: 31 });
    await run(tab, id, 'stty size', '31 93');
    tab.socket.emit('terminal:size', { terminal: id, cols: 101, rows: 33 });
    await run(tab, id, 'sleep 0.2; stty size', '33 101');
    tab.type(id, 'exit 7\r');
    await tab.until('its end is told', () => tab.heard('terminal:exit').length > 0);
    expect(tab.heard('terminal:exit')[0]).toEqual([id, { code: 7, signal: null }]);
    await tab.request('terminal:close', { terminal: id });
  });

  it('shares its files with the editor', async () => {
    const tab = await lab.connect();
    const { terminals } = await tab.request('step:open', TRAP);
    const { id } = terminals[0]!;
    await tab.attach(id);
    await run(tab, id, 'echo from-shell > /root/shared; echo done-$((1+1))', 'done-2');
    const file = await tab.request('file:read', { path: '/root/shared' });
    expect(file.text).toBe('from-shell\n');
    await tab.request('file:write', { ...file, text: 'from-$((editor))\n' });
    await run(tab, id, `tr -d '$()' < /root/shared`, 'from-editor');
    expect((await tab.request('file:list', { path: '/root' })).map(({ name }) => name)).toContain('shared');
    await expect(tab.request('file:write', { ...file, text: 'lost' })).rejects.toThrow(/shared/);
  });
});

describe('a real lesson', () => {
  it('is solved by what the kernel shows', async () => {
    const tab = await lab.connect();
    const { terminals } = await tab.request('step:open', TRAP);
    const { id } = terminals[0]!;
    await tab.attach(id);
    await tab.request('step:predict', { option: 'one' });
    await tab.request('step:run', { command: 'unshare --pid bash', terminal: id });
    await tab.until('bash is seen', () => tab.heard('step:verdict').at(-1)?.[0].hint === 'not-forked');
    await tab.request('step:run', { command: 'ls /', terminal: id });
    await timed('kernel change to stored solution', () =>
      tab.until('it is solved', () => tab.heard('step:progress').some(([{ solvedAtMs }]) => solvedAtMs !== null)),
    );
    const [verdict, observed] = tab.heard('step:verdict').at(-1)!;
    expect(verdict.solved).toBe(true);
    expect(observed).toMatch(/^\d+$/);

    const next = await timed('the next step', () => tab.request('step:open', TREE));
    expect(next.verdict.checks.some(({ state }) => state === 'met')).toBe(false);
    const reset = await timed('step reset', () => tab.request('step:reset', {}));
    expect(reset.snapshot.processes.filter(({ comm }) => comm === 'bash')).toHaveLength(2);
    expect(reset.terminals.map(({ id: fresh }) => fresh)).not.toContain(id);
    // Files stay with a step's reset, and go with the sandbox's.
    expect((await tab.request('file:read', { path: '/root/shared' })).text).toContain('editor');
    await timed('sandbox reset', () => tab.request('sandbox:reset', {}));
    await expect(tab.request('file:read', { path: '/root/shared' })).rejects.toThrow(/shared/);
    expect((await tab.request('step:open', TRAP)).solved).toBe(true);
  });
});

describe('what dies in between', () => {
  it('the lab server: the shell lives, its output is there', async () => {
    const browser = await lab.visit();
    const tab = await lab.connect(browser);
    const { terminals, baseline } = await tab.request('step:open', TREE);
    const { id } = terminals[0]!;
    await tab.attach(id);
    await run(tab, id, '(sleep 1; echo while-$((7*7))) & echo pid-$$-', 'pid-');
    await lab.stop();
    await lab.start();
    const again = await lab.connect(browser);
    expect((await again.request('step:open', TREE)).baseline.sort()).toEqual(baseline.sort());
    await again.attach(id);
    await again.until('what was printed meanwhile is there', () => again.screen(id).text.includes('while-49'));
    await run(again, id, 'echo still-$((8*8))', 'still-64');
  });

  it('the engine, by SIGKILL: the same shell resumes in the same tab', async () => {
    const tab = await lab.connect();
    const { terminals } = await tab.request('step:open', TREE);
    const { id } = terminals[0]!;
    await tab.attach(id);
    await run(tab, id, 'secret=$((9*9)); echo set-$secret; (sleep 1; echo during-$secret) &', 'set-81');
    await daemon.killAndRestart();
    await timed('terminal resumed after SIGKILL of the engine', () => run(tab, id, 'echo kept-$secret', 'kept-81'));
    await tab.until('nothing is lost', () => tab.screen(id).text.includes('during-81'));
    tab.type(id, 'sleep 4321 &\r');
    const sleeps = ({ argv }: { argv: string[] }): boolean => argv.includes('4321');
    await tab.until(
      'the picture goes on',
      () =>
        tab.heard('scope:patch').some(([{ upsert }]) => upsert.some(sleeps)) ||
        tab.heard('scope:snapshot').some(([{ processes }]) => processes.some(sleeps)),
    );
  });
});

describe('a flood', () => {
  const rssMegabytes = (): number => process.memoryUsage.rss() / 2 ** 20;

  it('of 100 MB passes, and the server stays small', async () => {
    const tab = await lab.connect();
    const { terminals } = await tab.request('step:open', TREE);
    const { id } = terminals[0]!;
    await tab.attach(id);
    const [before, from] = [rssMegabytes(), tab.screen(id).offset];
    let most = before;
    const watch = setInterval(() => (most = Math.max(most, rssMegabytes())), 20);
    await timed('100 MB through the server', () =>
      run(tab, id, 'yes 0123456789 | head -c 100000000; echo flood-$((5*5))', 'flood-25', 100_000),
    );
    clearInterval(watch);
    expect(tab.screen(id).offset - from).toBeGreaterThan(100_000_000);
    took.push(`memory of server and client in one process: ${before.toFixed(0)} to ${most.toFixed(0)} MB`);
    expect(most - before).toBeLessThan(150);
  }, 120_000);

  it('that nobody reads does not hold the shell, nor fill the server; Ctrl-C works', async () => {
    const tab = await lab.connect();
    const { terminals } = await tab.request('step:open', TREE);
    const { id } = terminals[1]!;
    await tab.attach(id, 0, false);
    const before = rssMegabytes();
    tab.type(id, 'yes 0123456789\r');
    await tab.until('it is full', () => tab.screen(id).offset > 2 ** 20);
    const stoppedAt = tab.screen(id).offset;
    tab.type(id, '\x03echo out-$((3*3))\r');
    await tab.until('the shell went on', () => {
      tab.socket.emit('terminal:ack', { terminal: id, offset: tab.screen(id).offset });
      return tab.screen(id).text.includes('out-9');
    });
    expect(stoppedAt).toBeLessThan(3 * 2 ** 20);
    expect(rssMegabytes() - before).toBeLessThan(100);
  });

  it('of hostile bytes is only bytes', async () => {
    const tab = await lab.connect();
    const { terminals } = await tab.request('step:open', TREE);
    const { id } = terminals[0]!;
    await tab.attach(id);
    await run(tab, id, 'head -c 3000000 /dev/urandom; stty sane; echo; echo alive-$((2*2*2))', 'alive-8');
  });
});
