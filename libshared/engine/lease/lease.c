/* lease.c - files of the lease directory; see lease.h. */
#include "engine/lease/lease.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/rand.h"
#include "base/scope.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LEASE_MAX_BYTES = 256 * 1024, ID_RANDOM = 26, NAME_MAX_BYTES = 64 };

bool lease_is_id(const char *name)
{
    size_t len = strlen(name);
    const char *tail = strrchr(name, '_');
    return !strncmp(name, "sb_", 3) && len <= 40 && tail && strlen(tail + 1) == ID_RANDOM &&
           strspn(tail + 1, "abcdefghijklmnopqrstuvwxyz234567") == ID_RANDOM &&
           strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_") == len;
}

int lease_write(int dirfd, const struct lease *lease, struct err *err)
{
    SCOPED(bytes_close) struct bytes bytes = bytes_open(LEASE_MAX_BYTES);
    if (!lease_is_id(lease->sandbox_id))
        return err_set(err, ERR_INVALID, "lease.sandbox_id: is no sandbox id");
    return schema_encode(&message_lease, lease, &bytes, err) ||
                   file_replace_volatile(dirfd, lease->sandbox_id, bytes.data, bytes.len, 0600, err)
               ? -1
               : 0;
}

/* A file that somebody else put here is none of ours. */
static int read_own(int dirfd, const char *name, struct bytes *to, struct err *err)
{
    struct stat dir, file;
    if (fstat(dirfd, &dir))
        return err_sys(err, "stat of the lease directory");
    if (fstatat(dirfd, name, &file, AT_SYMLINK_NOFOLLOW))
        return errno == ENOENT ? err_set(err, ERR_NOT_FOUND, "%s does not exist", name)
                               : err_sys(err, "stat %s", name);
    if (file.st_uid != dir.st_uid || file.st_mode & 022)
        return err_set(err, ERR_INVALID, "%s is not of the directory's owner alone", name);
    return file_read(dirfd, name, LEASE_MAX_BYTES, to, err);
}

int lease_read(int dirfd, const char *sandbox_id, struct lease_file *out, struct err *err)
{
    struct lease_file read = {0};
    if (!lease_is_id(sandbox_id))
        return err_set(err, ERR_INVALID, "%.40s is no sandbox id", sandbox_id);
    if (read_own(dirfd, sandbox_id, &read.bytes, err))
        return -1;
    if (schema_decode(&message_lease, bytes_view(&read.bytes), SCHEMA_LENIENT, &read.lease, err)) {
        bytes_close(&read.bytes);
        return err_add(err, "lease %s", sandbox_id);
    }
    if (strcmp(read.lease.sandbox_id, sandbox_id)) {
        bytes_close(&read.bytes);
        return err_set(err, ERR_INVALID, "lease %s is of another sandbox", sandbox_id);
    }
    *out = read;
    return 0;
}

void lease_close(struct lease_file *file)
{
    bytes_close(&file->bytes);
}

bool lease_is_of_this_boot(const struct lease *lease)
{
    return !strcmp(lease->boot_id, clock_boot_id());
}

static void mark_name(char to[NAME_MAX_BYTES], const char *sandbox_id)
{
    snprintf(to, NAME_MAX_BYTES, "%.40s.kill", sandbox_id);
}

int lease_remove(int dirfd, const char *sandbox_id, struct err *err)
{
    char mark[NAME_MAX_BYTES];
    mark_name(mark, sandbox_id);
    if ((unlinkat(dirfd, sandbox_id, 0) && errno != ENOENT) ||
        (unlinkat(dirfd, mark, 0) && errno != ENOENT))
        return err_sys(err, "removing the lease of %s", sandbox_id);
    return 0;
}

int lease_each(int dirfd, void (*each)(void *context, const char *sandbox_id), void *context,
               struct err *err)
{
    int fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    if (!dir) {
        err_sys(err, "listing the leases");
        fd_close(&fd);
        return -1;
    }
    for (struct dirent *e = readdir(dir); e; e = readdir(dir))
        if (lease_is_id(e->d_name))
            each(context, e->d_name);
    closedir(dir);
    return 0;
}

/* link(2) refuses to replace: the mark that stands first stays, however many write at once. */
int lease_mark(int dirfd, const char *sandbox_id, const struct kill_mark *mark, struct err *err)
{
    char name[NAME_MAX_BYTES], own[NAME_MAX_BYTES + 32], id[27];
    SCOPED(bytes_close) struct bytes bytes = bytes_open(4096);
    if (!lease_is_id(sandbox_id))
        return err_set(err, ERR_INVALID, "%.40s is no sandbox id", sandbox_id);
    if (schema_encode(&message_kill_mark, mark, &bytes, err))
        return -1;
    rand_id(id);
    mark_name(name, sandbox_id);
    snprintf(own, sizeof own, "%s.%s", name, id);
    if (file_replace_volatile(dirfd, own, bytes.data, bytes.len, 0600, err))
        return -1;
    int failed = linkat(dirfd, own, dirfd, name, 0) && errno != EEXIST;
    if (failed)
        err_sys(err, "marking %s", sandbox_id);
    unlinkat(dirfd, own, 0);
    return failed ? -1 : 0;
}

int lease_read_mark(int dirfd, const char *sandbox_id, struct kill_mark *out, struct err *err)
{
    char name[NAME_MAX_BYTES];
    SCOPED(bytes_close) struct bytes bytes = {0};
    mark_name(name, sandbox_id);
    return read_own(dirfd, name, &bytes, err) ||
                   schema_decode(&message_kill_mark, bytes_view(&bytes), SCHEMA_LENIENT, out, err)
               ? -1
               : 0;
}

int lease_beat(int dirfd, const char *name, struct err *err)
{
    SCOPED(fd_close)
    int fd = openat(dirfd, name, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0 || futimens(fd, NULL))
        return err_sys(err, "heartbeat %s", name);
    return 0;
}

/* Both times are this host's wall clock, a moment apart; a step of that clock shows as a late or an
 * early beat once. */
int64_t lease_beat_age_ms(int dirfd, const char *name)
{
    struct stat st;
    if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW))
        return -1;
    int64_t beat_ns = (int64_t)st.st_mtim.tv_sec * S_NS + st.st_mtim.tv_nsec;
    int64_t age_ms = (clock_wall_ns() - beat_ns) / MS_NS;
    return age_ms < 0 ? 0 : age_ms;
}
