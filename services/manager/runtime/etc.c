#include "manager/runtime/etc.h"

#include "base/bytes.h"
#include "base/file.h"
#include "base/scope.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static const struct {
    const char *name, *text;
} generated[] = {
    {"passwd", "root:x:0:0:root:/root:/usr/sbin/nologin\n"
               "agent:x:1000:1000:agent:/workspace:/bin/bash\n"
               "nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n"},
    {"group", "root:x:0:\nagent:x:1000:\nnogroup:x:65534:\n"},
    {"hosts", "127.0.0.1 localhost\n::1 localhost ip6-localhost\n"},
    {"nsswitch.conf", "passwd: files\ngroup: files\nshadow: files\nhosts: files dns\n"
                      "networks: files\nprotocols: files\nservices: files\n"},
    {"resolv.conf", ""},
    {"shells", "/bin/sh\n/bin/bash\n"},
};

static const struct {
    const char *name, *target;
} links[] = {
    {"hostname", "/proc/sys/kernel/hostname"},
    {"mtab", "/proc/self/mounts"},
    {"os-release", "../usr/lib/os-release"},
};

/* Files are taken by what they are, not by link: localtime is a link into /usr on most hosts. */
static const char *const copied[] = {"ld.so.cache", "localtime",       "timezone",
                                     "services",    "ssl/openssl.cnf", "protocols"};

/* Directories of world-readable files and links; only one level, as they are. */
static const char *const listed[] = {"alternatives", "ssl/certs"};

enum { COPY_MAX_BYTES = 4 * 1024 * 1024 };

static int write_file(int dir, const char *name, const void *data, size_t len, struct err *err)
{
    SCOPED(fd_close) int fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    if (fd < 0 || fchmod(fd, 0644))
        return err_sys(err, "making %s", name);
    return file_write_all(fd, data, len, err);
}

/* Copies a file that everybody may read. What is missing, private or of another kind is left out:
 * a sandbox without it still runs. */
static int copy_file(int from, const char *name, int to, const char *as, struct err *err)
{
    struct err reason;
    struct stat st;
    char path[PATH_MAX], target[PATH_MAX];
    SCOPED(bytes_close) struct bytes data = {0};
    SCOPED(fd_close) int fd = openat(from, name, O_PATH | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) || !S_ISREG(st.st_mode) || !(st.st_mode & S_IROTH))
        return 0;
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(path, target, sizeof target - 1);
    if (n <= 0)
        return 0;
    target[n] = 0; /* where the links end; file_read follows none */
    if (file_read(AT_FDCWD, target, COPY_MAX_BYTES, &data, &reason))
        return 0;
    return write_file(to, as, data.data, data.len, err);
}

static int copy_link(int from, const char *name, int to, struct err *err)
{
    char target[PATH_MAX];
    ssize_t n = readlinkat(from, name, target, sizeof target - 1);
    if (n <= 0)
        return 0;
    target[n] = 0;
    return symlinkat(target, to, name) ? err_sys(err, "linking %s", name) : 0;
}

static int copy_entries(DIR *dir, int to, struct err *err)
{
    for (struct dirent *e = readdir(dir); e; e = readdir(dir)) {
        if (e->d_type == DT_LNK
                ? copy_link(dirfd(dir), e->d_name, to, err)
                : e->d_type == DT_REG && copy_file(dirfd(dir), e->d_name, to, e->d_name, err))
            return -1;
    }
    return 0;
}

static int copy_dir(int from, const char *name, int to, struct err *err)
{
    SCOPED(fd_close) int fd = openat(from, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (mkdirat(to, name, 0755))
        return err_sys(err, "making %s", name);
    SCOPED(fd_close) int made = openat(to, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (made < 0 || fchmod(made, 0755))
        return err_sys(err, "opening %s", name);
    if (fd < 0)
        return 0; /* the host has none */
    DIR *dir = fdopendir(fd);
    if (!dir)
        return err_sys(err, "listing %s", name);
    fd_take(&fd);
    int failed = copy_entries(dir, made, err);
    closedir(dir);
    return failed;
}

static int fill(int to, struct err *err)
{
    SCOPED(fd_close) int host = open("/etc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (host < 0)
        return err_sys(err, "opening /etc");
    if (mkdirat(to, "ssl", 0755) || fchmodat(to, "ssl", 0755, 0))
        return err_sys(err, "making ssl");
    for (size_t i = 0; i < COUNT(generated); i++)
        if (write_file(to, generated[i].name, generated[i].text, strlen(generated[i].text), err))
            return -1;
    for (size_t i = 0; i < COUNT(links); i++)
        if (symlinkat(links[i].target, to, links[i].name))
            return err_sys(err, "linking %s", links[i].name);
    for (size_t i = 0; i < COUNT(copied); i++)
        if (copy_file(host, copied[i], to, copied[i], err))
            return -1;
    for (size_t i = 0; i < COUNT(listed); i++)
        if (copy_dir(host, listed[i], to, err))
            return -1;
    return 0;
}

static int fill_at(const char *path, struct err *err)
{
    SCOPED(fd_close) int to = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (to < 0 || fchmod(to, 0755))
        return err_sys(err, "opening %s", path);
    return fill(to, err);
}

int etc_build(const char *path, struct err *err)
{
    char temporary[PATH_MAX];
    struct err ignored;
    if (!access(path, F_OK))
        return 0;
    if ((size_t)snprintf(temporary, sizeof temporary, "%s.new", path) >= sizeof temporary)
        return err_set(err, ERR_INVALID, "the path %.100s… is too long", path);
    if (dir_remove(AT_FDCWD, temporary, err)) /* what a killed manager left */
        return -1;
    if (mkdir(temporary, 0755))
        return err_sys(err, "making %s", temporary);
    if (!fill_at(temporary, err)) {
        if (!rename(temporary, path))
            return 0;
        err_sys(err, "renaming %s", temporary);
    }
    dir_remove(AT_FDCWD, temporary, &ignored);
    return -1;
}
