/* Killing a cgroup and proving it dead.
 *
 * Where there is a v2 mount, cgroup.kill does the first in the kernel (fork races included) and
 * cgroup.events says the second. Elsewhere: freeze, so that nothing forks; signal every pid by
 * pidfd, opened between two listings that both show the pid, so that a recycled pid is never hit;
 * thaw. A kill that finds no freezer repeats until a listing is empty or it has tried enough;
 * cgroup_wait_empty then tells the truth.
 */
#include "base/clock.h"
#include "base/mem.h"
#include "base/scope.h"
#include "engine/cgroup/cgroup.h"
#include "engine/cgroup/cgroup_io.h"
#include "engine/cgroup/cgroup_parse.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>

enum {
    DEPTH_MAX = 8,            /* base/sandbox/exec is 3; deeper trees are not ours */
    FREEZE_MS = 200,          /* how long a kill waits for the freezer before it signals anyway */
    BATCH = 64,               /* pidfds open at once */
    LISTING_ROUNDS = 8,       /* of the kill without a freezer */
    PROCS_BYTES = 1024 * 1024 /* of a cgroup.procs text: 100,000 pids */
};

/* The directory that holds every process of the cgroup and is killed by: unified, freezer, any. */
static const char *kill_dir(const struct cgroup *cg)
{
    static const enum cgroup_tree order[] = {CGROUP_TREE_UNIFIED, CGROUP_TREE_FREEZER,
                                             CGROUP_TREE_MEMORY,  CGROUP_TREE_PIDS,
                                             CGROUP_TREE_CPU,     CGROUP_TREE_CPUACCT};
    for (size_t i = 0; i < COUNT(order); i++)
        if (cg->path[order[i]][0])
            return cg->path[order[i]];
    return NULL;
}

static bool is_gone(int error)
{
    return error == ENOENT || error == ENODEV; /* ENODEV: removed while the file was open */
}

struct pids {
    pid_t *list;
    size_t count, room;
};

static void pids_close(struct pids *pids)
{
    free(pids->list);
    *pids = (struct pids){0};
}

static int pids_add(struct pids *pids, pid_t pid, struct err *err)
{
    if (pids->count == pids->room) {
        size_t room = pids->room ? 2 * pids->room : 64;
        pid_t *list = mem_resize(pids->list, room * sizeof *list);
        if (!list)
            return err_set(err, ERR_MEMORY, "listing a cgroup");
        pids->list = list;
        pids->room = room;
    }
    pids->list[pids->count++] = pid;
    return 0;
}

/* Adds the pids of one cgroup.procs; its text may be longer than any fixed buffer. */
static int list_procs(int dirfd, struct pids *pids, struct err *err)
{
    SCOPED(bytes_close) struct bytes text = bytes_open(PROCS_BYTES);
    SCOPED(fd_close) int fd = openat(dirfd, "cgroup.procs", O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return is_gone(errno) ? 0 : err_sys(err, "opening cgroup.procs");
    for (ssize_t n = 1; n;) {
        uint8_t *to = bytes_reserve(&text, 4096, err);
        if (!to)
            return -1;
        n = read(fd, to, 4096);
        if (n < 0)
            return is_gone(errno) ? 0 : err_sys(err, "reading cgroup.procs");
        bytes_grew(&text, (size_t)n);
    }
    struct view cursor = bytes_view(&text);
    for (bool more = true; more;) {
        pid_t pid;
        if (cgroup_parse_pid(&cursor, &more, &pid, err))
            return -1;
        if (more && pid && pids_add(pids, pid, err))
            return -1;
    }
    return 0;
}

/* Opens the next subdirectory of a stream; -1 at its end. */
static int next_child(DIR *dir, const char **name)
{
    for (struct dirent *e = readdir(dir); e; e = readdir(dir)) {
        if (e->d_type != DT_DIR || e->d_name[0] == '.')
            continue;
        int fd = openat(dirfd(dir), e->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0)
            continue; /* removed meanwhile */
        *name = e->d_name;
        return fd;
    }
    return -1;
}

/* Lists the pids of a directory and all below. Takes the descriptor. */
static int list_below(int fd, int depth, struct pids *pids, struct err *err)
{
    DIR *dir = fdopendir(fd);
    if (!dir) {
        close(fd);
        return err_sys(err, "listing a cgroup");
    }
    int failed = list_procs(fd, pids, err);
    const char *name;
    for (int child = 0; !failed && depth < DEPTH_MAX && child >= 0;) {
        child = next_child(dir, &name);
        if (child >= 0)
            failed = list_below(child, depth + 1, pids, err);
    }
    closedir(dir);
    return failed;
}

static int list_pids(const char *path, struct pids *pids, struct err *err)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return is_gone(errno) ? 0 : err_sys(err, "opening %.150s", path);
    return list_below(fd, 0, pids, err);
}

