import { describe, expect, it } from 'vitest';
import { cgroupPath, parseCgroup } from './cgroup.ts';
import { parseCmdline } from './cmdline.ts';
import { parseIdMap, toInside } from './id-map.ts';
import { parseMountinfo } from './mountinfo.ts';
import { parseNamespaceLink } from './namespace-link.ts';
import { parseStat, ttyName } from './stat.ts';
import { parseStatus } from './status.ts';

const bytes = (text: string) => new Uint8Array(Buffer.from(text, 'latin1'));
const stat = (comm: string) =>
  bytes(
    `4242 (${comm}) S 17 4242 17 34816 4242 4194304 96 0 0 0 1 2 0 0 20 0 3 0 170123 2551808 200 18446744073709551615 0 0\n`,
  );

describe('parseStat', () => {
  it('counts the fields from the last parenthesis', () => {
    for (const comm of ['sh', 'a b', ') R 1 2', 'x\n1 (y) Z 9', '((', '))', '', ' (sd-pam)'])
      expect(parseStat(stat(comm))).toEqual({
        pid: 4242,
        comm,
        state: 'S',
        ppid: 17,
        ttyNr: 34816,
        flags: 4194304,
        threads: 3,
        startTicks: 170123,
      });
  });
  it('replaces what is not UTF-8', () => {
    expect(parseStat(stat('a\xff\xfeb'))?.comm).toBe('a��b');
  });
  it('refuses a line that was cut', () => {
    const whole = stat('sh');
    const ticksEnd = Buffer.from(whole).indexOf('170123') + 6;
    for (let length = 0; length <= ticksEnd; length++) expect(parseStat(whole.subarray(0, length))).toBeNull();
  });
  it('names terminals', () => {
    expect(ttyName(34816)).toBe('pts/0');
    expect(ttyName((136 << 8) | 5 | (1 << 20))).toBe('pts/261');
    expect(ttyName(0)).toBeNull();
    expect(ttyName(1025)).toBeNull();
  });
});

describe('parseStatus', () => {
  const text =
    'Name:\tsh\\nNSpid:\\t9\nUmask:\t0022\nState:\tS (sleeping)\nTgid:\t5\nUid:\t1000000\t1000001\t1000000\t1000000\n' +
    'Gid:\t0\t0\t0\t0\nNStgid:\t5\t2\nNSpid:\t4242\t17\t1\nThreads:\t1\nCapEff:\t0000000000000000\nCapBnd:\t000001ffffffffff\n' +
    'NoNewPrivs:\t1\nSeccomp:\t2\n';
  it('reads what the lab shows', () => {
    expect(parseStatus(bytes(text))).toEqual({
      state: 'S',
      nspid: [4242, 17, 1],
      uids: [1000000, 1000001, 1000000, 1000000],
      gids: [0, 0, 0, 0],
      threads: 1,
      capBounding: '000001ffffffffff',
      capEffective: '0000000000000000',
      noNewPrivs: true,
      seccomp: 2,
    });
  });
  it('takes no half line for a number', () => {
    const cut = text.slice(0, text.indexOf('\t17\t1') + 4);
    expect(parseStatus(bytes(cut))).toBeNull();
  });
});

describe('parseCmdline', () => {
  it('splits at NUL and keeps empty arguments', () => {
    expect(parseCmdline(bytes('sh\0-c\0\0a b\0'))).toEqual(['sh', '-c', '', 'a b']);
    expect(parseCmdline(bytes(''))).toEqual([]);
    expect(parseCmdline(bytes('nginx: worker'))).toEqual(['nginx: worker']);
  });
  it('is bounded in count and length, and never cuts a character in two', () => {
    expect(parseCmdline(bytes('a\0'.repeat(1000)))).toHaveLength(64);
    const smileys = parseCmdline(new TextEncoder().encode(`x${'😀'.repeat(1000)}`))[0] ?? '';
    expect(smileys.length).toBeLessThanOrEqual(512);
    expect(Buffer.from(smileys).toString()).toBe(smileys);
  });
});

describe('parseCgroup', () => {
  it('reads both kinds of hierarchy, colons in names, and removed groups', () => {
    const lines = parseCgroup(bytes('5:cpu,cpuacct:/a:b\n4:name=systemd:/s\n0::/lab/x (deleted)\n'));
    expect(cgroupPath(lines, 'cpuacct')).toBe('/a:b');
    expect(cgroupPath(lines, 'name=systemd')).toBe('/s');
    expect(cgroupPath(lines, '')).toBe('/lab/x');
    expect(cgroupPath(lines, 'pids')).toBeNull();
  });
});

describe('parseIdMap', () => {
  it('translates kernel ids to those of the namespace', () => {
    const map = parseIdMap(bytes('         0    1000000      65536\n     70000 5 1\n'));
    expect(toInside(map, 1000000)).toBe(0);
    expect(toInside(map, 1065535)).toBe(65535);
    expect(toInside(map, 1065536)).toBeNull();
    expect(toInside(map, 5)).toBe(70000);
    expect(toInside(parseIdMap(bytes('')), 0)).toBeNull();
  });
});

describe('parseNamespaceLink', () => {
  it('gives the inode', () => {
    expect(parseNamespaceLink(bytes('pid:[4026531836]'))).toBe(4026531836);
    expect(parseNamespaceLink(bytes('pid_for_children:[7]'))).toBe(7);
    for (const text of ['/etc/passwd', 'pid:[]', 'pid:[-1]', 'pid:[1', 'pid:[99999999999999999]'])
      expect(parseNamespaceLink(bytes(text))).toBeNull();
  });
});

describe('parseMountinfo', () => {
  it('undoes octal escapes and keeps several optional fields', () => {
    const [mount] = parseMountinfo(
      bytes('36 35 98:0 /a\\040b /mnt\\012x\\134y rw,noatime shared:7 master:3 - fuse.my\\040fs s\\043rc rw,a=b c\n'),
    );
    expect(mount).toEqual({
      id: 36,
      parent: 35,
      device: '98:0',
      root: '/a b',
      mountPoint: '/mnt\nx\\y',
      options: 'rw,noatime',
      propagation: 'shared:7 master:3',
      type: 'fuse.my fs',
      source: 's#rc',
      superOptions: 'rw,a=b c',
    });
  });
  it('is bounded, and drops the line that was cut', () => {
    const line = '36 35 98:0 / /mnt rw - tmpfs none rw\n';
    expect(parseMountinfo(bytes(line.repeat(5000)))).toHaveLength(500);
    expect(parseMountinfo(bytes(line + line.slice(0, -6)))).toHaveLength(1);
  });
});
