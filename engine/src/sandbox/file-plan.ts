// Reading and saving a learner's files, as launch plans: a process inside the sandbox, with the learner's rights and the
// learner's view, makes the calls; the bytes travel in the plan's own memory. Nothing of the learner's is executed. Pure.
import { call, type LaunchPlan, slot, type Step } from '../model/launch-plan.ts';
import { enterPlan, type Entry } from './enter-plan.ts';
import { AT_FDCWD, O_CLOEXEC, O_CREAT, O_DIRECTORY, O_NOCTTY, O_NONBLOCK, O_RDWR } from '../launch/steps.ts';

/** Largest file the editor opens or saves. */
export const MAX_FILE_BYTES = 2 ** 20;
const DIRENT_BYTES = 64 * 1024;
/** Reads of a directory: about 8 000 entries, more than anybody scrolls through. */
const DIRENT_READS = 4;
const STAT_BYTES = 144;
const FALLOC_FL_KEEP_SIZE = 1;

type Joining = Pick<Entry, 'groups'>;

/** A FIFO must not make the open wait for a writer, nor a terminal become the process's own. */
const openFlags = O_NONBLOCK | O_NOCTTY | O_CLOEXEC;

function fileSteps(path: string, flags: number): Step[] {
  return [
    call('openat', [AT_FDCWD, path, openFlags | flags, 0o644], { save: 'file' }),
    call('fstat', [slot('file'), { room: STAT_BYTES, name: 'stat' }]),
  ];
}

/** Rooms: "stat" (struct stat) and "content"; one byte more than the limit tells that a file is too large. */
export function readFilePlan(joining: Joining, path: string): LaunchPlan {
  const size = MAX_FILE_BYTES + 1;
  return enterPlan(joining, [
    ...fileSteps(path, 0),
    // EISDIR, EAGAIN (an empty FIFO), EINVAL: the kind of file says why.
    call('read', [slot('file'), { room: size, name: 'content' }, size], { mayFail: true, save: 'length' }),
  ]);
}

/** Rooms: "stat". Space is reserved before a byte is changed: on a full disk the old content stays whole. */
export function writeFilePlan(joining: Joining, path: string, bytes: Uint8Array): LaunchPlan {
  const reserve: Step[] =
    bytes.length === 0
      ? []
      : [
          // Some file systems can't reserve; then the write itself says ENOSPC.
          call('fallocate', [slot('file'), FALLOC_FL_KEEP_SIZE, 0, bytes.length], { mayFail: ['EOPNOTSUPP'] }),
          call('pwrite64', [slot('file'), { bytes }, bytes.length, 0]),
        ];
  return enterPlan(joining, [
    ...fileSteps(path, O_RDWR | O_CREAT),
    ...reserve,
    call('ftruncate', [slot('file'), bytes.length]),
  ]);
}

/** Rooms: "entries-0" … and slots "length-0" …: what getdents64(2) gave, call by call. */
export function listDirectoryPlan(joining: Joining, path: string): LaunchPlan {
  return enterPlan(joining, [
    call('openat', [AT_FDCWD, path, openFlags | O_DIRECTORY], { save: 'directory' }),
    ...Array.from({ length: DIRENT_READS }, (_, index) =>
      call('getdents64', [slot('directory'), { room: DIRENT_BYTES, name: `entries-${index}` }, DIRENT_BYTES], {
        save: `length-${index}`,
      }),
    ),
  ]);
}
export const DIRECTORY_ROOMS = Array.from({ length: DIRENT_READS }, (_, index) => ({
  room: `entries-${index}`,
  length: `length-${index}`,
}));

const S_IFMT = 0o170000;

/** Kind of a file, from the st_mode of a struct stat (at byte 24 on x86_64, 16 on aarch64). */
export function fileKind(stat: Uint8Array, arch: string): 'file' | 'directory' | 'other' {
  const mode = new DataView(stat.buffer, stat.byteOffset).getUint32(arch === 'arm64' ? 16 : 24, true) & S_IFMT;
  if (mode === 0o100000) return 'file';
  return mode === 0o040000 ? 'directory' : 'other';
}
