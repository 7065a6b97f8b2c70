// Prisma's command line. Its schema engine is a binary that is downloaded on its own; `generate` never runs it but
// refuses to start unless the path names a file, so where it is absent any file will do.
import { readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { defineConfig } from 'prisma/config';

const engines = dirname(createRequire(import.meta.url).resolve('@prisma/engines/package.json'));
if (
  !process.env['PRISMA_SCHEMA_ENGINE_BINARY'] &&
  !readdirSync(engines).some((name) => name.startsWith('schema-engine-'))
)
  process.env['PRISMA_SCHEMA_ENGINE_BINARY'] = process.execPath;

export default defineConfig({
  schema: 'prisma/schema.prisma',
  migrations: { path: 'prisma/migrations' },
});
