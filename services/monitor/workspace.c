/* workspace.c - see workspace.h. */
#include "monitor/workspace.h"

#include "base/scope.h"
#include "engine/process/pid.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <poll.h>
#include <stdio.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

static int open_below(int root, const char *name)
{
    struct open_how how = {.flags = O_PATH | O_DIRECTORY | O_CLOEXEC,
                           .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS};
    return (int)syscall(SYS_openat2, root, name, &how, sizeof how);
}

/* The pidfd says afterwards that what was opened was still this init's. */
int workspace_open(pid_t init_pid, uint64_t init_start, int *fd, struct err *err)
{
    char path[64];
    SCOPED(fd_close) int pidfd = -1;
    if (pid_open(init_pid, init_start, &pidfd, err))
        return -1;
    snprintf(path, sizeof path, "/proc/%d/root", (int)init_pid);
    SCOPED(fd_close) int root = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (root < 0)
        return err_sys(err, "opening %s", path);
    SCOPED(fd_close) int workspace = open_below(root, "workspace");
    if (workspace < 0)
        return err_sys(err, "opening %s/workspace", path);
    struct pollfd dead = {.fd = pidfd, .events = POLLIN};
    if (poll(&dead, 1, 0) > 0)
        return err_set(err, ERR_NOT_FOUND, "process %d is dead", (int)init_pid);
    *fd = fd_take(&workspace);
    return 0;
}

int workspace_used(int fd, int64_t *bytes, struct err *err)
{
    struct statvfs fs;
    if (fstatvfs(fd, &fs))
        return err_sys(err, "statvfs of a workspace");
    if (fs.f_bfree > fs.f_blocks)
        return err_set(err, ERR_IO, "a workspace with more free blocks than blocks");
    *bytes = (int64_t)((fs.f_blocks - fs.f_bfree) * fs.f_frsize);
    return 0;
}
