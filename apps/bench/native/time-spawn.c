// time-spawn [--without-mount PATH] PROGRAM ARG…: runs the program once and prints the nanoseconds from before its creation to its
// reaped end. Starting it from Node would measure Node. Its output is thrown away; an exit code other than 0 is an error.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

static void fail(const char *what) {
  fprintf(stderr, "time-spawn: %s: %s\n", what, strerror(errno));
  exit(125);
}

int main(int argc, char **argv) {
  int first = 1;
  if (argc > 3 && strcmp(argv[1], "--without-mount") == 0) {
    // In a mount namespace of its own, where that mount is not.
    if (unshare(CLONE_NEWNS) != 0) fail("unshare");
    if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0) fail("make / private");
    if (umount2(argv[2], MNT_DETACH) != 0) fail(argv[2]);
    first = 3;
  }
  if (first >= argc) {
    fprintf(stderr, "time-spawn: no program\n");
    return 125;
  }
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
  struct timespec before, after;
  clock_gettime(CLOCK_MONOTONIC, &before);
  pid_t pid;
  int error = posix_spawnp(&pid, argv[first], &actions, NULL, argv + first, environ);
  if (error != 0) {
    errno = error;
    fail(argv[first]);
  }
  int status;
  if (waitpid(pid, &status, 0) != pid) fail("waitpid");
  clock_gettime(CLOCK_MONOTONIC, &after);
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
    fprintf(stderr, "time-spawn: %s ended with status %d\n", argv[first], status);
    return 1;
  }
  printf("%lld\n", (after.tv_sec - before.tv_sec) * 1000000000LL + after.tv_nsec - before.tv_nsec);
  return 0;
}
