/* file.c - files and directories; see file.h. */
#include "base/file.h"

#include "base/fault.h"
#include "base/rand.h"
#include "base/scope.h"
#include "base/text.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* write(2) or pwrite(2) (offset >= 0) with a place to fail. */
static ssize_t write_once(int fd, const void *data, size_t len, int64_t offset)
{
    if (fault_hit(FAULT_WRITE))
        return -1;
    return offset < 0 ? write(fd, data, len) : pwrite(fd, data, len, offset);
}

static int write_loop(int fd, const uint8_t *data, size_t len, int64_t offset, struct err *err)
{
    while (len) {
        ssize_t n = write_once(fd, data, len, offset);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_sys(err, "writing %zu bytes", len);
        data += n;
        len -= (size_t)n;
        offset += offset < 0 ? 0 : n;
    }
    return 0;
}

int file_write_all(int fd, const void *data, size_t len, struct err *err)
{
    return write_loop(fd, data, len, -1, err);
}

int file_write_all_at(int fd, const void *data, size_t len, int64_t offset, struct err *err)
{
    return write_loop(fd, data, len, offset, err);
}

int file_read_at(int fd, void *to, size_t len, int64_t offset, size_t *got, struct err *err)
{
    size_t done = 0;
    while (done < len) {
        ssize_t n = pread(fd, (uint8_t *)to + done, len - done, offset + (int64_t)done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_sys(err, "reading at %lld", (long long)offset);
        if (!n)
            break;
        done += (size_t)n;
    }
    *got = done;
    return 0;
}

int file_sync(int fd, struct err *err)
{
    if (fault_hit(FAULT_FSYNC) || fdatasync(fd))
        return err_sys(err, "fdatasync");
    return 0;
}

/* Reads to the end of file; files of /proc and /sys say size 0 and still have content. */
static int read_to_end(int fd, const char *path, size_t bound, struct bytes *all, struct err *err)
{
    enum { STEP = 4096 };
    for (;;) {
        size_t room = bound - all->len < STEP ? bound - all->len + 1 : STEP;
        uint8_t *to = bytes_reserve(all, room, err);
        if (!to)
            return -1;
        ssize_t n = read(fd, to, room);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_sys(err, "reading %s", path);
        if (!n)
            return 0;
        bytes_grew(all, (size_t)n);
        if (all->len > bound)
            return err_set(err, ERR_INVALID, "%s has more than %zu bytes", path, bound);
    }
}

static int open_regular(int dirfd, const char *path, int *to, struct err *err)
{
    SCOPED(fd_close) int fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0 && errno == ENOENT)
        return err_set(err, ERR_NOT_FOUND, "%s does not exist", path);
    if (fd < 0 && errno == ELOOP)
        return err_set(err, ERR_INVALID, "%s is a symlink", path);
    if (fd < 0)
        return err_sys(err, "opening %s", path);
    struct stat st;
    if (fstat(fd, &st))
        return err_sys(err, "stat %s", path);
    if (!S_ISREG(st.st_mode))
        return err_set(err, ERR_INVALID, "%s is not a regular file", path);
    *to = fd_take(&fd);
    return 0;
}

int file_read(int dirfd, const char *path, size_t bound, struct bytes *to, struct err *err)
{
    SCOPED(fd_close) int fd = -1;
    if (open_regular(dirfd, path, &fd, err))
        return -1;

    SCOPED(bytes_close) struct bytes all = bytes_open(bound + 1);
    if (read_to_end(fd, path, bound, &all, err))
        return -1;
    *to = all;
    all = (struct bytes){0};
    return 0;
}

int dir_sync(int fd, struct err *err)
{
    if (fault_hit(FAULT_FSYNC) || fsync(fd))
        return err_sys(err, "fsync of the directory");
    return 0;
}

