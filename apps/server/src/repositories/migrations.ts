// Applies prisma/migrations in order and records them as Prisma does, so that `prisma migrate status` agrees where its
// engine can be had. Never changes a migration that was applied.
import { createHash, randomUUID } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The part of Prisma's driver adapter that is needed: one connection of SQLite. */
export interface MigrationConnection {
  executeScript(script: string): Promise<void>;
  queryRaw(query: { sql: string; args: unknown[]; argTypes: [] }): Promise<{ rows: unknown[][] }>;
}

// As Prisma's schema engine makes it on SQLite.
const TABLE = `CREATE TABLE IF NOT EXISTS "_prisma_migrations" (
    "id" TEXT PRIMARY KEY NOT NULL,
    "checksum" TEXT NOT NULL,
    "finished_at" DATETIME,
    "migration_name" TEXT NOT NULL,
    "logs" TEXT,
    "rolled_back_at" DATETIME,
    "started_at" DATETIME NOT NULL DEFAULT current_timestamp,
    "applied_steps_count" INTEGER UNSIGNED NOT NULL DEFAULT 0
);`;

/** Brings the database up to `directory`. Each migration is applied whole or not at all. Throws a sentence. */
export async function applyMigrations(connection: MigrationConnection, directory: string): Promise<string[]> {
  await connection.executeScript(TABLE);
  const applied = await appliedMigrations(connection);
  const names = readdirSync(directory, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort();
  for (const name of applied.keys())
    if (!names.includes(name))
      throw new Error(
        `Cannot use the database: it has migration "${name}", which this version does not know. It was written by a newer Drydock; start that one, or set DATABASE_URL to another file.`,
      );
  const done: string[] = [];
  for (const name of names) {
    const script = readFileSync(join(directory, name, 'migration.sql'), 'utf8');
    const checksum = createHash('sha256').update(script).digest('hex');
    const known = applied.get(name);
    if (known === checksum) continue;
    if (known !== undefined)
      throw new Error(`Cannot apply migration "${name}": it was changed after it was applied. Add a new one instead.`);
    await apply(connection, name, script, checksum);
    done.push(name);
  }
  return done;
}

async function appliedMigrations(connection: MigrationConnection): Promise<Map<string, string>> {
  const sql = 'SELECT migration_name, checksum FROM _prisma_migrations WHERE rolled_back_at IS NULL';
  const { rows } = await connection.queryRaw({ sql, args: [], argTypes: [] });
  return new Map(rows.map(([name, checksum]) => [String(name), String(checksum)]));
}

/** SQLite's DDL is transactional: the schema and its record land together. Folder names are [0-9a-z_] and need no quoting. */
async function apply(connection: MigrationConnection, name: string, script: string, checksum: string): Promise<void> {
  if (!/^[0-9a-z_]+$/.test(name)) throw new Error(`Cannot apply migration "${name}": its name is not [0-9a-z_].`);
  const record = `INSERT INTO _prisma_migrations (id, checksum, finished_at, migration_name, applied_steps_count)
    VALUES ('${randomUUID()}', '${checksum}', current_timestamp, '${name}', 1);`;
  try {
    await connection.executeScript(`BEGIN IMMEDIATE;\n${script}\n${record}\nCOMMIT;`);
  } catch (cause) {
    await connection.executeScript('ROLLBACK;').catch(() => undefined);
    throw new Error(`Cannot apply migration "${name}": ${cause instanceof Error ? cause.message : String(cause)}`, {
      cause,
    });
  }
}
