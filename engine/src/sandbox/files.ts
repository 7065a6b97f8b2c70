// The learner's files as the editor sees them: opened, listed and saved inside the sandbox, with the learner's rights.
import { createHash } from 'node:crypto';
import { closeSync } from 'node:fs';
import type { FileEntry, SandboxFile, WriteFile } from '../api/lab/schemas.ts';
import type { PlanReport } from '../model/plan-report.ts';
import { EngineError, SysError } from '../model/engine-error.ts';
import type { LaunchPlan } from '../model/launch-plan.ts';
import { parseDirectoryEntries } from './directory-entries.ts';
import {
  DIRECTORY_ROOMS,
  fileKind,
  listDirectoryPlan,
  MAX_FILE_BYTES,
  readFilePlan,
  writeFilePlan,
} from './file-plan.ts';
import type { SandboxHost } from './host.ts';
import type { Sandbox } from './sandbox.ts';

/** A file system of the learner's own (FUSE) may never answer; ours do within milliseconds. */
const HANG_GUARD_MS = 5_000;

const SENTENCES: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  ENOTDIR: 'a part of the path is no directory',
  EISDIR: 'it is a directory',
  EACCES: 'permission denied',
  ELOOP: 'too many symbolic links',
  ENOSPC: 'the disk is full; remove something first. The old content stands',
  EDQUOT: 'the disk is full; remove something first. The old content stands',
  EROFS: 'it lies on a read-only mount',
  ENXIO: 'it is a FIFO or a socket',
  ETIME: 'its file system does not answer',
};

function groupsOf(sandbox: Sandbox): { groups: { keepers: string[]; leaf: string[] } } {
  const { group } = sandbox.life();
  return { groups: { keepers: group.joinFiles('keepers'), leaf: group.joinFiles('inner/shell') } };
}

async function run(
  host: SandboxHost,
  sandbox: Sandbox,
  verb: string,
  path: string,
  plan: LaunchPlan,
): Promise<PlanReport> {
  const init = sandbox.initPidfd();
  try {
    return await host.kernel.run(plan, { descriptors: { init }, timeoutMs: HANG_GUARD_MS });
  } catch (error) {
    if (!(error instanceof SysError)) throw error;
    const kind = error.errno === 'ENOENT' ? 'not_found' : 'conflict';
    throw new EngineError(kind, `Cannot ${verb} "${path}": ${SENTENCES[error.errno] ?? error.errno}`, { cause: error });
  } finally {
    closeSync(init);
  }
}

const versionOf = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

export async function listDirectory(host: SandboxHost, sandbox: Sandbox, path: string): Promise<FileEntry[]> {
  const report = await run(host, sandbox, 'list', path, listDirectoryPlan(groupsOf(sandbox), path));
  const entries = DIRECTORY_ROOMS.flatMap(({ room, length }) =>
    parseDirectoryEntries((report.rooms.get(room) ?? new Uint8Array()).subarray(0, report.slots.get(length) ?? 0)),
  );
  return entries.sort((a, b) => a.name.localeCompare(b.name, 'en'));
}

async function readBytes(host: SandboxHost, sandbox: Sandbox, path: string): Promise<Uint8Array> {
  const report = await run(host, sandbox, 'open', path, readFilePlan(groupsOf(sandbox), path));
  const kind = fileKind(report.rooms.get('stat') ?? new Uint8Array(STAT_BYTES), process.arch);
  if (kind !== 'file')
    throw new EngineError(
      'conflict',
      `Cannot open "${path}": it is ${kind === 'directory' ? 'a directory' : 'no regular file'}`,
    );
  const length = report.slots.get('length') ?? 0;
  if (length > MAX_FILE_BYTES) throw new EngineError('conflict', `Cannot open "${path}": it is larger than 1 MiB`);
  return (report.rooms.get('content') ?? new Uint8Array()).subarray(0, Math.max(0, length));
}
const STAT_BYTES = 144;

/** Throws conflict for what an editor can't show: directories, devices, files over 1 MiB, bytes that are not UTF-8 text. */
export async function readFile(host: SandboxHost, sandbox: Sandbox, path: string): Promise<SandboxFile> {
  const bytes = await readBytes(host, sandbox, path);
  try {
    return {
      path,
      text: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes),
      version: versionOf(bytes),
    };
  } catch (error) {
    throw new EngineError('conflict', `Cannot open "${path}": it is not UTF-8 text`, { cause: error });
  }
}

/** Throws conflict when the file is not what `version` says (null: it must not be there yet). */
export async function writeFile(host: SandboxHost, sandbox: Sandbox, request: WriteFile): Promise<SandboxFile> {
  const { path, text, version } = request;
  const there = await readBytes(host, sandbox, path).then(versionOf, (error: unknown) => {
    if (error instanceof EngineError && error.kind === 'not_found') return null;
    throw error;
  });
  if (there !== version)
    throw new EngineError(
      'conflict',
      `Cannot save "${path}": it ${there === null ? 'was removed' : 'was changed'} since it was opened; open it again or save over it`,
    );
  const bytes = new TextEncoder().encode(text);
  if (bytes.length > MAX_FILE_BYTES)
    throw new EngineError('invalid_argument', `Cannot save "${path}": it is larger than 1 MiB`);
  await run(host, sandbox, 'save', path, writeFilePlan(groupsOf(sandbox), path, bytes));
  return { path, text, version: versionOf(bytes) };
}
