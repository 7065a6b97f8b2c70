// The one SQLite file: opens it, brings its schema up to date, hands out the Prisma client. A write that was answered is
// on the disk: WAL with synchronous=FULL (the default of every connection; checked at the start).
import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { PrismaLibSql } from '@prisma/adapter-libsql';
import { PrismaClient } from '../../../../prisma/generated/client.ts';
import { applyMigrations } from './migrations.ts';

export type Database = PrismaClient;

/** How long a statement waits for another process (a backup, the sqlite3 shell) that holds the file. */
const BUSY_TIMEOUT_MS = 5000;

/** Opens `url` (file:/path), applies what is missing from `migrations`. Throws one sentence that names the file. */
export async function openDatabase(url: string, migrations: string): Promise<Database> {
  const path = url.replace(/^file:/, '');
  try {
    mkdirSync(dirname(path), { recursive: true });
    const adapter = new PrismaLibSql({ url, timeout: BUSY_TIMEOUT_MS });
    const connection = await adapter.connect();
    try {
      await connection.executeScript('PRAGMA journal_mode=WAL;');
      const { rows } = await connection.queryRaw({ sql: 'PRAGMA synchronous', args: [], argTypes: [] });
      if (Number(rows[0]?.[0]) < 2) throw new Error('SQLite was built without synchronous=FULL');
      await applyMigrations(connection, migrations);
    } finally {
      await connection.dispose();
    }
    const database = new PrismaClient({ adapter });
    await database.$connect();
    return database;
  } catch (cause) {
    throw new Error(`Cannot open the database "${path}": ${reason(cause)}`, { cause });
  }
}

/**
 * Does it all and takes it back. Prisma works out how to carry out a query when it is first asked, which takes longer than
 * the query (20 to 50 ms a write): what has been rehearsed is fast from the first learner on.
 */
export async function rehearse(database: Database, work: (inside: Database) => Promise<unknown>): Promise<void> {
  const undo = new Error('the rehearsal is over');
  await database
    .$transaction(async (inside) => {
      // SAFETY: a transaction has every model of the client; what is rehearsed begins no transaction of its own.
      await work(inside as Database);
      throw undo;
    })
    .catch((error: unknown) => {
      if (error !== undo) throw error;
    });
}

/** The database refused a write because the disk is full; what was acknowledged before is untouched. */
export class DiskFullError extends Error {
  override readonly name = 'DiskFullError';
}

/** Runs a write; a full disk becomes one error that the learner is told about in a sentence. */
export async function write<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (isDiskFull(cause)) throw new DiskFullError('Cannot save: the disk of the lab is full.', { cause });
    throw cause;
  }
}

/** SQLITE_FULL, or an I/O error under ENOSPC while the WAL grows; Prisma wraps both. */
function isDiskFull(error: unknown): boolean {
  for (let at: unknown = error, depth = 0; at instanceof Error && depth < 5; at = at.cause, depth += 1)
    if (
      /SQLITE_FULL|database or disk is full|ENOSPC|SQLITE_IOERR_(WRITE|SHMSIZE|FSYNC)/.test(
        `${at.message} ${JSON.stringify(at)}`,
      )
    )
      return true;
  return false;
}

function reason(cause: unknown): string {
  const message = cause instanceof Error ? cause.message : String(cause);
  if (/EACCES|EPERM|unable to open database/i.test(message))
    return `${message}. Its folder must be writable for the user that the lab runs as.`;
  if (isDiskFull(cause)) return 'the disk is full. Free some space and start again; nothing that was saved is lost.';
  if (/not a database|malformed/i.test(message))
    return `${message}. Move the file away to begin with an empty one, or restore a copy.`;
  return message;
}
