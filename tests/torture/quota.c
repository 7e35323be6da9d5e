/* A quota that is used up, for one folder: what no test may set up for real without a file system of its own.
 *
 * Preloaded (tests/torture/quota.py). Below the folder that TORTURE_QUOTA names, nothing can be written where
 * TORTURE_QUOTA_OF is "bytes", and nothing be made where it is "files": both fail with EDQUOT, as the system's do.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

static const char *folder(const char *kind) {
  const char *of = getenv("TORTURE_QUOTA_OF"), *place = getenv("TORTURE_QUOTA");
  return of && place && !strcmp(of, kind) ? place : NULL;
}

static int begins(const char *path, const char *place) { return !strncmp(path, place, strlen(place)); }

/* Whether a new file of this name would lie there. */
static int would_be_new(int at, const char *path, const char *place) {
  char whole[PATH_MAX], link[64];
  struct stat facts;
  if (*path == '/') {
    if (!begins(path, place)) return 0;
  } else {
    ssize_t length;
    if (at == AT_FDCWD) strcpy(link, "/proc/self/cwd");
    else snprintf(link, sizeof link, "/proc/self/fd/%d", at);
    length = readlink(link, whole, sizeof whole - 1);
    if (length < 0) return 0;
    whole[length] = 0;
    if (!begins(whole, place)) return 0;
  }
  return fstatat(at, path, &facts, AT_SYMLINK_NOFOLLOW) != 0 && errno == ENOENT;
}

static int is_there(int file) {
  const char *place = folder("bytes");
  char link[64], whole[PATH_MAX];
  ssize_t length;
  struct stat facts;
  if (!place || fstat(file, &facts) || !S_ISREG(facts.st_mode)) return 0;
  snprintf(link, sizeof link, "/proc/self/fd/%d", file);
  length = readlink(link, whole, sizeof whole - 1);
  if (length < 0) return 0;
  whole[length] = 0;
  return begins(whole, place);
}

#define REFUSED(found) do { if (found) { errno = EDQUOT; return -1; } } while (0)
#define NEXT(name, ...) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))(__VA_ARGS__)

static int refuses_new(int at, const char *path) {
  const char *place = folder("files");
  return place && would_be_new(at, path, place);
}

/* An opening function; of those that take a folder in front, `parameter` and `argument` are it. */
#define OPENS(name, at, parameter, argument)                   \
  int name(parameter const char *path, int flags, ...) {       \
    mode_t mode = 0;                                           \
    if (flags & (O_CREAT | O_TMPFILE)) {                       \
      va_list more;                                            \
      va_start(more, flags);                                   \
      mode = va_arg(more, mode_t);                             \
      va_end(more);                                            \
    }                                                          \
    if (flags & O_CREAT) REFUSED(refuses_new(at, path));       \
    return NEXT(name, argument path, flags, mode);             \
  }
#define INT_AT int at,
#define AT at,
OPENS(open, AT_FDCWD, , )
OPENS(open64, AT_FDCWD, , )
OPENS(openat, at, INT_AT, AT)
OPENS(openat64, at, INT_AT, AT)

FILE *fopen(const char *path, const char *how) {
  if (*how != 'r' && refuses_new(AT_FDCWD, path)) { errno = EDQUOT; return NULL; }
  return NEXT(fopen, path, how);
}
FILE *fopen64(const char *path, const char *how) {
  if (*how != 'r' && refuses_new(AT_FDCWD, path)) { errno = EDQUOT; return NULL; }
  return NEXT(fopen64, path, how);
}
int mkdir(const char *path, mode_t mode) {
  REFUSED(refuses_new(AT_FDCWD, path));
  return NEXT(mkdir, path, mode);
}
int mkdirat(int at, const char *path, mode_t mode) {
  REFUSED(refuses_new(at, path));
  return NEXT(mkdirat, at, path, mode);
}
int symlink(const char *to, const char *path) {
  REFUSED(refuses_new(AT_FDCWD, path));
  return NEXT(symlink, to, path);
}
ssize_t write(int file, const void *data, size_t size) {
  REFUSED(size && is_there(file));
  return NEXT(write, file, data, size);
}
ssize_t pwrite(int file, const void *data, size_t size, off_t place) {
  REFUSED(size && is_there(file));
  return NEXT(pwrite, file, data, size, place);
}
ssize_t pwrite64(int file, const void *data, size_t size, off64_t place) {
  REFUSED(size && is_there(file));
  return NEXT(pwrite64, file, data, size, place);
}
ssize_t writev(int file, const struct iovec *data, int count) {
  REFUSED(is_there(file));
  return NEXT(writev, file, data, count);
}
int fallocate(int file, int mode, off_t start, off_t length) {
  REFUSED(is_there(file));
  return NEXT(fallocate, file, mode, start, length);
}
int posix_fallocate(int file, off_t start, off_t length) {
  return is_there(file) ? EDQUOT : NEXT(posix_fallocate, file, start, length);
}
int posix_fallocate64(int file, off64_t start, off64_t length) {
  return is_there(file) ? EDQUOT : NEXT(posix_fallocate64, file, start, length);
}
ssize_t sendfile(int out, int in, off_t *start, size_t size) {
  REFUSED(is_there(out));
  return NEXT(sendfile, out, in, start, size);
}
ssize_t sendfile64(int out, int in, off64_t *start, size_t size) {
  REFUSED(is_there(out));
  return NEXT(sendfile64, out, in, start, size);
}
ssize_t copy_file_range(int in, off64_t *from, int out, off64_t *to, size_t size, unsigned int flags) {
  REFUSED(is_there(out));
  return NEXT(copy_file_range, in, from, out, to, size, flags);
}