static bool has_pid(const struct pids *pids, pid_t pid)
{
    for (size_t i = 0; i < pids->count; i++)
        if (pids->list[i] == pid)
            return true;
    return false;
}

/* Signals up to BATCH pids of a listing that a second one, taken once their pidfds are open, still
 * shows. */
static int kill_batch(const char *path, const pid_t *list, size_t count, struct err *err)
{
    SCOPED(pids_close) struct pids now = {0};
    int pidfds[BATCH];
    for (size_t i = 0; i < count; i++)
        pidfds[i] = (int)syscall(SYS_pidfd_open, list[i], 0);
    int failed = list_pids(path, &now, err);
    for (size_t i = 0; i < count; i++) {
        if (!failed && pidfds[i] >= 0 && has_pid(&now, list[i]))
            syscall(SYS_pidfd_send_signal, pidfds[i], SIGKILL, NULL, 0);
        fd_close(&pidfds[i]);
    }
    return failed;
}

static int kill_listed(const char *path, size_t *listed, struct err *err)
{
    SCOPED(pids_close) struct pids pids = {0};
    if (list_pids(path, &pids, err))
        return -1;
    for (size_t at = 0; at < pids.count; at += BATCH)
        if (kill_batch(path, pids.list + at, pids.count - at < BATCH ? pids.count - at : BATCH,
                       err))
            return -1;
    *listed = pids.count;
    return 0;
}

static int kill_by_pids(const struct cgroup *cg, const char *path, struct err *err)
{
    struct err ignored;
    int64_t deadline = clock_boot_ns() + (int64_t)FREEZE_MS * MS_NS;
    bool frozen = !cgroup_freeze(cg, true, deadline, &ignored);
    int failed = 0;
    size_t listed = 1;
    for (int round = 0; !failed && listed && round < (frozen ? 1 : LISTING_ROUNDS); round++)
        failed = kill_listed(path, &listed, err);
    /* A freezer that did not get there in time still holds some: thaw in any case. */
    cgroup_freeze(cg, false, clock_boot_ns() + (int64_t)FREEZE_MS * MS_NS, &ignored);
    return failed;
}

int cgroup_kill(const struct cgroup *cg, struct err *err)
{
    const char *path = kill_dir(cg);
    if (!path)
        return err_set(err, ERR_UNSUPPORTED, "no cgroup may be written on this host");
    if (path == cg->path[CGROUP_TREE_UNIFIED]) {
        if (!cgroup_io_write(path, "cgroup.kill", "1"))
            return 0;
        if (errno == ENOENT && access(path, F_OK))
            return 0; /* the cgroup itself is gone */
        if (errno != ENOENT)
            return is_gone(errno) ? 0 : err_sys(err, "writing cgroup.kill of %.150s", path);
    }
    return kill_by_pids(cg, path, err);
}

static int populated_by_events(const char *path, bool *populated, struct err *err)
{
    char buffer[CGROUP_TEXT_BYTES];
    struct view text;
    int64_t value = 0;
    if (cgroup_io_read(path, "cgroup.events", buffer, &text)) {
        if (!is_gone(errno))
            return err_sys(err, "reading cgroup.events of %.150s", path);
    } else if (cgroup_parse_keyed(text, "populated", &value, err)) {
        return err_add(err, "cgroup.events of %.150s", path);
    }
    *populated = value != 0;
    return 0;
}

int cgroup_populated(const struct cgroup *cg, bool *populated, struct err *err)
{
    const char *path = kill_dir(cg);
    if (!path)
        return err_set(err, ERR_UNSUPPORTED, "no cgroup may be written on this host");
    if (path == cg->path[CGROUP_TREE_UNIFIED])
        return populated_by_events(path, populated, err);
    SCOPED(pids_close) struct pids pids = {0};
    if (list_pids(path, &pids, err))
        return -1;
    *populated = pids.count > 0;
    return 0;
}

int cgroup_open_events(const struct cgroup *cg, int *fd, struct err *err)
{
    const char *path = cg->path[CGROUP_TREE_UNIFIED];
    if (!path[0])
        return err_set(err, ERR_UNSUPPORTED, "cgroup v1 has no event for an empty cgroup");
    int opened = cgroup_io_open(path, "cgroup.events", O_RDONLY);
    if (opened < 0 && is_gone(errno))
        return err_set(err, ERR_NOT_FOUND, "the cgroup %.150s is gone", path);
    if (opened < 0)
        return err_sys(err, "opening cgroup.events of %.150s", path);
    *fd = opened;
    return 0;
}

