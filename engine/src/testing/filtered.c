// Test program: takes a seccomp filter (a file of struct sock_filter), then either makes the system calls that it reads from
// standard input, a line each ("nr a b c d e f", or "i386 nr a b c"), printing result and errno of each; or executes a command.
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static long i386(long number, long a, long b, long c) {
#ifdef __x86_64__
  long result;
  // The ABI of 32-bit programs, which a 64-bit one can call as well: arguments in ebx, ecx, edx; errors as negative results.
  __asm__ volatile("int $0x80" : "=a"(result) : "a"(number), "b"(a), "c"(b), "d"(c) : "memory", "r8", "r9", "r10", "r11");
  return result;
#else
  (void)number, (void)a, (void)b, (void)c;
  return -ENOSYS;
#endif
}

int main(int argc, char **argv) {
  static struct sock_filter filter[4096];
  if (argc < 2) return 2;
  FILE *file = fopen(argv[1], "r");
  if (!file) return perror(argv[1]), 2;
  struct sock_fprog program = {.len = fread(filter, sizeof *filter, 4096, file), .filter = filter};
  fclose(file);
  if (program.len > 0 && syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program)) return perror("seccomp"), 2;
  if (argc > 2) return execvp(argv[2], argv + 2), perror(argv[2]), 127;

  char line[256];
  while (fgets(line, sizeof line, stdin)) {
    unsigned long n[7] = {0};
    int foreign = !strncmp(line, "i386 ", 5);
    char *at = foreign ? line + 5 : line;
    for (int index = 0; index < 7; index += 1) n[index] = strtoul(at, &at, 0);
    errno = 0;
    long result = foreign ? i386(n[0], n[1], n[2], n[3]) : syscall(n[0], n[1], n[2], n[3], n[4], n[5], n[6]);
    printf("%ld %d\n", result, foreign && result < 0 ? (int)-result : errno);
  }
  return 0;
}
