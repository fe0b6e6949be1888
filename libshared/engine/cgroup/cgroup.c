/* A cgroup is a directory in each tree. v2 has one tree; v1 and hybrid keep a process in several,
 * so a move is several writes and a removal several rmdirs. Limits are read back because a write
 * that succeeds proves nothing: kernels round, and some accept what they do not enforce.
 */
#include "engine/cgroup/cgroup.h"

#include "base/scope.h"
#include "base/text.h"
#include "engine/cgroup/cgroup_host.h"
#include "engine/cgroup/cgroup_io.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>

const char *cgroup_limit_name(enum cgroup_limit limit)
{
    switch (limit) {
    case CGROUP_MEMORY:
        return "memory";
    case CGROUP_PIDS:
        return "pids";
    default:
        return "cpu";
    }
}

void cgroup_limit_names(char to[32], unsigned limits)
{
    to[0] = 0;
    for (unsigned bit = CGROUP_MEMORY; bit <= CGROUP_CPU; bit <<= 1)
        if (limits & bit)
            snprintf(to + strlen(to), 32 - strlen(to), "%s%s", to[0] ? "," : "",
                     cgroup_limit_name(bit));
}

const char *cgroup_mode_name(enum cgroup_mode mode)
{
    static const char *const names[] = {"none", "v1", "hybrid", "v2"};
    return names[mode];
}

const char *cgroup_tree_name(enum cgroup_tree tree)
{
    static const char *const names[] = {"unified", "memory", "pids", "cpu", "cpuacct", "freezer"};
    return names[tree];
}

/* rmdir of the trees below `count`: undoes a making that failed half-way. */
static void remove_made(const struct cgroup *cg, unsigned count)
{
    for (unsigned tree = 0; tree < count; tree++)
        if (cgroup_io_is_own_tree(cg->path, tree))
            rmdir(cg->path[tree]);
}

static int make_dirs(const struct cgroup *cg, struct err *err)
{
    for (unsigned tree = 0; tree < CGROUP_TREES; tree++) {
        if (!cgroup_io_is_own_tree(cg->path, tree) || !mkdir(cg->path[tree], 0755))
            continue;
        if (errno == EEXIST)
            err_set(err, ERR_STATE, "the cgroup %.150s exists already", cg->path[tree]);
        else
            err_sys(err, "making the cgroup %.150s", cg->path[tree]);
        remove_made(cg, tree);
        return -1;
    }
    return 0;
}

/* On v2 a sandbox hands its controllers on, so that each exec has its own usage and OOM counter,
 * and so needs a leaf for its init. Controllers that are not there are unenforced already. */
static int make_v2_leaf(const struct cgroup *cg, struct err *err)
{
    static const char *const on[] = {"+memory", "+pids", "+cpu"};
    for (size_t i = 0; i < COUNT(on); i++)
        cgroup_io_write(cg->path[CGROUP_TREE_UNIFIED], "cgroup.subtree_control", on[i]);
    struct cgroup leaf = cgroup_init_leaf(cg);
    if (mkdir(leaf.path[CGROUP_TREE_UNIFIED], 0755))
        return err_sys(err, "making the cgroup %.150s", leaf.path[CGROUP_TREE_UNIFIED]);
    return 0;
}

int cgroup_make(const struct cgroup_host *host, const char *name,
                const struct cgroup_limits *limits, struct cgroup *cg, unsigned *unenforced,
                struct err *err)
{
    struct cgroup made;
    if (cgroup_host_find(host, name, &made, err) || make_dirs(&made, err))
        return -1;
    if (made.mode == CGROUP_V2 && make_v2_leaf(&made, err)) {
        remove_made(&made, CGROUP_TREES);
        return -1;
    }
    cgroup_set_limits(&made, limits, unenforced);
    *cg = made;
    return 0;
}

struct cgroup cgroup_init_leaf(const struct cgroup *sandbox)
{
    struct cgroup leaf = *sandbox;
    if (leaf.mode == CGROUP_V2)
        strncat(leaf.path[CGROUP_TREE_UNIFIED], "/init",
                CGROUP_PATH_BYTES - 1 - strlen(leaf.path[CGROUP_TREE_UNIFIED]));
    return leaf;
}

/* The trees in which an exec differs from its sandbox: one to kill it by, those that count usage.
 * The hybrid v2 mount counts CPU time by itself. */
static bool is_exec_tree(enum cgroup_mode mode, enum cgroup_tree tree)
{
    switch (tree) {
    case CGROUP_TREE_UNIFIED:
    case CGROUP_TREE_MEMORY:
        return true;
    case CGROUP_TREE_CPUACCT:
    case CGROUP_TREE_FREEZER:
        return mode == CGROUP_V1;
    default:
        return false;
    }
}

