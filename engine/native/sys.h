// System calls without a C library: a keeper lives as long as its container, and this keeps each one under 100 KiB.
// Results are the kernel's own: zero or more, or minus an errno.
#pragma once
#include <asm/unistd.h>

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef int i32;
typedef unsigned long u64;
typedef long i64;

static inline long sys6(long number, long a, long b, long c, long d, long e, long f) {
#if defined(__x86_64__)
  long result;
  register long r10 __asm__("r10") = d;
  register long r8 __asm__("r8") = e;
  register long r9 __asm__("r9") = f;
  __asm__ volatile("syscall"
                   : "=a"(result)
                   : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                   : "rcx", "r11", "memory");
  return result;
#elif defined(__aarch64__)
  register long x8 __asm__("x8") = number;
  register long x0 __asm__("x0") = a;
  register long x1 __asm__("x1") = b;
  register long x2 __asm__("x2") = c;
  register long x3 __asm__("x3") = d;
  register long x4 __asm__("x4") = e;
  register long x5 __asm__("x5") = f;
  __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5) : "memory", "cc");
  return x0;
#else
#error "launch knows x86_64 and aarch64"
#endif
}

// sys(close, 3) is close(3); arguments that are left out are 0.
#define SYS_PAD(number, a, b, c, d, e, f, ...) \
  sys6(number, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), (long)(f))
#define sys(name, ...) SYS_PAD(__NR_##name, ##__VA_ARGS__, 0, 0, 0, 0, 0, 0)

#define NANOSECONDS 1000000000L

// clock: 0 is CLOCK_REALTIME, 1 CLOCK_MONOTONIC.
static inline u64 clock_ns(int clock) {
  long time[2] = {0, 0};
  sys(clock_gettime, clock, time);
  return (u64)time[0] * NANOSECONDS + (u64)time[1];
}
