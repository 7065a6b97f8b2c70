// Who listens on a TCP port of this machine, from /proc: the table of sockets, then the processes' descriptors.
import { readFileSync, readdirSync, readlinkSync } from 'node:fs';

const LISTEN = '0A';

/**
 * Inodes of the sockets that listen on `port`, from the text of /proc/net/tcp or tcp6 (proc(5)). Pure.
 * @param {string} table @param {number} port
 */
export function listeningInodes(table, port) {
  const wanted = port.toString(16).toUpperCase().padStart(4, '0');
  return table
    .split('\n')
    .slice(1)
    .map((line) => line.trim().split(/\s+/))
    .filter((fields) => fields[3] === LISTEN && fields[1]?.split(':')[1] === wanted)
    .map((fields) => fields[9] ?? '');
}

/**
 * The process that listens there: its pid and command, or null where no process of this machine is seen to hold the socket.
 * @param {number} port
 */
export function findListener(port) {
  const inodes = ['/proc/net/tcp', '/proc/net/tcp6'].flatMap((file) => listeningInodes(readText(file), port));
  const links = new Set(inodes.map((inode) => `socket:[${inode}]`));
  if (links.size === 0) return null;
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    if (descriptors(pid).some((link) => links.has(link))) {
      return { pid: Number(pid), command: readText(`/proc/${pid}/cmdline`).replaceAll('\0', ' ').trim().slice(0, 80) };
    }
  }
  return null;
}

/** @param {string} file */
function readText(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

/** Processes end while they are looked at: what is gone has no descriptors. @param {string} pid */
function descriptors(pid) {
  try {
    return readdirSync(`/proc/${pid}/fd`).map((fd) => {
      try {
        return readlinkSync(`/proc/${pid}/fd/${fd}`);
      } catch {
        return '';
      }
    });
  } catch {
    return [];
  }
}
