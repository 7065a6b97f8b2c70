// keep: what a keeper does once its plan ran. It is the parent of one process and the only reader of its terminal or
// pipes; it stores what comes out, hands in what is typed, and writes down how the process ended. Everything it knows is
// in two files, so a daemon that dies loses nothing: the next one reads the same files and the same FIFOs.
#include "plan.h"
#include <asm/errno.h>
#include <asm/ioctls.h>
#include <asm/signal.h>
#include <asm/termios.h>
#include <linux/falloc.h>
#include <linux/fcntl.h>
#include <linux/mman.h>
#include <linux/poll.h>
#include <linux/prctl.h>
#include <linux/wait.h>

enum { STATE_STARTING, STATE_RUNNING, STATE_ENDED, STATE_FAILED };

// The first page of the file `record`; src/model/keeper-record.ts reads it. The daemon writes ring and limit at first.
#define RECORD_MAGIC 0x4b595244u // "DRYK"

struct record {
  u32 magic, version;
  u32 state;
  u32 keeper, child; // pids, as the daemon counts them
  i32 status;        // wait(2) status, once ended
  u32 cols, rows;    // size of the terminal
  u64 ring;          // bytes of the ring in `output`; 0: `output` is appended to, chunk by chunk
  u64 written;       // bytes of output since the start
  u64 limit;         // no more is read while written >= limit
  u64 started_ns, ended_ns;
  u64 begin;     // where the output of this run begins: a container's log goes on after the runs before
  u64 keep;      // so much of an appended output is kept, in whole blocks; 0: all of it
  u64 kept_from; // the oldest block that is kept
};

// One chunk of an appended output: this head, then its bytes, then zeros up to a multiple of the head's size. A block
// begins with a chunk and no chunk crosses into the next: what is left of a block is filled with one of stream 0.
struct chunk {
  u64 ns;
  u32 stream; // 1 stdout, 2 stderr
  u32 length;
};

// A frame of the control FIFO: small enough to be written whole or not at all (PIPE_BUF).
struct frame {
  u32 verb;
  u32 detail;
  u64 value;
};
enum { VERB_LIMIT = 1, VERB_RESIZE, VERB_SIGNAL, VERB_END_INPUT };

#define CHUNK 65536 // of a ring: read at once, and what is not to be relied on behind `written`
#define BLOCK 65536
#define HEAD ((u32)sizeof(struct chunk))
#define LEAST (HEAD + 4096) // a write(2) of PIPE_BUF bytes that is read by itself stays one chunk
#define TYPED 4096
#define AGAIN_NS 200000000L // when a full disk or a hung-up terminal is tried again

static struct record *record;
static u8 *ring;
static struct { struct chunk head; u8 bytes[BLOCK]; } unsaved; // what was read and not yet stored; untouched for rings
static u32 unsaved_at;
static u32 filler; // bytes that are left of a block and go unused before what is unsaved
static u8 typed[TYPED];
static u32 typed_at, typed_count;
static int end_of_input, ended;
// Descriptors; -1 once there is nothing more to do with them.
static int in = -1, out = -1, err = -1, signals = -1;

static void drop(int *fd) {
  if (*fd >= 0) sys(close, *fd);
  *fd = -1;
}

static void drop_output(void) {
  if (in == out) in = -1; // a terminal is both
  drop(&out);
}

static struct record *map_record(void) {
  long address = sys(mmap, 0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, FD_RECORD, 0);
  return address < 0 && address > -4096 ? 0 : (struct record *)address;
}

// The plan failed before anything was kept: a daemon that starts later must not wait for it. There may be no record
// (a plan that keeps nothing); then there is nobody to tell.
void record_failure(void) {
  if (record || (record = map_record())) record->state = STATE_FAILED;
}

// Output that can't be stored (a full disk) stays where it is: the process waits in its write(2), nothing is lost.
static int is_open(void) {
  return ended || record->written < __atomic_load_n(&record->limit, __ATOMIC_SEQ_CST);
}

// Old blocks go back to the file system; what is left keeps its place, so nobody's offset changes. What a follower has
// not read yet stays: the daemon sets the limit to half of `keep` after it.
static void drop_oldest(void) {
  u64 keep = record->keep, written = record->written, old = record->kept_from;
  if (!keep || written - old <= keep) return;
  u64 limit = __atomic_load_n(&record->limit, __ATOMIC_SEQ_CST), half = keep / 2;
  u64 from = (written - keep + BLOCK - 1) / BLOCK * BLOCK;
  u64 last = (written - 1) / BLOCK * BLOCK, followed = (limit > half ? limit - half : 0) / BLOCK * BLOCK;
  if (from > last) from = last;
  if (from > followed) from = followed;
  if (from <= old) return;
  __atomic_store_n(&record->kept_from, from, __ATOMIC_SEQ_CST);
  sys(fallocate, FD_OUTPUT, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, old, from - old);
}

