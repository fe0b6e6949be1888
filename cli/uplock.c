/* uplock.c - the supervisor's lock and list of processes; see uplock.h. */
#include "cli/uplock.h"

#include "base/bytes.h"
#include "base/file.h"
#include "base/scope.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { LOCK_MAX_BYTES = 1024, PATIENCE_MS = 5000 };

struct process process_of(pid_t pid)
{
    char path[64];
    struct err ignored;
    struct process none = {0}, found = {.pid = pid};
    SCOPED(bytes_close) struct bytes stat = {0};
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    if (pid <= 0 || file_read(AT_FDCWD, path, 4096, &stat, &ignored) || !stat.len)
        return none;
    const char *at = strrchr((const char *)stat.data, ')'); /* the name before it may hold any */
    for (int field = 2; at && field < 22; field++)
        at = strchr(at + 1, ' ');
    if (!at || sscanf(at, " %llu", &found.start) != 1)
        return none;
    return found;
}

int process_open(const struct process *process)
{
    if (process->pid <= 0)
        return -1;
    SCOPED(fd_close) int fd = (int)syscall(SYS_pidfd_open, process->pid, 0);
    if (fd < 0 || process_of(process->pid).start != process->start)
        return -1;
    return fd_take(&fd);
}

static bool ended_within(int pidfd, int ms)
{
    struct pollfd wait = {.fd = pidfd, .events = POLLIN};
    int n;
    do
        n = poll(&wait, 1, ms);
    while (n < 0 && errno == EINTR);
    return n == 1;
}

bool process_end(const struct process *process, int patience_ms)
{
    SCOPED(fd_close) int fd = process_open(process);
    if (fd < 0)
        return false;
    syscall(SYS_pidfd_send_signal, fd, SIGTERM, NULL, 0);
    if (!ended_within(fd, patience_ms)) {
        syscall(SYS_pidfd_send_signal, fd, SIGKILL, NULL, 0);
        ended_within(fd, -1);
    }
    return true;
}

static void lock_path(const char *state, char path[PLACE_STATE_BYTES + 16])
{
    snprintf(path, PLACE_STATE_BYTES + 16, "%s/up.lock", state);
}

/* Reads "<name> <pid> <start>" lines. */
static void parse(const char *text, struct uplock *lock)
{
    *lock = (struct uplock){0};
    char name[16];
    int pid, end;
    unsigned long long start;
    for (; sscanf(text, "%15s %d %llu\n%n", name, &pid, &start, &end) == 3; text += end) {
        if (!strcmp(name, "up"))
            lock->supervisor = (struct process){pid, start};
        for (enum part part = 0; part < PARTS; part++)
            if (!strcmp(name, part_name(part)))
                lock->services[part] = (struct process){pid, start};
    }
}

static int read_lock(int fd, struct uplock *lock, struct err *err)
{
    char text[LOCK_MAX_BYTES + 1];
    size_t len = 0;
    if (file_read_at(fd, text, LOCK_MAX_BYTES, 0, &len, err))
        return -1;
    text[len] = 0;
    parse(text, lock);
    return 0;
}

int uplock_take(const char *state, int *to, struct uplock *before, struct err *err)
{
    char path[PLACE_STATE_BYTES + 16];
    lock_path(state, path);
    SCOPED(fd_close) int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return err_sys(err, "opening %s", path);
    bool taken = !flock(fd, LOCK_EX | LOCK_NB);
    if (!taken && errno != EWOULDBLOCK)
        return err_sys(err, "locking %s", path);
    struct uplock found;
    if (read_lock(fd, &found, err))
        return -1;
    if (!taken)
        return err_set(err, ERR_STATE, "Corral runs already in %s: corral up has pid %d", state,
                       (int)found.supervisor.pid);
    *to = fd_take(&fd);
    *before = found;
    return 0;
}

int uplock_write(int fd, const struct uplock *lock, struct err *err)
{
    SCOPED(bytes_close) struct bytes text = bytes_open(LOCK_MAX_BYTES);
    if (bytes_addf(&text, err, "up %d %llu\n", (int)lock->supervisor.pid, lock->supervisor.start))
        return -1;
    for (enum part part = 0; part < PARTS; part++)
        if (lock->services[part].pid &&
            bytes_addf(&text, err, "%s %d %llu\n", part_name(part), (int)lock->services[part].pid,
                       lock->services[part].start))
            return -1;
    if (ftruncate(fd, 0))
        return err_sys(err, "truncating up.lock");
    return file_write_all_at(fd, text.data, text.len, 0, err);
}

int uplock_read(const char *state, struct uplock *lock, bool *held, struct err *err)
{
    char path[PLACE_STATE_BYTES + 16];
    lock_path(state, path);
    SCOPED(fd_close) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0 && errno != ENOENT)
        return err_sys(err, "opening %s", path);
    if (fd < 0) {
        *lock = (struct uplock){0};
        *held = false;
        return 0;
    }
    bool taken = !flock(fd, LOCK_SH | LOCK_NB);
    if (!taken && errno != EWOULDBLOCK)
        return err_sys(err, "locking %s", path);
    if (read_lock(fd, lock, err))
        return -1;
    *held = !taken;
    return 0;
}

int uplock_end_leftovers(const struct uplock *lock)
{
    int ended = 0;
    for (int part = PARTS - 1; part >= 0; part--)
        ended += process_end(&lock->services[part], PATIENCE_MS);
    return ended;
}
