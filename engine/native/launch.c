// launch: makes the system calls of a launch plan, in order, for each process that takes part. No policy is here: what
// to call, in which order and with which arguments is data (plan.h), written by the engine in TypeScript.
//
// Read it from the end: begin() maps the plan and runs its first block; run() makes one step after the other; a clone
// step makes a process that runs another block; a step that fails ends the whole plan; keep (keep.c) stays for good.
// Why C: between clone and exec no JavaScript can run (V8's heap is not copied into a child).
#include "plan.h"
#include <asm/errno.h>
#include <asm/signal.h>
#include <linux/close_range.h>
#include <linux/fcntl.h>
#include <linux/futex.h>
#include <linux/mman.h>
#include <linux/poll.h>
#include <linux/prctl.h>
#include <linux/wait.h>

struct plan *plan;
static struct step *steps;
static struct row *rows;
static struct slot *slots;
static int is_keeper = 1;
static char *own_name;                       // argv[0]
static int left_read = -1; // see finish(); its other end is FD_LEFT
static long daemon;                         // pid of the parent
static const long wait_time[2] = {0, 50000000};

#define PLACE(offset) ((void *)((u8 *)plan + (offset)))
#define EVERYBODY 0x7fffffff
#define BY_DAEMON ~0U // in plan->failed: no step of its own

// The compiler may turn loops and assignments into calls of these two.
void *memset(void *to, int byte, u64 count) {
  for (u64 i = 0; i < count; i++) ((u8 *)to)[i] = (u8)byte;
  return to;
}
void *memcpy(void *to, const void *from, u64 count) {
  for (u64 i = 0; i < count; i++) ((u8 *)to)[i] = ((const u8 *)from)[i];
  return to;
}

// A byte for the daemon: there is news. A full FIFO (EAGAIN) says the same, so the result does not matter.
void tell(void) { sys(write, FD_NOTIFY, "!", 1); }

// One futex for all: whoever sleeps in the plan looks again whenever anything changed. A plan has a handful of processes.
static void announce_change(void) {
  __atomic_add_fetch(&plan->changes, 1, __ATOMIC_SEQ_CST);
  sys(futex, &plan->changes, FUTEX_WAKE, EVERYBODY);
}

static u32 changes(void) { return __atomic_load_n(&plan->changes, __ATOMIC_SEQ_CST); }
static u32 failed(void) { return __atomic_load_n(&plan->failed, __ATOMIC_SEQ_CST); }

// Nothing the plan made may be left: kill and reap those of its processes that are this one's children. A number in the
// table may come from another pid namespace; waitid(WNOWAIT) answers ECHILD for what is not a child of the caller, so no
// stranger is ever killed. The keeper is a child subreaper: what its children leave behind becomes its own child.
static _Noreturn void abandon(void) {
  for (int found = 1; found;) {
    found = 0;
    for (u32 i = 0; i < plan->step_count; i++) {
      i32 pid = (i32)rows[i].result;
      if (steps[i].kind != STEP_CLONE || pid <= 0) continue;
      if (sys(waitid, P_PID, pid, 0, WEXITED | WNOHANG | WNOWAIT | __WALL) < 0) continue;
      sys(kill, pid, SIGKILL);
      sys(wait4, pid, 0, __WALL);
      found = 1;
    }
  }
  if (is_keeper) record_failure();
  sys(exit_group, 127);
  __builtin_unreachable();
}