static int store_unsaved(void) {
  if (!unsaved.head.length) return 1;
  if (filler && !unsaved_at) {
    struct chunk fill = {unsaved.head.ns, 0, filler - HEAD};
    if (sys(pwrite64, FD_OUTPUT, &fill, HEAD, record->written) != (long)HEAD) return 0;
  }
  u32 total = HEAD + (unsaved.head.length + HEAD - 1) / HEAD * HEAD;
  while (unsaved_at < total) {
    u64 at = record->written + filler + unsaved_at;
    long count = sys(pwrite64, FD_OUTPUT, (u8 *)&unsaved + unsaved_at, total - unsaved_at, at);
    if (count <= 0) return 0;
    unsaved_at += (u32)count;
  }
  // Bytes first, then the number that says they are there.
  __atomic_store_n(&record->written, record->written + filler + total, __ATOMIC_SEQ_CST);
  unsaved.head.length = unsaved_at = filler = 0;
  drop_oldest();
  tell();
  return 1;
}

static void store_all(void) {
  long pause[2] = {0, AGAIN_NS};
  while (!store_unsaved()) sys(ppoll, 0, 0, pause, 0);
}

// Reads once. Returns what read(2) said: 0 or -EIO is the end (a terminal without any opener says EIO).
static long take_output(int fd, u32 stream) {
  long count;
  if (ring) {
    u64 at = record->written % record->ring, room = record->ring - at;
    count = sys(read, fd, ring + at, room < CHUNK ? room : CHUNK);
    if (count <= 0) return count;
    __atomic_store_n(&record->written, record->written + (u64)count, __ATOMIC_SEQ_CST);
    tell();
    return count;
  }
  u32 room = BLOCK - record->written % BLOCK;
  filler = room < LEAST ? room : 0;
  count = sys(read, fd, unsaved.bytes, (filler ? BLOCK : room) - HEAD);
  if (count <= 0) return count;
  for (long i = count; i % HEAD; i++) unsaved.bytes[i] = 0;
  unsaved.head = (struct chunk){clock_ns(0), stream, (u32)count};
  store_unsaved();
  return count;
}

// What is typed goes from the FIFO to the process. When nobody reads any more (EPIPE), it is thrown away.
static void pass_input(void) {
  for (;;) {
    if (!typed_count) {
      long count = sys(read, FD_INPUT, typed, TYPED);
      if (count <= 0) break;
      typed_at = 0;
      typed_count = (u32)count;
    }
    while (typed_count) {
      long count = in < 0 ? (long)typed_count : sys(write, in, typed + typed_at, typed_count);
      if (count == -EAGAIN) return; // the process is not reading: its time will come
      if (count < 0) {
        if (in != out) drop(&in);
        count = typed_count;
      }
      typed_at += (u32)count;
      typed_count -= (u32)count;
    }
  }
  if (end_of_input && in != out) drop(&in);
}

static void obey(const struct frame *frame) {
  struct winsize size;
  switch (frame->verb) {
  case VERB_LIMIT:
    __atomic_store_n(&record->limit, frame->value, __ATOMIC_SEQ_CST);
    break;
  case VERB_RESIZE:
    size = (struct winsize){.ws_row = (u16)frame->value, .ws_col = (u16)frame->detail};
    if (in < 0 || sys(ioctl, in, TIOCSWINSZ, &size) < 0) break;
    record->cols = size.ws_col;
    record->rows = size.ws_row;
    break;
  case VERB_SIGNAL:
    if (!ended) sys(kill, record->child, frame->detail); // not reaped yet: the number is still the process's own
    break;
  case VERB_END_INPUT:
    end_of_input = 1;
    break;
  }
}

static void take_control(void) {
  struct frame frames[32];
  long count = sys(read, FD_CONTROL, frames, sizeof frames);
  for (long i = 0; i < count / (long)sizeof(struct frame); i++) obey(&frames[i]);
  pass_input();
}

static void reap(void) {
  u8 news[128];
  i32 status;
  long pid;
  while (sys(read, signals, news, sizeof news) > 0) {
  }
  while ((pid = sys(wait4, -1, &status, WNOHANG | __WALL)) > 0) {
    if ((u32)pid != record->child) continue;
    record->status = status;
    ended = 1;
  }
}

// What the process had written before it ended is still in the terminal or the pipes. Others may hold them open and go
// on writing: at most what they can hold is read, 1 MiB for a pipe (pipe(7)), far less for a terminal, whose ring must
// not be written over before it was followed.
static void drain(int *fd, u32 stream) {
  u64 total = 0, most = ring ? record->ring / 4 : 1UL << 20;
  while (*fd >= 0 && total < most) {
    store_all();
    long count = take_output(*fd, stream);
    if (count <= 0) return;
    total += (u64)count;
  }
}

