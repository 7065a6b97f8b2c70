// floor ROOTFS SCRATCH COUNT PAUSE_MS: the least a container costs. Makes the same container as an engine does with --network none
// (seven namespaces, overlay, an OCI runtime's mounts and masks, three control groups, no capability too many), by bare system
// calls in a loop without a daemon, without a log, without JSON; prints the nanoseconds of each, from before it is made until it
// is gone, one a line.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void fail(const char *what) {
  dprintf(2, "floor: %s: %s\n", what, strerror(errno));
  _exit(125);
}
#define MUST(call) ((call) < 0 ? fail(#call) : (void)0)

static char upper[512], work[512], merged[512], layers[2048];
/** Control groups: on v1 one directory per controller, on v2 one for all. */
static char groups[3][256];
static int group_count, is_v2;

static void write_file(const char *path, const char *text) {
  int fd = open(path, O_WRONLY | O_CLOEXEC);
  if (fd < 0) fail(path);
  if (write(fd, text, strlen(text)) < 0) fail(path);
  close(fd);
}

static void find_groups(void) {
  static const char *const v1[] = {"memory", "cpu", "pids"};
  is_v2 = access("/sys/fs/cgroup/cgroup.controllers", F_OK) == 0;
  group_count = is_v2 ? 1 : 3;
  for (int i = 0; i < group_count; i++)
    snprintf(groups[i], sizeof groups[i], "/sys/fs/cgroup%s%s/drydock-floor-%d", is_v2 ? "" : "/", is_v2 ? "" : v1[i], getpid());
}

static void join_groups(void) {
  for (int i = 0; i < group_count; i++) {
    char path[1024];
    // A task that moves itself, through v1's `tasks`, waits for no RCU grace period; one moved by another does.
    snprintf(path, sizeof path, "%s/%s", groups[i], is_v2 ? "cgroup.procs" : "tasks");
    write_file(path, "0");
  }
}

static void device(const char *path, unsigned major_, unsigned minor_) {
  MUST(mknod(path, S_IFCHR | 0666, makedev(major_, minor_)));
}

static void container(void) {
  static const char *const masked[] = {"proc/kcore", "proc/keys", "proc/latency_stats", "proc/timer_list", "proc/sched_debug"};
  static const char *const hidden[] = {"proc/acpi", "proc/scsi", "sys/firmware"};
  static const char *const readonly[] = {"proc/bus", "proc/fs", "proc/irq", "proc/sys", "proc/sysrq-trigger"};
  join_groups();
  MUST(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
  MUST(mount("overlay", merged, "overlay", 0, layers));
  MUST(chdir(merged));
  MUST(mount("proc", "proc", "proc", MS_NOSUID | MS_NOEXEC | MS_NODEV, NULL));
  MUST(mount("tmpfs", "dev", "tmpfs", MS_NOSUID | MS_STRICTATIME, "mode=755,size=65536k"));
  MUST(mkdir("dev/pts", 0755));
  MUST(mkdir("dev/shm", 0755));
  MUST(mkdir("dev/mqueue", 0755));
  MUST(mount("devpts", "dev/pts", "devpts", MS_NOSUID | MS_NOEXEC, "newinstance,ptmxmode=0666,mode=0620"));
  MUST(mount("shm", "dev/shm", "tmpfs", MS_NOSUID | MS_NOEXEC | MS_NODEV, "mode=1777,size=65536k"));
  MUST(mount("mqueue", "dev/mqueue", "mqueue", MS_NOSUID | MS_NOEXEC | MS_NODEV, NULL));
  MUST(mount("sysfs", "sys", "sysfs", MS_NOSUID | MS_NOEXEC | MS_NODEV | MS_RDONLY, NULL));
  device("dev/null", 1, 3);
  device("dev/zero", 1, 5);
  device("dev/full", 1, 7);
  device("dev/random", 1, 8);
  device("dev/urandom", 1, 9);
  device("dev/tty", 5, 0);
  MUST(symlink("pts/ptmx", "dev/ptmx"));
  MUST(symlink("/proc/self/fd", "dev/fd"));
  for (unsigned i = 0; i < sizeof masked / sizeof *masked; i++)
    if (mount("dev/null", masked[i], NULL, MS_BIND, NULL) < 0 && errno != ENOENT) fail(masked[i]);
  for (unsigned i = 0; i < sizeof hidden / sizeof *hidden; i++)
    if (mount("tmpfs", hidden[i], "tmpfs", MS_RDONLY, NULL) < 0 && errno != ENOENT) fail(hidden[i]);
  for (unsigned i = 0; i < sizeof readonly / sizeof *readonly; i++) {
    if (mount(readonly[i], readonly[i], NULL, MS_BIND | MS_REC, NULL) < 0) {
      if (errno == ENOENT) continue;
      fail(readonly[i]);
    }
    MUST(mount(NULL, readonly[i], NULL, MS_BIND | MS_REMOUNT | MS_RDONLY | MS_NOSUID | MS_NOEXEC | MS_NODEV, NULL));
  }
  MUST(sethostname("floor", 5));
  MUST(syscall(SYS_pivot_root, ".", "."));
  MUST(umount2(".", MNT_DETACH));
  MUST(chdir("/"));
  for (int cap = 0; prctl(PR_CAPBSET_READ, cap) >= 0; cap++)
    if (cap > 12) MUST(prctl(PR_CAPBSET_DROP, cap));
  MUST(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
  MUST(close_range(3, ~0U, CLOSE_RANGE_CLOEXEC));
  char *argv[] = {"true", NULL}, *env[] = {"PATH=/bin", NULL};
  execve("/bin/true", argv, env);
  fail("/bin/true");
}

static int64_t now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1000000000LL + time.tv_nsec;
}

static void once(void) {
  for (int i = 0; i < group_count; i++) MUST(mkdir(groups[i], 0755));
  MUST(mkdir(upper, 0755));
  MUST(mkdir(work, 0755));
  struct clone_args args = {
      .flags = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWNET | CLONE_NEWCGROUP | CLONE_VFORK,
      .exit_signal = SIGCHLD,
  };
  long pid = syscall(SYS_clone3, &args, sizeof args);
  if (pid < 0) fail("clone3");
  if (pid == 0) container();
  int status;
  MUST(waitpid((pid_t)pid, &status, 0));
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
    dprintf(2, "floor: the container ended with status %d\n", status);
    exit(1);
  }
  for (int i = 0; i < group_count; i++) MUST(rmdir(groups[i]));
  char inner[600];
  snprintf(inner, sizeof inner, "%s/work", work);
  if (rmdir(inner) < 0 && errno != ENOENT) fail(inner);
  MUST(rmdir(work));
  MUST(rmdir(upper)); // `true` writes nothing
}

int main(int argc, char **argv) {
  if (argc != 5) {
    dprintf(2, "floor ROOTFS SCRATCH COUNT PAUSE_MS\n");
    return 2;
  }
  snprintf(upper, sizeof upper, "%s/upper", argv[2]);
  snprintf(work, sizeof work, "%s/work", argv[2]);
  snprintf(merged, sizeof merged, "%s/merged", argv[2]);
  snprintf(layers, sizeof layers, "lowerdir=%s,upperdir=%s,workdir=%s", argv[1], upper, work);
  if (mkdir(merged, 0755) < 0 && errno != EEXIST) fail(merged);
  find_groups();
  for (int i = atoi(argv[3]); i > 0; i--) {
    usleep((useconds_t)atoi(argv[4]) * 1000);
    int64_t started = now();
    once();
    printf("%lld\n", (long long)(now() - started));
  }
  return 0;
}
