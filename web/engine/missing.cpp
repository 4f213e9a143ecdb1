// What Linux gives and a page does not: random bytes come from the browser, and there are no
// programs to start (gnuplot) nor files without a name to hand them.

#include <spawn.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>

// Its header wants what it does not include.
#include <sys/random.h>

extern "C" {

ssize_t getrandom(void* into, size_t bytes, unsigned /*flags*/) {
  return getentropy(into, bytes) == 0 ? static_cast<ssize_t>(bytes) : -1;
}

int memfd_create(const char* /*name*/, unsigned /*flags*/) {
  errno = ENOSYS;
  return -1;
}

int posix_spawnp(pid_t* /*pid*/, const char* /*file*/,
                 const posix_spawn_file_actions_t* /*actions*/,
                 const posix_spawnattr_t* /*attributes*/, char* const* /*words*/,
                 char* const* /*environment*/) {
  return ENOSYS;
}
}