// Closes all but the descriptors in the list: a keeper must not hold a mount, a namespace or a socket by accident.
static void close_others(int *list, int count) {
  u32 next = 0;
  for (;;) {
    u32 lowest = ~0U;
    for (int i = 0; i < count; i++)
      if (list[i] >= 0 && (u32)list[i] >= next && (u32)list[i] < lowest) lowest = (u32)list[i];
    if (lowest != next) sys(close_range, next, lowest == ~0U ? ~0U : lowest - 1, 0);
    if (lowest == ~0U) return;
    next = lowest + 1;
  }
}

static void make_nonblocking(int fd) {
  long flags = sys(fcntl, fd, F_GETFL);
  if (flags >= 0) sys(fcntl, fd, F_SETFL, flags | O_NONBLOCK);
}

static short wants_output(int fd) { return fd >= 0 && is_open() && !unsaved.head.length ? POLLIN : 0; }

static void serve(void) {
  int hung = 0; // the terminal has no opener just now: reading says EIO until somebody opens it again
  while (!ended) {
    short in_wants = typed_count && in >= 0 ? POLLOUT : 0;
    short out_wants = hung ? 0 : wants_output(out);
    struct pollfd polled[] = {
      {signals, POLLIN, 0},
      {FD_CONTROL, POLLIN, 0},
      {typed_count ? -1 : FD_INPUT, POLLIN, 0},
      {in_wants && in != out ? in : -1, POLLOUT, 0},
      {out_wants || (in_wants && in == out) ? out : -1, (short)(out_wants | (in == out ? in_wants : 0)), 0},
      {wants_output(err) ? err : -1, POLLIN, 0},
    };
    long pause[2] = {0, AGAIN_NS};
    sys(ppoll, polled, sizeof polled / sizeof *polled, hung || unsaved.head.length ? pause : 0, 0);
    hung = 0;
    store_unsaved();
    // Input first: an echo can't come before what is echoed.
    if (polled[1].revents) take_control();
    if (polled[2].revents || in_wants) pass_input();
    if (polled[4].revents && out_wants) {
      long count = take_output(out, 1);
      if (count == -EIO || count == -EFAULT) hung = 1; // EFAULT: no memory for the ring just now
      else if (count == 0) drop_output();
    }
    if (polled[5].revents && !unsaved.head.length && take_output(err, 2) == 0) drop(&err);
    if (polled[0].revents) reap();
  }
}

// All that can fail is done before the plan has run: an error here is that of the keep step. Returns 0 or -errno.
long prepare_to_keep(void) {
  u64 chld = 1UL << (SIGCHLD - 1);
  sys(rt_sigprocmask, SIG_BLOCK, &chld, 0, sizeof chld);
  signals = (int)sys(signalfd4, -1, &chld, sizeof chld, O_NONBLOCK | O_CLOEXEC);
  if (signals < 0) return signals;
  if (!(record = map_record())) return -EBADF;
  if (!record->ring) return 0;
  long address = sys(mmap, 0, record->ring, PROT_READ | PROT_WRITE, MAP_SHARED, FD_OUTPUT, 0);
  if (address < 0 && address > -4096) return address;
  ring = (u8 *)address;
  return 0;
}

_Noreturn void keep(long pid, long terminal, long to, long from, long errors) {
  struct { void *handler; u64 flags, restorer, mask; } ignore = {SIG_IGN, 0, 0, 0};
  sys(rt_sigaction, SIGPIPE, &ignore, 0, sizeof ignore.mask); // stdin closed by the process: an error, not our end
  sys(prctl, PR_SET_CHILD_SUBREAPER, 0);                      // its orphans are init's, as on any machine
  out = (int)(terminal >= 0 ? terminal : from);
  in = (int)(terminal >= 0 ? terminal : to);
  err = (int)errors;
  make_nonblocking(in);
  make_nonblocking(out);
  make_nonblocking(err);
  sys(munmap, plan, plan->size);
  close_others((int[]){FD_NOTIFY, FD_RECORD, FD_OUTPUT, FD_CONTROL, FD_INPUT, signals, in, out, err}, 9);
  record->keeper = (u32)sys(getpid);
  record->child = (u32)pid;
  record->started_ns = clock_ns(0);
  __atomic_store_n(&record->state, STATE_RUNNING, __ATOMIC_SEQ_CST);
  tell();
  reap(); // it may have ended already
  serve();
  drain(&out, 1);
  drain(&err, 2);
  store_all();
  record->ended_ns = clock_ns(0);
  __atomic_store_n(&record->state, STATE_ENDED, __ATOMIC_SEQ_CST);
  tell();
  sys(exit_group, 0);
  __builtin_unreachable();
}
