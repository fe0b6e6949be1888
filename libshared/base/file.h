/* file.h - files: whole reads and writes, atomic replacement, directories of our own.
 *
 * All descriptors are close-on-exec. write and fsync pass through file_write_all and file_sync so
 * that tests can make the N-th one fail.
 */
#pragma once

#include "base/bytes.h"
#include "base/err.h"

#include <sys/types.h>

/* Writes all of it, going on after EINTR and short writes. ERR_IO. */
int file_write_all(int fd, const void *data, size_t len, struct err *err);

/* The same at an offset, without moving the file position. */
int file_write_all_at(int fd, const void *data, size_t len, int64_t offset, struct err *err);

/* Reads until len bytes or end of file; the count goes to *got. ERR_IO. */
int file_read_at(int fd, void *to, size_t len, int64_t offset, size_t *got, struct err *err);

/* fdatasync. After a failure the file's contents are unknown: do not try again on this descriptor.
 * ERR_IO. */
int file_sync(int fd, struct err *err);

/* Reads a whole regular file of at most `bound` bytes, relative to dirfd (AT_FDCWD works), not
 * following a final symlink. The caller closes *to. ERR_NOT_FOUND; ERR_INVALID too large or no
 * regular file; ERR_IO. */
int file_read(int dirfd, const char *path, size_t bound, struct bytes *to, struct err *err);

/* Opens a secret's file for reading: a regular file (no symlink), owned by this uid and closed to
 * others (no bits of 077). The descriptor goes to *fd. ERR_INVALID says what is wrong;
 * ERR_NOT_FOUND; ERR_IO. */
int file_open_private(int dirfd, const char *path, int *fd, struct err *err);

/* Refuses a file or directory that others than its owner may write (bits of 022), and a symlink.
 * ERR_INVALID says what is wrong; ERR_NOT_FOUND; ERR_IO. */
int file_check_unshared(int dirfd, const char *path, struct err *err);

/* Opens for reading what decides about others, such as a rule file: of this kind (S_IFREG or
 * S_IFDIR), no symlink, owned by root or this uid, and not to be written by its group or others
 * (bits of 022). `shown` is what errors call it. The descriptor goes to *fd. ERR_INVALID says what
 * is wrong; ERR_NOT_FOUND; ERR_IO. */
int file_open_trusted(int dirfd, const char *path, const char *shown, mode_t kind, int *fd,
                      struct err *err);

/* Replaces a file atomically and durably: temporary file, write, fsync, rename, fsync of the
 * directory. ERR_IO. */
int file_replace(int dirfd, const char *path, const void *data, size_t len, mode_t mode,
                 struct err *err);

/* The same without the syncs: for state that a reboot may lose. */
int file_replace_volatile(int dirfd, const char *path, const void *data, size_t len, mode_t mode,
                          struct err *err);

/* Makes `path` and its missing parents; the last one gets `mode`. Fine when it exists. ERR_IO. */
int dir_make(const char *path, mode_t mode, struct err *err);

/* Opens a directory that must be a real directory (no symlink), owned by this uid and closed to
 * others (no bits of 077). The descriptor goes to *fd. ERR_INVALID says what is wrong;
 * ERR_NOT_FOUND; ERR_IO. */
int dir_open_private(const char *path, int *fd, struct err *err);

/* fsync of a directory: what was made, renamed or removed in it is durable then. ERR_IO. */
int dir_sync(int fd, struct err *err);

/* Removes everything below `name` in dirfd and the directory itself; never follows symlinks or
 * leaves the file system of `name`. Fine when it is absent. ERR_IO. */
int dir_remove(int dirfd, const char *name, struct err *err);
