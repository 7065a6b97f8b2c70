// What one learner can see of another, and where his packets get to: two sandboxes side by side, on the host's real network.
import { execFile, execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { TestDaemon } from '../testing/daemon.ts';
import { type Check, PYTHON, REACH } from '../testing/network-world.ts';
import { requires } from '../testing/requires.ts';

requires('root', 'overlay', 'user-namespaces', 'idmapped-mounts', 'veth', 'nftables', 'seccomp-filter', 'loop');

let daemon: TestDaemon;
beforeAll(async () => {
  daemon = await TestDaemon.start();
  await daemon.sandbox('eve');
  await daemon.sandbox('ada');
});
afterAll(() => daemon.end());

const out = async (id: string, script: string, env: Record<string, string> = {}): Promise<string> =>
  (await daemon.run(id, script, { env, timeoutMs: 30_000 })).stdout;

test('files: the shared image’s bytes and another’s own are not changed, at the same paths', async () => {
  const before = await out('ada', 'sha256sum /bin/bash /etc/passwd; ls /root');
  await out('eve', 'echo evil >> /bin/bash; echo evil >> /etc/passwd; rm -rf /usr/share/doc; echo evil > /root/x');
  expect(await out('eve', 'tail -c 5 /etc/passwd')).toBe('evil\n');
  expect(await out('ada', 'sha256sum /bin/bash /etc/passwd; ls /root')).toBe(before);
  await daemon.sandbox('later');
  expect(await out('later', 'sha256sum /bin/bash /etc/passwd; ls /root')).toBe(before);
  await daemon.demand('DELETE', '/lab/sandboxes/later');
});

test('processes: nobody else’s is seen, signalled or traced', async () => {
  const terminal = await daemon.terminal('ada', { argv: ['/bin/sh', '-c', 'echo up; exec sleep 76543210'] });
  await (await daemon.attach('ada', terminal.id)).until(/up/);
  const hostPids = execFileSync('pgrep', ['-fx', 'sleep 76543210']).toString().trim().split('\n');
  expect(await out('eve', 'ps -eo args')).not.toContain('sleep 7');
  const tried = await out(
    'eve',
    `for pid in ${[...hostPids, daemon.pid].join(' ')}; do kill -9 $pid && echo killed $pid; strace -p $pid -o /dev/null 2>/dev/null && echo traced $pid; ls /proc/$pid/root && echo root $pid; done 2>/dev/null; kill -9 -1; echo end`,
  );
  expect(tried).toBe('end\n');
  expect(await out('ada', 'pgrep -fx "sleep 76543210"')).toMatch(/^\d+\n$/);
  await daemon.demand('DELETE', `/lab/sandboxes/ada/terminals/${terminal.id}`);
});

test('memory, queues, names of sockets and keys are each one’s own', async () => {
  const leave = `
import os, socket, subprocess, time
open('/dev/shm/secret', 'w').write('eve')
subprocess.run(['ipcmk', '-M', '64', '-Q', '-S', '1'], stdout=subprocess.DEVNULL)
listener = socket.socket(socket.AF_UNIX)
listener.bind('\\0eve-was-here')
listener.listen()
print('left', flush=True)
time.sleep(1000)
`;
  const terminal = await daemon.terminal('eve', { argv: ['/usr/bin/python3', '-c', leave] });
  await (await daemon.attach('eve', terminal.id)).until(/left/);
  const look =
    'ls /dev/shm; ipcs -m -q -s | grep -c 0x; grep -c eve-was-here /proc/net/unix; cat /proc/keys | wc -l; ss -xlH | grep -c eve';
  expect((await out('eve', look)).split('\n').slice(0, 3)).toEqual(['secret', '3', '1']);
  expect(await out('ada', look)).toBe('0\n0\n0\n0\n');
  expect(readFileSync('/proc/net/unix', 'utf8')).not.toContain('eve-was-here');
  await daemon.demand('DELETE', `/lab/sandboxes/eve/terminals/${terminal.id}`);
});

const SERVE = `
import socket
listener = socket.socket()
listener.bind(('0.0.0.0', 8000))
listener.listen()
print('ready', flush=True)
while True: listener.accept()[0].close()
`;
const runtimeSchema = z.object({ initPid: z.number() });

/**
 * The checks that got through, by name. The sandbox's python has no json: the host's is run in the sandbox's network
 * namespace, with more rights than a learner has, and no other way for its packets.
 */
function reached(id: string, checks: Readonly<Record<string, Check>>): string[] {
  const runtime = readFileSync(join(daemon.directory, 'run/sandboxes', `${id}.json`), 'utf8');
  const { initPid } = runtimeSchema.parse(JSON.parse(runtime));
  const counts = sent([`--net=/proc/${initPid}/ns/net`], Object.values(checks));
  return Object.keys(checks).filter((_, index) => (counts[index] ?? 0) > 0);
}

function sent(within: readonly string[], checks: readonly Check[]): number[] {
  const command = [...within, PYTHON, REACH, 'check', JSON.stringify(checks)];
  return z.array(z.number()).parse(JSON.parse(execFileSync('nsenter', command, { timeout: 30_000 }).toString()));
}

/** Not by execFileSync: the listener is this process's. */
async function fromHost(checks: readonly Check[]): Promise<number[]> {
  const { stdout } = await promisify(execFile)(PYTHON, [REACH, 'check', JSON.stringify(checks)]);
  return z.array(z.number()).parse(JSON.parse(stdout));
}

async function listening(run: (port: number) => Promise<void>): Promise<void> {
  const server: Server = createServer((socket) => socket.end('host'));
  await new Promise<void>((resolve) => server.listen(0, '0.0.0.0', resolve));
  const address = server.address();
  try {
    await run(typeof address === 'object' && address ? address.port : 0);
  } finally {
    server.close();
  }
}

const gateway = async (id: string) => /via (\S+)/.exec(await out(id, 'ip route show default'))?.[1] ?? '';
const address = async (id: string) => /inet (\S+)\//.exec(await out(id, 'ip -4 -o addr show eth0'))?.[1] ?? '';

test('packets: nothing gets to the host’s ports, the metadata service, a neighbour or the internet', async () => {
  const [hostOfEve, hostOfAda, ada] = [await gateway('eve'), await gateway('ada'), await address('ada')];
  const serving = await daemon.terminal('ada', { argv: ['/usr/bin/python3', '-c', SERVE] });
  await (await daemon.attach('ada', serving.id)).until(/ready/);
  expect(reached('ada', { itself: { kind: 'tcp', to: ada, port: 8000 } })).toEqual(['itself']);
  await listening(async (port) => {
    const others = execFileSync('ip', ['-4', '-o', 'addr', 'show', 'scope', 'global']).toString();
    const hostElsewhere = [...others.matchAll(/inet (\S+)\//g)].map((match) => match[1] ?? '');
    const checks: Record<string, Check> = {
      'echo to the gateway': { kind: 'ping', to: hostOfEve },
      'the host’s port': { kind: 'tcp', to: hostOfEve, port },
      'the host’s UDP': { kind: 'udp', to: hostOfEve, port: 53 },
      'the neighbour’s gateway': { kind: 'ping', to: hostOfAda },
      'the host’s port at the neighbour’s gateway': { kind: 'tcp', to: hostOfAda, port },
      'the neighbour': { kind: 'ping', to: ada },
      'the neighbour’s port': { kind: 'tcp', to: ada, port: 8000 },
      metadata: { kind: 'tcp', to: '169.254.169.254', port: 80 },
      'metadata, echo': { kind: 'ping', to: '169.254.169.254' },
      internet: { kind: 'ping', to: '198.51.100.7' },
      mail: { kind: 'tcp', to: '198.51.100.7', port: 25 },
      'the host by IPv6 link-local': { kind: 'ping', to: 'fe80::1%eth0', from: 'fe80::2' },
      'a forged source': { kind: 'ping', to: hostOfEve, from: ada, count: 3 },
    };
    for (const to of hostElsewhere.slice(0, 4)) checks[`the host’s port at ${to}`] = { kind: 'tcp', to, port };
    const link = /dev (\S+)/.exec(execFileSync('ip', ['route', 'get', await address('eve')]).toString())?.[1] ?? '';
    execFileSync('ip', ['-6', 'addr', 'add', 'fe80::1/64', 'dev', link, 'nodad']);
    await out('eve', 'ip -6 addr add fe80::2/64 dev eth0 nodad');
    expect(reached('eve', checks)).toEqual(['echo to the gateway']);
    // The host gets to the port: it was there to be reached.
    expect(await fromHost([{ kind: 'tcp', to: hostOfEve, port }])).toEqual([1]);
  });
  await daemon.demand('DELETE', `/lab/sandboxes/ada/terminals/${serving.id}`);
});

test('packets: with addresses and routes of his own choice a learner hears and reaches no more', async () => {
  const ada = await address('ada');
  const listener = await daemon.terminal('eve', {
    argv: ['/usr/bin/tcpdump', '-i', 'eth0', '-nn', '-l', '--immediate-mode', 'icmp or arp'],
  });
  const heard = await daemon.attach('eve', listener.id);
  await heard.until(/listening on eth0/);
  await out(
    'eve',
    `ip addr add ${ada}/8 dev eth0; ip route add 169.254.169.254 dev eth0; sysctl -qw net.ipv4.ip_forward=1; ip link set eth0 promisc on`,
  );
  expect(reached('ada', { own: { kind: 'ping', to: await gateway('ada') } })).toEqual(['own']);
  const stolen: Check = { kind: 'ping', to: await gateway('ada'), from: ada };
  expect(reached('eve', { stolen, metadata: { kind: 'ping', to: '169.254.169.254' } })).toEqual([]);
  await heard.until(/ARP/); // it does hear its own cable
  expect(heard.text()).not.toMatch(new RegExp(`${await gateway('ada')} > ${ada}: ICMP echo reply`));
  await daemon.demand('DELETE', `/lab/sandboxes/eve/terminals/${listener.id}`);
});
