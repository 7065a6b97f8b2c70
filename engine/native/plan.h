// The shape of a launch plan in memory, shared by the daemon (which writes it: src/model/plan-image.ts), the keeper and
// every process of the plan. All offsets are bytes from the start of the plan; all numbers little-endian.
#pragma once
#include "sys.h"

#define PLAN_MAGIC 0x50595244u // "DRYP"
#define PLAN_VERSION 1u

// The descriptors `launch` is given; those named in the plan follow from FD_GIVEN on. FD_LEFT is its own: finish() in
// launch.c. A process of a plan may close all from FD_GIVEN on, once it needs nothing more of the host's.
enum { FD_PLAN = 3, FD_NOTIFY, FD_RECORD, FD_OUTPUT, FD_CONTROL, FD_INPUT, FD_LEFT, FD_GIVEN };

enum step_kind { STEP_CALL = 1, STEP_CLONE, STEP_OPEN, STEP_AWAIT, STEP_WAIT, STEP_KEEP, STEP_INIT };

enum row_state { ROW_NOT_REACHED, ROW_HELD, ROW_RUNNING, ROW_DONE, ROW_ALLOWED, ROW_FAILED, ROW_SKIPPED };

enum permit { PERMIT_NONE, PERMIT_GO, PERMIT_SKIP };

enum fix_kind { FIX_ADDRESS = 1, FIX_SLOT_4, FIX_SLOT_8, FIX_TEXT, FIX_APPEND, FIX_APPEND_SLOT, FIX_WORD, FIX_DECIMAL };

// One step: what to call, with what.
struct step {
  u32 kind;
  u32 number;        // call: its number; clone: the child's block; open, await: the gate
  u32 first_fix;     // places to fill in before the step is made
  u32 fix_count;
  u32 save;          // 1 + slot that takes the result; 0: none
  u32 inject;        // an errno to fail with instead of making the call; 0: none
  u32 allowed;       // errnos that do not end the plan: offset of a list of u32 …
  u32 allowed_count; // … and its length; all ones: any
  u64 args[6];
};

// What came of a step: written by the process that made it, read by the daemon.
struct row {
  i64 result;
  u32 error;
  u32 state;
  u64 began;  // CLOCK_MONOTONIC
  u64 ns;     // how long it took
  u32 permit; // single stepping: what the daemon lets this step do
  u32 status; // a wait step: how the child ended (wait(2))
};

// A place to fill in: `at` takes the address of `what`, the value of slot `what`, the four bytes at `what` as a number, or
// the number that is written there in digits; or a string is put together at `at`.
struct fix {
  u32 kind;
  u32 at;
  u32 what;
  u32 room; // FIX_TEXT: bytes at `at`
};

struct slot {
  i64 value;
  u32 set;
  u32 spare;
};

struct block {
  u32 first;
  u32 count;
};

struct plan {
  u32 magic, version, size, given;
  u32 blocks, block_count, steps, step_count;
  u32 fixes, fix_count, slots, slot_count;
  u32 gates, gate_count, rows, start;
  u32 changes;  // futex: goes up whenever somebody who sleeps should look again
  u32 failed;   // 1 + the step that ended the plan; all ones: the daemon ended it
  u32 ran;      // 1: every process has made its last step
  u32 stepping; // 1: every step waits for its permit
};

// launch.c
extern struct plan *plan;
void tell(void);
void finish(void);

// keep.c
long prepare_to_keep(void);
_Noreturn void keep(long pid, long terminal, long in, long out, long err);
void record_failure(void);