static int sync_parent(int dirfd, const char *path, struct err *err)
{
    char parent[4096];
    const char *slash = strrchr(path, '/');
    snprintf(parent, sizeof parent, "%.*s", slash ? (int)(slash - path) : 1, slash ? path : ".");
    SCOPED(fd_close)
    int fd = openat(dirfd, parent[0] ? parent : "/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return err_sys(err, "opening the directory of %s", path);
    return dir_sync(fd, err) ? err_add(err, "%s", path) : 0;
}

static int replace(int dirfd, const char *path, struct view data, mode_t mode, bool durable,
                   struct err *err)
{
    char temporary[4096], id[27];
    rand_id(id);
    if ((size_t)snprintf(temporary, sizeof temporary, "%s.%.12s.tmp", path, id) >= sizeof temporary)
        return err_set(err, ERR_INVALID, "the path %.40s… is too long", path);
    SCOPED(fd_close)
    int fd = openat(dirfd, temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
    if (fd < 0)
        return err_sys(err, "making %s", temporary);
    if (fchmod(fd, mode)) {
        err_sys(err, "chmod %s", temporary);
        goto undo;
    }
    if (file_write_all(fd, data.data, data.len, err) || (durable && file_sync(fd, err))) {
        err_add(err, "%s", path);
        goto undo;
    }
    if (renameat(dirfd, temporary, dirfd, path)) {
        err_sys(err, "renaming %s to %s", temporary, path);
        goto undo;
    }
    return durable ? sync_parent(dirfd, path, err) : 0;
undo:
    unlinkat(dirfd, temporary, 0);
    return -1;
}

int file_replace(int dirfd, const char *path, const void *data, size_t len, mode_t mode,
                 struct err *err)
{
    return replace(dirfd, path, (struct view){data, len}, mode, true, err);
}

int file_replace_volatile(int dirfd, const char *path, const void *data, size_t len, mode_t mode,
                          struct err *err)
{
    return replace(dirfd, path, (struct view){data, len}, mode, false, err);
}

int dir_make(const char *path, mode_t mode, struct err *err)
{
    char part[4096];
    if (!text_copy(part, sizeof part, path))
        return err_set(err, ERR_INVALID, "the path %.40s… is too long", path);
    for (char *slash = strchr(part + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = 0;
        if (mkdir(part, 0755) && errno != EEXIST)
            return err_sys(err, "mkdir %s", part);
        *slash = '/';
    }
    if (mkdir(part, mode) && errno != EEXIST)
        return err_sys(err, "mkdir %s", part);
    return 0;
}

/* Refuses what belongs to another uid or is open to others. */
static int check_private(int fd, const char *path, const char *mode, struct err *err)
{
    struct stat st;
    if (fstat(fd, &st))
        return err_sys(err, "stat %s", path);
    if (st.st_uid != geteuid())
        return err_set(err, ERR_INVALID, "%s belongs to uid %u, not to uid %u", path,
                       (unsigned)st.st_uid, (unsigned)geteuid());
    if (st.st_mode & 077)
        return err_set(err, ERR_INVALID, "%s is open to others (mode %o); chmod %s it", path,
                       (unsigned)st.st_mode & 0777, mode);
    return 0;
}

int file_open_private(int dirfd, const char *path, int *to, struct err *err)
{
    SCOPED(fd_close) int fd = -1;
    if (open_regular(dirfd, path, &fd, err) || check_private(fd, path, "600", err))
        return -1;
    *to = fd_take(&fd);
    return 0;
}

static int check_trusted(int fd, const char *shown, mode_t kind, struct err *err)
{
    struct stat st;
    if (fstat(fd, &st))
        return err_sys(err, "stat %s", shown);
    if ((st.st_mode & S_IFMT) != kind)
        return err_set(err, ERR_INVALID, "%s: not a %s", shown,
                       kind == S_IFDIR ? "directory" : "regular file");
    if (st.st_uid && st.st_uid != geteuid())
        return err_set(err, ERR_INVALID, "%s: belongs to uid %u, neither root nor this program's",
                       shown, (unsigned)st.st_uid);
    if (st.st_mode & 022)
        return err_set(err, ERR_INVALID, "%s: its group or others may write it (mode %03o)", shown,
                       (unsigned)st.st_mode & 0777);
    return 0;
}

int file_open_trusted(int dirfd, const char *path, const char *shown, mode_t kind, int *fd,
                      struct err *err)
{
    int flags = O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;
    SCOPED(fd_close) int opened = openat(dirfd, path, flags | (kind == S_IFDIR ? O_DIRECTORY : 0));
    if (opened < 0 && errno == ENOENT)
        return err_set(err, ERR_NOT_FOUND, "%s: does not exist", shown);
    if (opened < 0 && errno == ELOOP)
        return err_set(err, ERR_INVALID, "%s: a symlink", shown);
    if (opened < 0 && errno == ENOTDIR)
        return err_set(err, ERR_INVALID, "%s: a symlink, or no directory", shown);
    if (opened < 0)
        return err_sys(err, "opening %s", shown);
    if (check_trusted(opened, shown, kind, err))
        return -1;
    *fd = fd_take(&opened);
    return 0;
}

int file_check_unshared(int dirfd, const char *path, struct err *err)
{
    struct stat st;
    if (fstatat(dirfd, path, &st, AT_SYMLINK_NOFOLLOW))
        return errno == ENOENT ? err_set(err, ERR_NOT_FOUND, "%s does not exist", path)
                               : err_sys(err, "stat %s", path);
    if (S_ISLNK(st.st_mode))
        return err_set(err, ERR_INVALID, "%s is a symlink", path);
    if (st.st_mode & 022)
        return err_set(err, ERR_INVALID, "others may write it (mode %o); chmod go-w %s",
                       (unsigned)st.st_mode & 07777, path);
    return 0;
}

int dir_open_private(const char *path, int *fd, struct err *err)
{
    SCOPED(fd_close) int dir = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (dir < 0 && errno == ENOENT)
        return err_set(err, ERR_NOT_FOUND, "%s does not exist", path);
    if (dir < 0 && (errno == ELOOP || errno == ENOTDIR))
        return err_set(err, ERR_INVALID, "%s is a symlink or no directory", path);
    if (dir < 0)
        return err_sys(err, "opening %s", path);
    if (check_private(dir, path, "700", err))
        return -1;
    *fd = fd_take(&dir);
    return 0;
}

static int remove_below(int dirfd, const char *name, dev_t device, int depth, struct err *err);

/* Removes what a directory stream lists. */
static int remove_entries(DIR *dir, dev_t device, int depth, struct err *err)
{
    for (struct dirent *e = readdir(dir); e; e = readdir(dir)) {
        if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
            continue;
        if (remove_below(dirfd(dir), e->d_name, device, depth, err))
            return -1;
    }
    return 0;
}

static int remove_below(int dirfd, const char *name, dev_t device, int depth, struct err *err)
{
    if (!unlinkat(dirfd, name, 0) || errno == ENOENT)
        return 0;
    if (errno != EISDIR && errno != EPERM)
        return err_sys(err, "removing %s", name);
    if (depth > 512)
        return err_set(err, ERR_IO, "%s is nested too deeply to remove", name);
    SCOPED(fd_close) int fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    struct stat st;
    if (fd < 0 || fstat(fd, &st))
        return err_sys(err, "opening %s", name);
    if (device && st.st_dev != device)
        return err_set(err, ERR_IO, "%s is on another file system: still mounted?", name);
    DIR *dir = fdopendir(fd);
    if (!dir)
        return err_sys(err, "listing %s", name);
    fd_take(&fd);
    int failed = remove_entries(dir, st.st_dev, depth + 1, err);
    closedir(dir);
    if (failed)
        return err_add(err, "%s", name);
    if (unlinkat(dirfd, name, AT_REMOVEDIR) && errno != ENOENT)
        return err_sys(err, "rmdir %s", name);
    return 0;
}

int dir_remove(int dirfd, const char *name, struct err *err)
{
    return remove_below(dirfd, name, 0, 0, err);
}