/* Waits for the next change, or a short while where the kernel has no event for it. */
static int wait_change(int events_fd, int64_t deadline_boot_ns, struct err *err)
{
    int64_t left = deadline_boot_ns - clock_boot_ns();
    if (left <= 0)
        return err_set(err, ERR_DEADLINE, "something in the cgroup is still alive");
    int64_t step = events_fd >= 0 ? left : 2 * (int64_t)MS_NS;
    int64_t wait = left < step ? left : step;
    struct timespec timeout = {wait / S_NS, wait % S_NS};
    struct pollfd pollfd = {.fd = events_fd, .events = POLLPRI};
    if (ppoll(&pollfd, events_fd >= 0 ? 1 : 0, &timeout, NULL) < 0 && errno != EINTR)
        return err_sys(err, "waiting for cgroup.events");
    return 0;
}

int cgroup_wait_empty(const struct cgroup *cg, int64_t deadline_boot_ns, struct err *err)
{
    SCOPED(fd_close) int fd = -1;
    struct err ignored;
    if (cg->path[CGROUP_TREE_UNIFIED][0] && cgroup_open_events(cg, &fd, &ignored) &&
        ignored.code == ERR_NOT_FOUND)
        return 0;
    for (;;) {
        bool populated;
        if (cgroup_populated(cg, &populated, err))
            return -1;
        if (!populated)
            return 0;
        if (fd >= 0) { /* a read rearms POLLPRI; a change after it ends the poll at once */
            char byte;
            if (pread(fd, &byte, 1, 0) < 0 && errno != ENODEV)
                return err_sys(err, "reading cgroup.events");
            if (cgroup_populated(cg, &populated, err))
                return -1;
            if (!populated)
                return 0;
        }
        if (wait_change(fd, deadline_boot_ns, err))
            return -1;
    }
}

static int wait_frozen(const char *dir, const char *name, const char *key, const char *wanted,
                       int64_t deadline_boot_ns, struct err *err)
{
    for (;;) {
        char buffer[CGROUP_TEXT_BYTES];
        struct view text;
        if (cgroup_io_read(dir, name, buffer, &text))
            return is_gone(errno) ? 0 : err_sys(err, "reading %s of %.150s", name, dir);
        int64_t value;
        bool there = key ? !cgroup_parse_keyed(text, key, &value, err) && value == (*wanted == '1')
                         : view_equal(text, view_of(wanted));
        if (there)
            return 0;
        if (wait_change(-1, deadline_boot_ns, err))
            return err_set(err, ERR_DEADLINE, "the freezer of %.150s does not get there", dir);
    }
}

int cgroup_freeze(const struct cgroup *cg, bool frozen, int64_t deadline_boot_ns, struct err *err)
{
    const char *v1 = cg->path[CGROUP_TREE_FREEZER], *v2 = cg->path[CGROUP_TREE_UNIFIED];
    const char *dir = v2[0] ? v2 : v1;
    if (!dir[0])
        return err_set(err, ERR_UNSUPPORTED, "no freezer may be written on this host");
    const char *name = v2[0] ? "cgroup.freeze" : "freezer.state";
    const char *text = v2[0] ? (frozen ? "1" : "0") : (frozen ? "FROZEN" : "THAWED");
    if (cgroup_io_write(dir, name, text))
        return is_gone(errno) ? 0 : err_sys(err, "writing %s of %.150s", name, dir);
    if (v2[0])
        return wait_frozen(dir, "cgroup.events", "frozen", text, deadline_boot_ns, err);
    return wait_frozen(dir, name, NULL, frozen ? "FROZEN\n" : "THAWED\n", deadline_boot_ns, err);
}

/* rmdir of one directory and what is below it, children first. 0, or -1 with errno. */
static int remove_below(int parent, const char *name, int depth)
{
    if (!unlinkat(parent, name, AT_REMOVEDIR) || errno == ENOENT)
        return 0;
    if (errno != EBUSY && errno != ENOTEMPTY)
        return -1;
    int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT ? 0 : -1;
    DIR *dir = fdopendir(fd);
    if (!dir) {
        close(fd);
        return -1;
    }
    const char *child_name;
    for (int child = 0; depth < DEPTH_MAX && child >= 0;) {
        child = next_child(dir, &child_name);
        if (child < 0)
            break;
        close(child);
        remove_below(dirfd(dir), child_name, depth + 1);
    }
    closedir(dir);
    return unlinkat(parent, name, AT_REMOVEDIR) && errno != ENOENT ? -1 : 0;
}

int cgroup_remove(const struct cgroup *cg, int64_t deadline_boot_ns, struct err *err)
{
    for (unsigned tree = 0; tree < CGROUP_TREES; tree++) {
        if (!cgroup_io_is_own_tree(cg->path, tree))
            continue;
        while (remove_below(AT_FDCWD, cg->path[tree], 0)) {
            if (errno != EBUSY)
                return err_sys(err, "removing %.150s", cg->path[tree]);
            if (wait_change(-1, deadline_boot_ns, err))
                return err_add(err, "removing %.150s", cg->path[tree]);
        }
    }
    return 0;
}
