/* Preloaded into afford by the fault tests: the AFFORD_FAIL_AT-th call of AFFORD_FAIL_CALL fails
 * with the error number AFFORD_FAIL_WITH. A write that fails with ENOSPC may first write a part, as
 * a disk that runs full does. AFFORD_FAIL_SEEN names a file that is made when the call was
 * reached, AFFORD_COUNT_CALLS one that says at the end how often each was made. With AFFORD_RAISE the
 * call does not fail: that signal comes just before it. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

static long count;

/* What AFFORD_COUNT_CALLS wants to know. */
static struct {
  const char* call;
  long made;
} counts[16];

#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static void note(const char* call) {
  for (size_t i = 0; i < sizeof counts / sizeof *counts; ++i) {
    if (counts[i].call == NULL) counts[i].call = call;
    if (strcmp(counts[i].call, call) != 0) continue;
    __sync_add_and_fetch(&counts[i].made, 1);
    return;
  }
}

__attribute__((destructor)) static void write_counts(void) {
  const char* file = getenv("AFFORD_COUNT_CALLS");
  FILE* stream = file == NULL ? NULL : fopen(file, "w");
  if (stream == NULL) return;
  for (size_t i = 0; i < sizeof counts / sizeof *counts && counts[i].call != NULL; ++i)
    fprintf(stream, "%s %ld\n", counts[i].call, counts[i].made);
  fclose(stream);
}

/* Whether this call is the one to fail. */
static int fails(const char* call) {
  if (getenv("AFFORD_COUNT_CALLS") != NULL) note(call);
  const char* wanted = getenv("AFFORD_FAIL_CALL");
  if (wanted == NULL || strcmp(wanted, call) != 0) return 0;
  if (__sync_add_and_fetch(&count, 1) != atol(getenv("AFFORD_FAIL_AT"))) return 0;
  const char* seen = getenv("AFFORD_FAIL_SEEN");
  if (seen != NULL) {
    const int fd = NEXT(open)(seen, O_CREAT | O_WRONLY, 0600);
    if (fd >= 0) NEXT(close)(fd);
  }
  const char* signal = getenv("AFFORD_RAISE");
  if (signal != NULL) {
    kill(getpid(), atoi(signal));
    return 0;
  }
  errno = atoi(getenv("AFFORD_FAIL_WITH"));
  return 1;
}

static mode_t mode_of(int flags, va_list arguments) {
  return (flags & O_CREAT) != 0 || (flags & O_TMPFILE) == O_TMPFILE ? va_arg(arguments, mode_t) : 0;
}

#define OPEN(name)                                    \
  int name(const char* path, int flags, ...) {        \
    va_list arguments;                                \
    va_start(arguments, flags);                       \
    const mode_t mode = mode_of(flags, arguments);    \
    va_end(arguments);                                \
    if (fails("open")) return -1;                     \
    return NEXT(name)(path, flags, mode);             \
  }
OPEN(open)
OPEN(open64)

#define OPENAT(name)                                            \
  int name(int folder, const char* path, int flags, ...) {      \
    va_list arguments;                                          \
    va_start(arguments, flags);                                 \
    const mode_t mode = mode_of(flags, arguments);              \
    va_end(arguments);                                          \
    const int unnamed = (flags & O_TMPFILE) == O_TMPFILE;       \
    const char* refused = getenv("AFFORD_NO_UNNAMED_FILES");    \
    if (unnamed && refused != NULL) {                           \
      errno = EOPNOTSUPP;                                       \
      return -1;                                                \
    }                                                           \
    if (fails("openat")) return -1;                             \
    return NEXT(name)(folder, path, flags, mode);               \
  }
OPENAT(openat)
OPENAT(openat64)

ssize_t write(int fd, const void* data, size_t size) {
  if (!fails("write")) return NEXT(write)(fd, data, size);
  const int error = errno;
  if (error == ENOSPC && size > 1) (void)!NEXT(write)(fd, data, size / 2);
  errno = error;
  return -1;
}

ssize_t read(int fd, void* data, size_t size) {
  return fails("read") ? -1 : NEXT(read)(fd, data, size);
}
int close(int fd) {
  if (!fails("close")) return NEXT(close)(fd);
  const int error = errno;
  NEXT(close)(fd);
  errno = error;
  return -1;
}
int fsync(int fd) { return fails("fsync") ? -1 : NEXT(fsync)(fd); }
int fchmod(int fd, mode_t mode) { return fails("fchmod") ? -1 : NEXT(fchmod)(fd, mode); }
int linkat(int a, const char* from, int b, const char* to, int flags) {
  return fails("linkat") ? -1 : NEXT(linkat)(a, from, b, to, flags);
}
int renameat(int a, const char* from, int b, const char* to) {
  return fails("renameat") ? -1 : NEXT(renameat)(a, from, b, to);
}
int memfd_create(const char* name, unsigned flags) {
  return fails("memfd_create") ? -1 : NEXT(memfd_create)(name, flags);
}
int posix_spawnp(pid_t* child, const char* file, const posix_spawn_file_actions_t* actions,
                 const posix_spawnattr_t* attributes, char* const* arguments,
                 char* const* environment) {
  if (fails("posix_spawnp")) return errno;
  return NEXT(posix_spawnp)(child, file, actions, attributes, arguments, environment);
}
pid_t waitpid(pid_t child, int* status, int options) {
  return fails("waitpid") ? -1 : NEXT(waitpid)(child, status, options);
}
ssize_t getrandom(void* buffer, size_t size, unsigned flags) {
  return fails("getrandom") ? -1 : NEXT(getrandom)(buffer, size, flags);
}
int fcntl(int fd, int command, ...) {
  va_list arguments;
  va_start(arguments, command);
  void* argument = va_arg(arguments, void*);
  va_end(arguments);
  return fails("fcntl") ? -1 : NEXT(fcntl)(fd, command, argument);
}
int fcntl64(int fd, int command, ...) {
  va_list arguments;
  va_start(arguments, command);
  void* argument = va_arg(arguments, void*);
  va_end(arguments);
  return fails("fcntl") ? -1 : NEXT(fcntl64)(fd, command, argument);
}