static _Noreturn void fail(u32 why) {
  u32 nobody = 0;
  __atomic_compare_exchange_n(&plan->failed, &nobody, why, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
  announce_change();
  abandon();
}

// Called wherever a process waits. A plan that is single-stepped by a daemon that died would wait for ever.
static void stop_if_over(void) {
  if (failed()) abandon();
  if (is_keeper && plan->stepping && sys(getppid) != daemon) fail(BY_DAEMON);
}

static int is_exec(const struct step *step) {
  return step->kind == STEP_CALL && (step->number == __NR_execve || step->number == __NR_execveat);
}

// Did the process of this block come to its end? What still "runs" is an execve that succeeded: it never returns.
static void check_left(const struct block *block, u64 now) {
  for (u32 i = block->first; i < block->first + block->count; i++) {
    if (rows[i].state == ROW_RUNNING && is_exec(&steps[i])) {
      rows[i].ns = now - rows[i].began;
      rows[i].state = ROW_DONE;
      return;
    }
    if (rows[i].state > ROW_RUNNING) continue;
    rows[i].state = ROW_FAILED; // something killed the process in the middle
    rows[i].error = EOWNERDEAD;
    fail(i + 1);
  }
}

// Sleeps while nothing changed since `seen`, 50 ms at most: the daemon changes the plan by writing to its file (a permit,
// an end to it all), which wakes nobody. Ends this process when the plan has ended.
static void sleep_until_change(u32 seen) {
  if (!failed()) sys(futex, &plan->changes, FUTEX_WAIT, seen, wait_time);
  stop_if_over();
}

// Returns when every process of the plan has left it, by execve, init or exit: each holds the write end of one pipe
// that is closed by exactly these (close-on-exec), so the read ends. Then nothing can fail any more.
void finish(void) {
  const struct block *blocks = PLACE(plan->blocks);
  struct pollfd left = {left_read, 0, 0}; // POLLHUP comes unasked
  sys(close, FD_LEFT);
  while (sys(ppoll, &left, 1, wait_time, 0) != 1) stop_if_over();
  sys(close, left_read);
  stop_if_over();
  u64 now = clock_ns(1);
  for (u32 i = 0; i < plan->step_count; i++)
    if (steps[i].kind == STEP_CLONE && rows[i].state == ROW_DONE) check_left(&blocks[steps[i].number], now);
  plan->ran = 1;
}

// Appends to the string at `cursor`, which ends before `end`; returns the place of its NUL, or 0 when there is no room.
static char *append(char *cursor, char *end, const char *string) {
  while (*string && cursor < end) *cursor++ = *string++;
  if (cursor >= end) return 0;
  *cursor = 0;
  return cursor;
}

static char *append_number(char *cursor, char *end, i64 value) {
  char digits[24], *first = digits + sizeof digits;
  u64 rest = value < 0 ? -(u64)value : (u64)value;
  *--first = 0;
  do *--first = (char)('0' + rest % 10);
  while (rest /= 10);
  if (value < 0) *--first = '-';
  return append(cursor, end, first);
}

// Fills in what was not known when the plan was written: addresses (the plan is mapped wherever the kernel chose), and
// results of earlier steps. EBADSLT: a slot that nothing was saved to yet. EFAULT: outside of the plan.
static int fill_in(const struct step *step) {
  const struct fix *fixes = PLACE(plan->fixes);
  char *cursor = 0, *end = 0;
  if (step->first_fix > plan->fix_count || step->fix_count > plan->fix_count - step->first_fix) return -EFAULT;
  for (u32 i = step->first_fix; i < step->first_fix + step->fix_count; i++) {
    const struct fix *fix = &fixes[i];
    int of_slot = fix->kind == FIX_SLOT_4 || fix->kind == FIX_SLOT_8 || fix->kind == FIX_APPEND_SLOT;
    if (fix->at > plan->size - 8 || fix->room > plan->size - fix->at) return -EFAULT;
    if (fix->what >= (of_slot ? plan->slot_count : plan->size)) return -EFAULT;
    if (of_slot && !__atomic_load_n(&slots[fix->what].set, __ATOMIC_SEQ_CST)) return -EBADSLT;
    switch (fix->kind) {
    case FIX_ADDRESS:
      *(u64 *)PLACE(fix->at) = (u64)PLACE(fix->what);
      break;
    case FIX_SLOT_4:
      *(i32 *)PLACE(fix->at) = (i32)slots[fix->what].value;
      break;
    case FIX_SLOT_8:
      *(i64 *)PLACE(fix->at) = slots[fix->what].value;
      break;
    case FIX_WORD: // what an earlier call wrote: the descriptors of pipe2
      if (fix->what > plan->size - 4) return -EFAULT;
      *(i64 *)PLACE(fix->at) = *(i32 *)PLACE(fix->what);
      break;
    case FIX_DECIMAL: // what an earlier call read: the file where another program left a pid
      *(i64 *)PLACE(fix->at) = 0;
      for (u32 i = fix->what; i < plan->size && *(u8 *)PLACE(i) >= '0' && *(u8 *)PLACE(i) <= '9'; i++)
        *(i64 *)PLACE(fix->at) = *(i64 *)PLACE(fix->at) * 10 + *(u8 *)PLACE(i) - '0';
      break;
    case FIX_TEXT:
      cursor = PLACE(fix->at);
      end = cursor + fix->room;
      break;
    case FIX_APPEND:
      if (!cursor || !(cursor = append(cursor, end, PLACE(fix->what)))) return -ENAMETOOLONG;
      break;
    case FIX_APPEND_SLOT:
      if (!cursor || !(cursor = append_number(cursor, end, slots[fix->what].value))) return -ENAMETOOLONG;
      break;
    default:
      return -ENOSYS;
    }
  }
  return 0;
}

static void save(u32 slot, i64 value) {
  if (!slot) return;
  slots[slot - 1].value = value;
  __atomic_store_n(&slots[slot - 1].set, 1, __ATOMIC_SEQ_CST);
}

static _Noreturn void run(u32 block);

// clone3(2). The kernel writes the pid straight into this step's row (CLONE_PARENT_SETTID), before the child runs: even a
// parent that is killed right after leaves nobody whom the plan does not know.
static long clone_step(const struct step *step, struct row *row) {
  long pid = sys(clone3, step->args[0], step->args[1]);
  if (pid == 0) {
    save(step->save, (i32)row->result);
    if (is_keeper) {
      // The keeper's own descriptors are none of the child's business; single stepping needs the way to the daemon.
      is_keeper = 0;
      sys(close, left_read);
      sys(close_range, plan->stepping ? FD_RECORD : FD_NOTIFY, FD_INPUT, 0);
    }
    run(step->number);
  }
  if (pid > 0 && step->args[2]) __atomic_store_n(&slots[step->args[2] - 1].set, 1, __ATOMIC_SEQ_CST);
  return pid;
}

// wait4(2) that also ends when the plan failed elsewhere: SIGCHLD is blocked, so it is not lost between look and sleep.
static long wait_step(i32 pid, struct row *row) {
  u64 chld = 1UL << (SIGCHLD - 1);
  i32 status = 0;
  long ended;
  sys(rt_sigprocmask, SIG_BLOCK, &chld, 0, sizeof chld);
  while ((ended = sys(wait4, pid, &status, WNOHANG | __WALL)) == 0) {
    stop_if_over();
    sys(rt_sigtimedwait, &chld, 0, wait_time, sizeof chld);
  }
  sys(rt_sigprocmask, SIG_UNBLOCK, &chld, 0, sizeof chld);
  if (ended < 0) return ended;
  row->status = (u32)status;
  return status ? -ECHILD : 0;
}

// What `ps` shows of this process is its argv, in place: "init". A last byte that is not NUL tells the kernel that the
// program wrote a title there, which ends at its first NUL (fs/proc/base.c, get_mm_cmdline).
static void call_oneself_init(void) {
  char *end = own_name;
  while (*end) end++;
  if (end - own_name < 5) return;
  memcpy(own_name, "init", 5);
  *end = '.';
}

// The init of a pid namespace: reaps for ever. With a main process (`docker run --init`) it hands every signal on to that
// and ends as it ends. Everything of the plan is let go first; then it may be looked at from inside (PR_SET_DUMPABLE:
// without it /proc/1/ns could not be read there): it has nothing but its own code.
static _Noreturn void init_step(struct row *row, long main_pid) {
  u64 taken = main_pid ? ~0UL : 1UL << (SIGCHLD - 1);
  i32 status = 0;
  long pid, signal;
  row->ns = clock_ns(1) - row->began;
  row->state = ROW_DONE;
  sys(munmap, plan, plan->size);
  sys(close_range, 0, ~0U, 0);
  call_oneself_init();
  sys(prctl, PR_SET_NAME, "init");
  sys(prctl, PR_SET_DUMPABLE, 1);
  sys(rt_sigprocmask, SIG_BLOCK, &taken, 0, sizeof taken);
  for (;;) {
    while ((pid = sys(wait4, -1, &status, WNOHANG | __WALL)) > 0) {
      if (pid != main_pid) continue;
      i32 killed_by = status & 0x7f; // wait(2); what a shell says of it: 128 + the signal
      sys(exit_group, killed_by ? 128 + killed_by : status >> 8 & 0xff);
    }
    signal = sys(rt_sigtimedwait, &taken, 0, 0, sizeof taken);
    if (main_pid && signal > 0 && signal != SIGCHLD) sys(kill, main_pid, signal);
  }
}

static long make(const struct step *step, struct row *row) {
  u32 *gates = PLACE(plan->gates);
  const u64 *args = step->args;
  switch (step->kind) {
  case STEP_CALL:
    return sys6(step->number, args[0], args[1], args[2], args[3], args[4], args[5]);
  case STEP_CLONE:
    return step->number < plan->block_count ? clone_step(step, row) : -EFAULT;
  case STEP_OPEN:
    if (step->number >= plan->gate_count) return -EFAULT;
    __atomic_store_n(&gates[step->number], 1, __ATOMIC_SEQ_CST);
    announce_change();
    return 0;
  case STEP_AWAIT:
    if (step->number >= plan->gate_count) return -EFAULT;
    for (;;) {
      u32 seen = changes();
      if (__atomic_load_n(&gates[step->number], __ATOMIC_SEQ_CST)) return 0;
      sleep_until_change(seen);
    }
  case STEP_WAIT:
    return wait_step((i32)args[0], row);
  case STEP_INIT:
    init_step(row, (long)args[0]);
  case STEP_KEEP:
    if (!is_keeper) return -EINVAL;
    long error = prepare_to_keep();
    if (error) return error;
    row->state = ROW_DONE;
    finish();
    keep(args[0], args[1], args[2], args[3], args[4]);
  default:
    return -ENOSYS;
  }
}

// Single stepping: the step is shown as held and waits for the daemon's permit. Returns what the daemon allows.
static u32 hold(struct row *row) {
  row->state = ROW_HELD;
  tell();
  for (;;) {
    u32 seen = changes();
    u32 permit = __atomic_load_n(&row->permit, __ATOMIC_SEQ_CST);
    if (permit) return permit;
    sleep_until_change(seen);
  }
}

static int is_allowed(const struct step *step, u32 error) {
  if (step->allowed_count == ~0U) return 1;
  const u32 *allowed = PLACE(step->allowed);
  for (u32 i = 0; i < step->allowed_count; i++)
    if (allowed[i] == error) return 1;
  return 0;
}

static void take(u32 index) {
  struct step *step = &steps[index];
  struct row *row = &rows[index];
  stop_if_over();
  if (plan->stepping && hold(row) == PERMIT_SKIP) {
    row->state = ROW_SKIPPED;
    return;
  }
  row->began = clock_ns(1);
  row->state = ROW_RUNNING;
  long result = fill_in(step);
  if (result == 0) result = step->inject ? -(long)step->inject : make(step, row);
  row->ns = clock_ns(1) - row->began;
  row->result = result;
  if (result >= 0 || result < -4095) { // only -4095 … -1 are errors; a mapping may look negative
    save(step->save, result);
    row->state = ROW_DONE;
  } else {
    row->error = (u32)-result;
    row->state = is_allowed(step, row->error) ? ROW_ALLOWED : ROW_FAILED;
    if (row->state == ROW_FAILED) fail(index + 1);
    save(step->save, -1);
  }
  if (plan->stepping) tell();
}

static _Noreturn void run(u32 block) {
  const struct block *blocks = PLACE(plan->blocks);
  for (u32 i = 0; i < blocks[block].count; i++) take(blocks[block].first + i);
  if (is_keeper) {
    finish();
    tell();
  }
  sys(exit_group, 0);
  __builtin_unreachable();
}

// A table of the plan lies within it.
static int within(u32 offset, u32 count, u32 each) {
  return offset % 8 == 0 && offset <= plan->size && count <= (plan->size - offset) / each;
}

static int is_sound(void) {
  if (plan->magic != PLAN_MAGIC || plan->version != PLAN_VERSION) return 0;
  if (!within(plan->blocks, plan->block_count, sizeof(struct block)) || plan->start >= plan->block_count) return 0;
  if (!within(plan->steps, plan->step_count, sizeof(struct step))) return 0;
  if (!within(plan->rows, plan->step_count, sizeof(struct row))) return 0;
  if (!within(plan->fixes, plan->fix_count, sizeof(struct fix))) return 0;
  if (!within(plan->slots, plan->slot_count, sizeof(struct slot))) return 0;
  if (!within(plan->gates, plan->gate_count, sizeof(u32))) return 0;
  const struct block *blocks = PLACE(plan->blocks);
  for (u32 i = 0; i < plan->block_count; i++)
    if (blocks[i].first > plan->step_count || blocks[i].count > plan->step_count - blocks[i].first) return 0;
  const struct step *all = PLACE(plan->steps);
  for (u32 i = 0; i < plan->step_count; i++) {
    if (all[i].save > plan->slot_count) return 0;
    if (all[i].kind == STEP_CLONE && all[i].args[2] > plan->slot_count) return 0;
    if (all[i].allowed_count != ~0U && !within(all[i].allowed, all[i].allowed_count, sizeof(u32))) return 0;
  }
  return 1;
}

static void map_plan(void) {
  u8 head[sizeof(struct plan)];
  if (sys(pread64, FD_PLAN, head, sizeof head, 0) != sizeof head) sys(exit_group, 126);
  u32 size = ((struct plan *)head)->size;
  // What lies behind the end of the file would be a SIGBUS later: it must be as long as it says.
  if (size < sizeof(struct plan) || sys(lseek, FD_PLAN, 0, 2) < size) sys(exit_group, 126);
  long address = sys(mmap, 0, size, PROT_READ | PROT_WRITE, MAP_SHARED, FD_PLAN, 0);
  if (address < 0 && address > -4096) sys(exit_group, 126);
  plan = (struct plan *)address;
  if (!is_sound()) sys(exit_group, 126);
  sys(close, FD_PLAN);
  steps = PLACE(plan->steps);
  rows = PLACE(plan->rows);
  slots = PLACE(plan->slots);
}

// The kernel enters with argc, argv[0] … on the stack and no return address: C has no way to say so.
#if defined(__x86_64__)
__asm__(".globl _start\n_start: mov %rsp, %rdi\n and $-16, %rsp\n call begin\n");
#elif defined(__aarch64__)
__asm__(".globl _start\n_start: mov x0, sp\n bl begin\n");
#endif
_Noreturn void begin(char **stack) {
  own_name = stack[1];
  map_plan();
  // Only what was named comes in, and nothing goes on through an execve by accident.
  sys(close_range, FD_GIVEN + plan->given, ~0U, 0);
  sys(close_range, FD_PLAN, ~0U, CLOSE_RANGE_CLOEXEC);
  // Ignored signals and the mask outlive execve: a container must not inherit the daemon's.
  long by_default[4] = {0, 0, 0, 0};
  u64 none = 0;
  for (int signal = 1; signal <= 64; signal++) sys(rt_sigaction, signal, by_default, 0, sizeof none);
  sys(rt_sigprocmask, SIG_SETMASK, &none, 0, sizeof none);
  sys(setsid);
  sys(chdir, "/");
  sys(prctl, PR_SET_NAME, "drydock-keeper");
  // Nobody without rights in the initial user namespace may trace or read these processes, also once they joined a
  // container's namespaces (ptrace(2), "ptrace access mode checking"). An execve makes the new program traceable again.
  sys(prctl, PR_SET_DUMPABLE, 0);
  sys(prctl, PR_SET_CHILD_SUBREAPER, 1);
  i32 left[2];
  // Lowest numbers first: 3 was the plan's, and FD_LEFT is the only other one below FD_GIVEN that is free.
  sys(close, FD_LEFT);
  if (sys(pipe2, left, O_CLOEXEC) < 0 || left[1] != FD_LEFT) sys(exit_group, 126);
  left_read = left[0];
  daemon = sys(getppid);
  run(plan->start);
}