int cgroup_find_exec(const struct cgroup *sandbox, uint32_t number, struct cgroup *exec,
                     struct err *err)
{
    if (sandbox->mode == CGROUP_NONE)
        return err_set(err, ERR_UNSUPPORTED, "no cgroup may be written on this host");
    char name[16];
    snprintf(name, sizeof name, "x%u", (unsigned)number);
    struct cgroup found = {.mode = sandbox->mode};
    for (unsigned tree = 0; tree < CGROUP_TREES; tree++)
        if (sandbox->path[tree][0] && is_exec_tree(sandbox->mode, tree) &&
            cgroup_io_path(found.path[tree], sandbox->path[tree], name))
            return err_sys(err, "the cgroup of exec %u", (unsigned)number);
    *exec = found;
    return 0;
}

int cgroup_make_exec(const struct cgroup *sandbox, uint32_t number, struct cgroup *exec,
                     struct err *err)
{
    struct cgroup made;
    if (cgroup_find_exec(sandbox, number, &made, err) || make_dirs(&made, err))
        return -1;
    *exec = made;
    return 0;
}

static int check_path(const char *path, struct err *err)
{
    bool ours = path[0] == '/' && strstr(path, "/corral-") && !strstr(path, "/../");
    size_t len = strnlen(path, CGROUP_PATH_BYTES);
    if (!ours || len == CGROUP_PATH_BYTES || (len >= 3 && !strcmp(path + len - 3, "/..")))
        return err_set(err, ERR_INVALID, "%.150s is no cgroup of Corral", path);
    SCOPED(fd_close) int fd = open(path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT)
        return err_set(err, ERR_NOT_FOUND, "the cgroup %.150s is gone", path);
    struct statfs fs;
    if (fd < 0 || fstatfs(fd, &fs))
        return err_set(err, ERR_INVALID, "%.150s: %s", path, strerror(errno));
    if (fs.f_type != CGROUP2_SUPER_MAGIC && fs.f_type != CGROUP_SUPER_MAGIC)
        return err_set(err, ERR_INVALID, "%.150s is not on cgroupfs", path);
    return 0;
}

int cgroup_check(const struct cgroup *cg, struct err *err)
{
    bool any = false;
    if (cg->mode > CGROUP_V2)
        return err_set(err, ERR_INVALID, "unknown cgroup mode");
    for (unsigned tree = 0; tree < CGROUP_TREES; tree++) {
        if (!cg->path[tree][0])
            continue;
        any = true;
        if (check_path(cg->path[tree], err))
            return -1;
    }
    if (any == (cg->mode == CGROUP_NONE))
        return err_set(err, ERR_INVALID, "cgroup paths do not fit the mode");
    return 0;
}

int cgroup_add(const struct cgroup *cg, pid_t pid, struct err *err)
{
    char text[16];
    snprintf(text, sizeof text, "%d", (int)pid);
    for (unsigned tree = 0; tree < CGROUP_TREES; tree++) {
        if (!cgroup_io_is_own_tree(cg->path, tree) ||
            !cgroup_io_write(cg->path[tree], "cgroup.procs", text))
            continue;
        if (errno == ESRCH)
            return err_set(err, ERR_NOT_FOUND, "process %s is gone", text);
        return err_sys(err, "moving %s into %.150s", text, cg->path[tree]);
    }
    return 0;
}

int cgroup_open_join(const struct cgroup *cg, int fds[CGROUP_TREES], struct err *err)
{
    int opened[CGROUP_TREES];
    for (unsigned tree = 0; tree < CGROUP_TREES; tree++) {
        opened[tree] = -1;
        if (!cgroup_io_is_own_tree(cg->path, tree))
            continue;
        const char *name = tree == CGROUP_TREE_UNIFIED ? "cgroup.procs" : "tasks";
        opened[tree] = cgroup_io_open(cg->path[tree], name, O_WRONLY);
        if (opened[tree] >= 0)
            continue;
        err_sys(err, "opening %s of %.150s", name, cg->path[tree]);
        while (tree-- > 0)
            fd_close(&opened[tree]);
        return -1;
    }
    memcpy(fds, opened, sizeof opened);
    return 0;
}

int cgroup_join(const int fds[CGROUP_TREES])
{
    for (unsigned tree = 0; tree < CGROUP_TREES; tree++)
        if (fds[tree] >= 0 && write(fds[tree], "0", 1) != 1)
            return -1;
    return 0;
}

int cgroup_open_dir(const struct cgroup *cg, int *fd, struct err *err)
{
    const char *path = cg->path[CGROUP_TREE_UNIFIED];
    int opened = -1;
    if (path[0] && (opened = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)) < 0)
        return err_sys(err, "opening the cgroup %.150s", path);
    *fd = opened;
    return 0;
}
