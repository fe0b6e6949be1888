#include "engine/process/pid.h"

#include "base/bytes.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/scope.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

enum { STAT_BYTES = 4096, FIELD_START = 22, FIELD_STATE = 3 };

int pid_start_ticks(pid_t pid, uint64_t *ticks, struct err *err)
{
    char path[64];
    struct err reason;
    SCOPED(bytes_close) struct bytes text = {0};
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    if (file_read(AT_FDCWD, path, STAT_BYTES, &text, &reason))
        return err_set(err, ERR_NOT_FOUND, "process %d is gone", (int)pid);
    /* The second field is the name in parentheses, which may hold blanks and parentheses itself. */
    const char *at = text.len ? strrchr((const char *)text.data, ')') : NULL;
    for (int field = FIELD_STATE; at && field <= FIELD_START; field++)
        at = strchr(at + 1, ' ');
    uint64_t value;
    if (!at || sscanf(at, " %" SCNu64, &value) != 1)
        return err_set(err, ERR_IO, "%s is not as proc(5) says", path);
    *ticks = value;
    return 0;
}

int pid_open(pid_t pid, uint64_t start_ticks, int *pidfd, struct err *err)
{
    uint64_t ticks;
    SCOPED(fd_close) int fd = (int)syscall(SYS_pidfd_open, pid, 0);
    if (fd < 0 && (errno == ESRCH || errno == EINVAL))
        return err_set(err, ERR_NOT_FOUND, "process %d is gone", (int)pid);
    if (fd < 0)
        return err_sys(err, "opening a pidfd of %d", (int)pid);
    if (pid_start_ticks(pid, &ticks, err))
        return -1;
    if (ticks != start_ticks)
        return err_set(err, ERR_NOT_FOUND, "process %d is another one now", (int)pid);
    struct pollfd dead = {.fd = fd, .events = POLLIN};
    if (poll(&dead, 1, 0) > 0)
        return err_set(err, ERR_NOT_FOUND, "process %d is dead, not yet reaped", (int)pid);
    *pidfd = fd_take(&fd);
    return 0;
}

int pid_of_pidfd(int pidfd, pid_t *pid, struct err *err)
{
    char path[64];
    SCOPED(bytes_close) struct bytes text = {0};
    snprintf(path, sizeof path, "/proc/self/fdinfo/%d", pidfd);
    if (file_read(AT_FDCWD, path, STAT_BYTES, &text, err))
        return -1;
    const char *line = text.len ? strstr((const char *)text.data, "\nPid:\t") : NULL;
    int value = line ? atoi(line + 6) : 0;
    if (value <= 0)
        return err_set(err, ERR_NOT_FOUND, "the process is gone, or was never one of ours to see");
    *pid = value;
    return 0;
}

int pid_first_child(pid_t pid, pid_t *child, struct err *err)
{
    char path[64];
    struct err reason;
    SCOPED(bytes_close) struct bytes text = {0};
    snprintf(path, sizeof path, "/proc/%d/task/%d/children", (int)pid, (int)pid);
    int value = 0;
    if (!file_read(AT_FDCWD, path, STAT_BYTES, &text, &reason) && text.len)
        value = atoi((const char *)text.data);
    if (value <= 0)
        return err_set(err, ERR_NOT_FOUND, "process %d has no child", (int)pid);
    *child = value;
    return 0;
}

int pid_wait_dead(int pidfd, int64_t deadline_boot_ns, struct err *err)
{
    for (;;) {
        int64_t left = deadline_boot_ns - clock_boot_ns();
        struct timespec timeout = {left > 0 ? left / S_NS : 0, left > 0 ? left % S_NS : 0};
        struct pollfd pollfd = {.fd = pidfd, .events = POLLIN};
        int ready = ppoll(&pollfd, 1, &timeout, NULL);
        if (ready < 0 && errno != EINTR)
            return err_sys(err, "waiting for a process to end");
        if (ready > 0)
            return 0;
        if (left <= 0)
            return err_set(err, ERR_DEADLINE, "the process is still alive");
    }
}
