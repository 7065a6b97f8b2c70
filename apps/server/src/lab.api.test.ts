// A learner's way through a step, over real sockets and a real database; the kernel is scripted (the real one is in
// lab.kernel.test.ts).
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ask } from './testing/lab-client.ts';
import { scriptedProcess } from './testing/scripted-engine.ts';
import { LabUnderTest } from './testing/lab-under-test.ts';

const TRAP = { track: 'B', lesson: 'b2-pid', step: '1-the-trap' };
const SIZE = { cols: 80, rows: 24 };

let lab: LabUnderTest;
beforeEach(async () => {
  lab = new LabUnderTest();
  await lab.engine.listen();
  await lab.start();
});
afterEach(() => lab.end());

/** What the trap's first command leaves: a bash whose children will be born elsewhere. */
const trapped = (over: Parameters<typeof scriptedProcess>[1] = {}) =>
  scriptedProcess(200, { parentKey: '1101:101', startedAtMs: Date.now(), pidForChildren: 99, ...over });

describe('a step', () => {
  it('opens with a sandbox, two terminals, the picture and what was there', async () => {
    const tab = await lab.connect();
    const state = await tab.request('step:open', TRAP);
    expect(state.terminals.map(({ name, exit }) => [name, exit])).toEqual([
      ['Terminal 1', null],
      ['Terminal 2', null],
    ]);
    expect(state.sandbox).toMatchObject({ state: 'running', message: null, ending: null });
    expect(state.baseline.sort()).toEqual(state.snapshot.processes.map(({ key }) => key).sort());
    expect(state.verdict.checks.every((check) => check.state === 'not-yet')).toBe(true);
    expect(state).toMatchObject({ solved: false, observed: null, progress: { predicted: null, attempts: 0 } });
  });

  it('finds sandbox and terminals made while its page was loaded, by a browser with a session only', async () => {
    const { cookie } = await lab.visit();
    await ask(lab.address, '/learn/B/b2-pid');
    await ask(lab.address, '/learn/B/none', { headers: { Cookie: cookie } });
    await ask(lab.address, '/', { headers: { Cookie: cookie } });
    expect(lab.engine.sandboxes.size).toBe(0);
    await ask(lab.address, '/learn/B/b2-pid', { headers: { Cookie: cookie } });
    const tab = await lab.connect();
    await tab.until('both are there', () => lab.engine.terminalsOf.get('solo')?.length === 2);
    const { terminals } = await tab.request('step:open', TRAP);
    expect(terminals.map(({ id }) => id)).toEqual(lab.engine.terminalsOf.get('solo')?.map(({ id }) => id));
  });

  it('gives its terminals while its script still runs', async () => {
    const tab = await lab.connect();
    let done = (): void => undefined;
    lab.engine.execEnd = new Promise((resolve) => (done = resolve));
    const opening = tab.request('step:open', TRAP);
    await tab.until('both are told', () => tab.heard('terminal:list').at(-1)?.[0].length === 2);
    const { id } = tab.heard('terminal:list').at(-1)![0][0]!;
    await tab.attach(id);
    lab.engine.output(id, 'root@dock:~# ');
    await tab.until('the prompt is there', () => tab.screen(id).text === 'root@dock:~# ');
    expect(lab.engine.execs).toHaveLength(1);
    done();
    expect((await opening).terminals).toHaveLength(2);
  });

  it('refuses to run a command before the prediction, and keeps the prediction', async () => {
    const tab = await lab.connect();
    const { terminals } = await tab.request('step:open', TRAP);
    const run = { command: 'unshare --pid bash', terminal: terminals[0]!.id };
    await expect(tab.request('step:run', run)).rejects.toThrow(/^Predict first/);
    await expect(tab.request('step:predict', { option: 'nine' })).rejects.toThrow(/"?nine/);
    expect(await tab.request('step:predict', { option: 'one' })).toMatchObject({ predicted: 'one' });
    await expect(tab.request('step:predict', { option: 'host' })).rejects.toThrow(/stands/);
    await tab.request('step:run', run);
    await tab.until('it is typed', () => lab.engine.terminal(run.terminal).typed === 'unshare --pid bash\r');
  });

  it('judges what the kernel shows, stores what was solved, and says what was predicted', async () => {
    const tab = await lab.connect();
    await tab.request('step:open', TRAP);
    await tab.request('step:predict', { option: 'one' });
    lab.engine.patch({ upsert: [trapped()] });
    await tab.until('it is solved', () => tab.heard('step:progress').some(([{ solvedAtMs }]) => solvedAtMs !== null));
    const [verdict, observed, predictedRight] = tab.heard('step:verdict').at(-1)!;
    expect(verdict.checks.map(({ state }) => state)).toEqual(['met', 'met', 'met']);
    expect(verdict.seq).toBe(lab.engine.state.seq);
    expect([observed, predictedRight]).toEqual(['200', false]);
    expect(tab.heard('scope:patch').at(-1)![0].upsert[0]!.key).toBe('1200:200');

    // Once solved it stays so, whatever comes after, and for whoever opens it later.
    lab.engine.patch({ gone: ['1200:200'] });
    await tab.until('it is no more', () => !tab.heard('step:verdict').at(-1)![0].solved);
    const later = await (await lab.connect()).request('step:open', TRAP);
    expect(later).toMatchObject({ solved: true, observed: '200', predictedRight: false, verdict: { solved: false } });
    expect(later.progress).toMatchObject({ attempts: 1, predicted: 'one' });
  });

  it('says that a prediction was right, also when the kernel had shown it before', async () => {
    const tab = await lab.connect();
    expect((await tab.request('step:open', TRAP)).predictedRight).toBeNull();
    lab.engine.patch({ upsert: [trapped()] });
    await tab.until('it is observed', () => tab.heard('step:verdict').at(-1)?.[1] === '200');
    expect(tab.heard('step:verdict').at(-1)![2]).toBeNull();
    await tab.request('step:predict', { option: 'host' });
    expect(tab.heard('step:verdict').at(-1)![2]).toBe(true);
    expect((await tab.request('step:open', TRAP)).predictedRight).toBe(true);
  });

  it('says nothing when nothing changed for the learner', async () => {
    const tab = await lab.connect();
    await tab.request('step:open', TRAP);
    for (const comm of ['a', 'b', 'c']) lab.engine.patch({ upsert: [scriptedProcess(1, { comm, key: '1001:1' })] });
    await tab.until('the patches came', () => tab.heard('scope:patch').length === 3);
    expect(tab.heard('step:verdict')).toEqual([]);
  });

  it('opens hints by what is observed, in order, and the solution only then', async () => {
    const tab = await lab.connect();
    await tab.request('step:open', TRAP);
    await expect(tab.request('step:solution', {})).rejects.toThrow(/after a hint or an attempt/);
    await expect(tab.request('step:hint', { index: 1 })).rejects.toThrow(/in order/);
    lab.engine.patch({ upsert: [trapped({ pidForChildren: null })] });
    await tab.until('the hint is known', () => tab.heard('step:verdict').at(-1)?.[0].hint === 'not-forked');
    const first = await tab.request('step:hint', { index: 0 });
    expect(first.id).toBe('not-forked');
    expect(first.text.zh).toMatch(/echo/);
    expect((await tab.request('step:hint', { index: 0 })).id).toBe('not-forked');
    const others = [
      (await tab.request('step:hint', { index: 1 })).id,
      (await tab.request('step:hint', { index: 2 })).id,
    ];
    expect(others).toEqual(['twice', 'commands']);
    await expect(tab.request('step:hint', { index: 3 })).rejects.toThrow(/no further hint/);
    const { text, progress } = await tab.request('step:solution', {});
    expect(text).toContain('unshare --pid bash');
    expect(progress).toMatchObject({ hintsOpened: ['not-forked', 'twice', 'commands'], solutionOpened: true });
  });

  it('answers an explanation with its feedback', async () => {
    const tab = await lab.connect();
    await tab.request('step:open', TRAP);
    expect(await tab.request('step:explain', { option: 'memory' })).toMatchObject({
      right: false,
      explained: 'memory',
    });
    const right = await tab.request('step:explain', { option: 'init' });
    expect(right).toMatchObject({ right: true });
    expect(right.feedback.en).toMatch(/^Yes/);
  });

  it('begins anew in a sandbox that was started again, and keeps what was solved', async () => {
    const tab = await lab.connect();
    const before = await tab.request('step:open', TRAP);
    await tab.request('step:predict', { option: 'one' });
    lab.engine.patch({ upsert: [trapped()] });
    await tab.until('it is solved', () => tab.heard('step:progress').some(([{ solvedAtMs }]) => solvedAtMs !== null));
    const after = await tab.request('step:reset', {});
    expect(after.verdict.checks.every(({ state }) => state === 'not-yet')).toBe(true);
    expect(after.terminals.map(({ name }) => name)).toEqual(['Terminal 1', 'Terminal 2']);
    expect(after.terminals.map(({ id }) => id)).not.toEqual(before.terminals.map(({ id }) => id));
    expect(after.baseline.sort()).toEqual(after.snapshot.processes.map(({ key }) => key).sort());
    expect(after).toMatchObject({ solved: true, progress: { predicted: 'one' } });
    // It is followed again, too.
    lab.engine.patch({ upsert: [trapped({ parentKey: after.snapshot.processes.at(-1)!.key })] });
    await tab.until('the new picture is judged', () => tab.heard('step:verdict').at(-1)![0].solved);
    await tab.request('sandbox:reset', {});
    expect(tab.heard('notice').at(-1)![0].text).toMatch(/The sandbox is new/);
  });

  it('a step that begins anew tells another tab what counts as new from now on', async () => {
    const [tab, other] = [await lab.connect(), await lab.connect()];
    await tab.request('step:open', TRAP);
    const before = await other.request('step:open', TRAP);
    const { baseline } = await tab.request('step:reset', {});
    await other.until('it has the new picture', () => other.heard('scope:snapshot').length > 0);
    for (const [snapshot, known] of other.heard('scope:snapshot')) {
      expect(known.toSorted()).toEqual(baseline.toSorted());
      expect(snapshot.processes.map(({ key }) => key).toSorted()).toEqual(baseline.toSorted());
    }
    expect(baseline).not.toEqual(before.baseline);
  });

  it('speaks the language of its tab', async () => {
    const tab = await lab.connect(await lab.visit('zh'));
    const { terminals } = await tab.request('step:open', TRAP);
    expect(terminals[0]!.name).toBe('终端 1');
    await expect(tab.request('step:run', { command: 'ls', terminal: 'x' })).rejects.toThrow(/^先预测/);
  });

  it('that does not exist, and a payload that is none, get a sentence', async () => {
    const tab = await lab.connect();
    await expect(tab.request('step:open', { ...TRAP, step: '9-none' })).rejects.toThrow(/no step “9-none”/);
    await expect(tab.request('step:hint', { index: 0 })).rejects.toThrow(/No step is open/);
    await expect(tab.request('step:hint', { index: -1 })).rejects.toThrow(/does not understand \(index\)/);
    await expect(tab.request('file:read', { path: 'relative' })).rejects.toThrow(/\(path\)/);
  });
});

describe('terminals', () => {
  it('carry keys in and bytes out, to every tab that follows', async () => {
    const [one, two] = [await lab.connect(), await lab.connect()];
    const { terminals } = await one.request('step:open', TRAP);
    const { id } = terminals[0]!;
    await one.attach(id);
    await two.attach(id);
    one.type(id, 'ls\r');
    await one.until('it is typed', () => lab.engine.terminal(id).typed === 'ls\r');
    lab.engine.output(id, 'bin etc usr\r\n');
    for (const tab of [one, two]) await tab.until('it is shown', () => tab.screen(id).text === 'bin etc usr\r\n');
    one.socket.emit('terminal:size', { terminal: id, cols: 100, rows: 30 });
    await one.until('it has the new size', () => lab.engine.terminal(id).cols === 100);
  });

  it('show their scroll-back after a reload, from where the browser is', async () => {
    const first = await lab.connect();
    const { terminals } = await first.request('step:open', TRAP);
    const { id } = terminals[0]!;
    await first.attach(id);
    lab.engine.output(id, 'one two ');
    await first.until('it is shown', () => first.screen(id).text === 'one two ');
    first.close();
    lab.engine.output(id, 'three');
    const second = await lab.connect();
    await second.request('step:open', TRAP);
    expect(await second.attach(id)).toBe(0);
    await second.until('all is shown', () => second.screen(id).text === 'one two three');
    const third = await lab.connect();
    expect(await third.attach(id, 8)).toBe(8);
    await third.until('the rest is shown', () => third.screen(id).text === 'three');
  });

  it('jump over what the engine no longer has', async () => {
    const tab = await lab.connect();
    const { terminals } = await tab.request('step:open', TRAP);
    const { id } = terminals[0]!;
    lab.engine.output(id, Buffer.alloc(5000, 'x'));
    lab.engine.output(id, 'end');
    lab.engine.terminal(id).keptBytes = 10;
    const first = await tab.attach(id, 100);
    await tab.until('the end is shown', () => tab.screen(id).text.endsWith('end'));
    const { text, offset } = tab.screen(id);
    expect([text, first, offset]).toEqual(['xxxxxxxend', 4993, 5003]);
  });

  it('never run ahead of a browser that stopped reading, and still take its keys', async () => {
    const tab = await lab.connect();
    const { terminals } = await tab.request('step:open', TRAP);
    const { id } = terminals[0]!;
    await tab.attach(id, 0, false);
    lab.engine.output(id, Buffer.alloc(32 * 2 ** 20, 'f'));
    await tab.until('the first megabyte came', () => tab.screen(id).offset > 2 ** 20);
    tab.type(id, '\x03');
    await tab.until('keys still arrive', () => lab.engine.terminal(id).typed === '\x03');
    expect(tab.screen(id).offset).toBeLessThan(2 * 2 ** 20);
    tab.socket.emit('terminal:ack', { terminal: id, offset: tab.screen(id).offset });
    await tab.until('it goes on', () => tab.screen(id).offset > 2 * 2 ** 20);
  });

  it('end with their shell, and are eight at most', async () => {
    const tab = await lab.connect();
    const { terminals } = await tab.request('step:open', TRAP);
    const { id } = terminals[0]!;
    await tab.attach(id);
    lab.engine.output(id, 'logout\r\n');
    lab.engine.endShell(id, 3);
    await tab.until('the end is told', () => tab.heard('terminal:exit').length === 1);
    expect(tab.heard('terminal:exit')[0]).toEqual([id, { code: 3, signal: null }]);
    expect(tab.screen(id).text).toBe('logout\r\n');
    await tab.request('terminal:close', { terminal: id });
    for (let count = 2; count <= 8; count += 1) {
      const opened = await tab.request('terminal:open', SIZE);
      expect(opened.name).toBe(count === 2 ? 'Terminal 1' : `Terminal ${count}`);
    }
    await expect(tab.request('terminal:open', SIZE)).rejects.toThrow(/8 terminals are open|too often/);
  });

  it('of somebody else do not exist', async () => {
    const tab = await lab.connect();
    await tab.request('step:open', TRAP);
    lab.engine.sandboxes.set('bob', { ...lab.engine.sandboxes.get('solo')!, id: 'bob' });
    await expect(tab.attach('t99')).rejects.toThrow(/This terminal is gone/);
    await expect(tab.attach('../../bob/terminals/t1')).rejects.toThrow(/does not understand \(terminal\)/);
  });
});

describe('files', () => {
  it('are opened and saved, and a change made elsewhere is not lost', async () => {
    const tab = await lab.connect();
    await tab.request('step:open', TRAP);
    lab.engine.files.set('/root/a', 'one');
    const file = await tab.request('file:read', { path: '/root/a' });
    expect(file.text).toBe('one');
    const saved = await tab.request('file:write', { ...file, text: 'two' });
    await expect(tab.request('file:write', { ...file, text: 'three' })).rejects.toThrow(/it changed since/);
    expect((await tab.request('file:read', { path: '/root/a' })).version).toBe(saved.version);
    expect(await tab.request('file:list', { path: '/root' })).toEqual([{ name: '/root/a', type: 'file' }]);
    await expect(tab.request('file:read', { path: '/none' })).rejects.toThrow(/no such file/);
  });
});

describe('what dies and comes back', () => {
  it('the lab server: session, terminals, baseline and progress are there', async () => {
    const browser = await lab.visit();
    const tab = await lab.connect(browser);
    const before = await tab.request('step:open', TRAP);
    await tab.request('step:predict', { option: 'one' });
    const { id } = before.terminals[0]!;
    lab.engine.output(id, 'before ');
    await lab.stop();
    lab.engine.output(id, 'meanwhile ');
    lab.engine.patch({ upsert: [trapped()] });
    await lab.start();

    const again = await lab.connect(browser);
    const after = await again.request('step:open', TRAP);
    expect(after.baseline.sort()).toEqual(before.baseline.sort());
    expect(after.terminals.map((terminal) => terminal.id)).toEqual(before.terminals.map((terminal) => terminal.id));
    expect(after.progress.predicted).toBe('one');
    expect(after.verdict.solved).toBe(true);
    await again.attach(id);
    await again.until('the scroll-back is shown', () => again.screen(id).text === 'before meanwhile ');
  });

  it('the engine: terminals and picture resume without a word', async () => {
    const tab = await lab.connect();
    const { terminals } = await tab.request('step:open', TRAP);
    const { id } = terminals[0]!;
    await tab.attach(id);
    lab.engine.output(id, 'before ');
    await tab.until('it is shown', () => tab.screen(id).text === 'before ');
    await lab.engine.die();
    lab.engine.output(id, 'meanwhile ');
    await lab.engine.listen();
    await tab.until('the terminal resumed', () => tab.screen(id).text === 'before meanwhile ');
    lab.engine.output(id, 'after');
    await tab.until('it goes on', () => tab.screen(id).text === 'before meanwhile after');
    tab.type(id, 'x');
    await tab.until('keys arrive', () => lab.engine.terminal(id).typed === 'x');
    await tab.until('a new snapshot came', () => tab.heard('scope:snapshot').length > 0);
    lab.engine.patch({ upsert: [trapped()] });
    await tab.until('it is judged', () => tab.heard('step:verdict').at(-1)?.[0].solved === true);
    expect(tab.heard('notice')).toEqual([]);
  });

  it('an engine that is not there is said, with how to mend it', async () => {
    await lab.engine.die();
    const tab = await lab.connect();
    await expect(tab.request('step:open', TRAP)).rejects.toThrow(/engine is not running.*lab\.sock.*npm start/);
    await lab.engine.listen();
    expect((await tab.request('step:open', TRAP)).sandbox.state).toBe('running');
  });
});

describe('a full machine', () => {
  it('tells the place in the queue, then starts', async () => {
    lab.engine.queue = [2, 1];
    const tab = await lab.connect();
    const state = await tab.request('step:open', TRAP);
    expect(state.sandbox.state).toBe('running');
    const told = tab
      .heard('sandbox:status')
      .map(([{ state: now, message }]) => [now, message?.match(/number (\d)/)?.[1]]);
    expect(told).toContainEqual(['queued', '2']);
    expect(told).toContainEqual(['queued', '1']);
  });
});

describe('a preview', () => {
  it('shows one lesson as its files are when a step is opened, to an author of its own', async () => {
    const lessons = join(lab.directory, 'lessons');
    cpSync(lab.config.lessons, lessons, { recursive: true });
    const preview = new LabUnderTest({ DRYDOCK_PREVIEW: 'B/b2-pid', DRYDOCK_LESSONS: lessons });
    await preview.engine.listen();
    await preview.start();
    try {
      const tab = await preview.connect();
      const before = await tab.request('step:open', TRAP);
      expect([...preview.engine.sandboxes.keys()]).toEqual(['preview']);
      expect(before.verdict.checks.map(({ id }) => id)).toEqual(['stays', 'children', 'nobody']);
      const file = join(lessons, 'b-namespaces/b2-pid/1-the-trap/step.yaml');
      writeFileSync(file, readFileSync(file, 'utf8').replaceAll('nobody', 'no-one'));
      const after = await tab.request('step:open', TRAP);
      expect(after.verdict.checks.map(({ id }) => id)).toEqual(['stays', 'children', 'no-one']);
      preview.engine.patch({ upsert: [trapped({ pidForChildren: null })] });
      await tab.until(
        'it is judged by the new files',
        () => tab.heard('step:verdict').at(-1)?.[0].hint === 'not-forked',
      );
      expect((await tab.request('step:hint', { index: 0 })).id).toBe('not-forked');
    } finally {
      await preview.end();
    }
  });
});
