// Generates the Prisma client from prisma/schema.prisma. Needs no downloaded binary: Prisma asks that its schema engine
// exists, but `generate` never runs it, so the variable below may name any file.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { buildFolder, projectRoot } from './paths.mjs';
import { SetupError, runTool } from './tool.mjs';

/** Generates the client where the schema says. */
export async function generatePrismaClient() {
  const cli = join(projectRoot, 'node_modules/prisma/build/index.js');
  if (!existsSync(cli))
    throw new SetupError(
      'Cannot generate the Prisma client: npm packages are not installed. Run "npm ci --ignore-scripts".',
    );
  await runTool(process.execPath, [cli, 'generate'], {
    cwd: projectRoot,
    env: {
      PRISMA_SCHEMA_ENGINE_BINARY: process.env['PRISMA_SCHEMA_ENGINE_BINARY'] ?? process.execPath,
      PRISMA_HIDE_UPDATE_MESSAGE: '1',
      CHECKPOINT_DISABLE: '1',
      // The configuration asks for a URL; generating does not use it.
      DATABASE_URL: process.env['DATABASE_URL'] ?? 'file:./unused.db',
    },
    log: join(buildFolder, 'logs/prisma.log'),
    advice: 'The lines below are Prisma’s; prisma/schema.prisma is what it reads.',
  });
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href)
  await generatePrismaClient();
