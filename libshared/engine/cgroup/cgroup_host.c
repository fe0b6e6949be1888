/* How the base is chosen: own cgroup of each hierarchy, the v2 leaf stripped, "corral-<instance>"
 * made below. On v2 the controllers are switched on twice, for the base in the own cgroup and for
 * sandboxes in the base; each step that the host refuses takes a limit away, never a wall.
 */
#include "engine/cgroup/cgroup_host.h"

#include "base/file.h"
#include "base/scope.h"
#include "base/text.h"
#include "engine/cgroup/cgroup_io.h"
#include "engine/cgroup/cgroup_parse.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

enum {
    PROC_TEXT_BYTES = 4 * 1024 * 1024,
    CHILD_BYTES = 16 /* room that the names of a sandbox's children need */
};

static int find_places(struct cgroup_places *places, struct err *err)
{
    SCOPED(bytes_close) struct bytes mounts = {0};
    SCOPED(bytes_close) struct bytes members = {0};
    if (file_read(AT_FDCWD, "/proc/self/mountinfo", PROC_TEXT_BYTES, &mounts, err) ||
        file_read(AT_FDCWD, "/proc/self/cgroup", PROC_TEXT_BYTES, &members, err))
        return -1;
    return cgroup_parse_places(bytes_view(&mounts), bytes_view(&members), places, err);
}

/* Takes the leaf's name off the path when it is its last component. */
static bool strip_leaf(char path[CGROUP_PATH_BYTES])
{
    char *slash = strrchr(path, '/');
    if (!slash || strcmp(slash + 1, CGROUP_LEAF))
        return false;
    *slash = 0;
    return true;
}

static bool has_file(const char *dir, const char *name)
{
    char path[CGROUP_PATH_BYTES];
    return !cgroup_io_path(path, dir, name) && !access(path, F_OK);
}

int cgroup_host_enter_leaf(struct err *err)
{
    struct cgroup_places places;
    if (find_places(&places, err))
        return -1;
    char *own = places.own[CGROUP_TREE_UNIFIED];
    if (places.mode != CGROUP_V2 || strip_leaf(own) || !has_file(own, "cgroup.type"))
        return 0; /* only the root cgroup has no cgroup.type, and only it may hold processes */
    char leaf[CGROUP_PATH_BYTES];
    if (cgroup_io_path(leaf, own, CGROUP_LEAF))
        return err_sys(err, "the leaf of %.150s", own);
    bool made = !mkdir(leaf, 0755) || errno == EEXIST;
    if (made && !cgroup_io_write(leaf, "cgroup.procs", "0"))
        return 0;
    if (errno == EACCES || errno == EPERM || errno == EROFS)
        return 0; /* not delegated to us; cgroup_host_open will say so */
    return err_sys(err, "moving into %.150s", leaf);
}

/* True when the sentence ends in a `what` with this reason, which then starts at *reason. */
static bool says_already(const struct cgroup_host *host, const char *what, const char *why,
                         size_t *reason)
{
    const char *last = strrchr(host->lacks, ';');
    last = last ? last + 2 : host->lacks;
    size_t len = strlen(last), tail = strlen(why);
    *reason = strlen(host->lacks) - tail;
    return len > tail && !strncmp(last, what, strlen(what)) && !strcmp(last + len - tail, why);
}

/* Adds what is missing and errno's reason, which stands once for a row of the same. */
static void lack(struct cgroup_host *host, const char *what, const char *which)
{
    char why[80];
    size_t used = strlen(host->lacks), reason;
    snprintf(why, sizeof why, ": %s", strerror(errno));
    if (says_already(host, what, why, &reason))
        snprintf(host->lacks + reason, sizeof host->lacks - reason, ", %s%s", which, why);
    else
        snprintf(host->lacks + used, sizeof host->lacks - used, "%s%s %s%s", used ? "; " : "", what,
                 which, why);
}

/* Adds a tree that cannot be written; of those that only count or freeze, nobody need be told. */
static void lack_tree(struct cgroup_host *host, enum cgroup_tree tree)
{
    if (tree <= CGROUP_TREE_CPU)
        lack(host, "control groups", cgroup_tree_name(tree));
}

static const struct {
    enum cgroup_limit limit;
    enum cgroup_tree tree;
    const char *name, *on;
} controllers[] = {
    {CGROUP_MEMORY, CGROUP_TREE_MEMORY, "memory", "+memory"},
    {CGROUP_PIDS, CGROUP_TREE_PIDS, "pids", "+pids"},
    {CGROUP_CPU, CGROUP_TREE_CPU, "cpu", "+cpu"},
};

/* Switches one controller on for the children of `own` and of the base below it. */
static bool enable(struct cgroup_host *host, const char *own, const char *base, size_t row)
{
    char text[CGROUP_TEXT_BYTES];
    struct view has;
    if (cgroup_io_read(own, "cgroup.controllers", text, &has) ||
        !cgroup_parse_has(has, controllers[row].name)) {
        errno = ENOENT;
        lack(host, "not delegated here:", controllers[row].name);
        return false;
    }
    if (cgroup_io_write(own, "cgroup.subtree_control", controllers[row].on)) {
        lack(host, "own cgroup, controller", controllers[row].name);
        return false;
    }
    if (cgroup_io_write(base, "cgroup.subtree_control", controllers[row].on)) {
        lack(host, "base cgroup, controller", controllers[row].name);
        return false;
    }
    return true;
}

/* The kernel does not hand controllers on where processes live, except in the root cgroup. */
static bool holds_processes(const char *own)
{
    char text[CGROUP_TEXT_BYTES];
    struct view pids;
    return has_file(own, "cgroup.type") &&
           (cgroup_io_read(own, "cgroup.procs", text, &pids) || pids.len);
}

/* Of a cgroup that holds processes nothing is asked: it refuses memory, but pids and cpu would make
 * it a threaded domain, in which neither a sandbox nor anybody else can make a usable cgroup. */
static void enable_all(struct cgroup_host *host, const char *own)
{
    if (holds_processes(own)) {
        errno = EBUSY;
        lack(host, "processes are in", own);
        return;
    }
    for (size_t row = 0; row < COUNT(controllers); row++)
        if (enable(host, own, host->base[CGROUP_TREE_UNIFIED], row))
            host->limits |= controllers[row].limit;
}

/* Makes the base in one tree; a tree that cannot be written is one that Corral does not have. */
static void make_base(struct cgroup_host *host, const char *instance, const char *own,
                      enum cgroup_tree tree)
{
    char *base = host->base[tree];
    if (snprintf(base, CGROUP_PATH_BYTES, "%s/corral-%s", own, instance) >= CGROUP_PATH_BYTES) {
        errno = ENAMETOOLONG;
        lack_tree(host, tree);
        base[0] = 0;
        return;
    }
    if (mkdir(base, 0755) && errno != EEXIST) {
        lack_tree(host, tree);
        base[0] = 0;
    } else if (access(base, W_OK)) { /* EEXIST also on a read-only mount */
        lack_tree(host, tree);
        base[0] = 0;
    }
}

static enum cgroup_mode mode_of_bases(const struct cgroup_host *host, enum cgroup_mode seen)
{
    bool unified = host->base[CGROUP_TREE_UNIFIED][0];
    bool v1 = false;
    for (unsigned tree = CGROUP_TREE_UNIFIED + 1; tree < CGROUP_TREES; tree++)
        v1 |= host->base[tree][0] != 0;
    if (unified)
        return seen == CGROUP_V2 ? CGROUP_V2 : CGROUP_HYBRID;
    return v1 ? CGROUP_V1 : CGROUP_NONE;
}

static bool is_instance(const char *instance)
{
    size_t len = strlen(instance);
    return len && len <= 32 &&
           strspn(instance, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-") ==
               len;
}

int cgroup_host_open(const char *instance, struct cgroup_host *host, struct err *err)
{
    if (!is_instance(instance))
        return err_set(err, ERR_INVALID, "instance: 1 to 32 of A-Z a-z 0-9 -");
    struct cgroup_places places;
    if (find_places(&places, err))
        return -1;
    struct cgroup_host opened = {.mode = places.mode};
    char *own = places.own[CGROUP_TREE_UNIFIED];
    if (places.mode == CGROUP_V2)
        strip_leaf(own);
    for (unsigned tree = 0; tree < CGROUP_TREES; tree++)
        if (places.own[tree][0])
            make_base(&opened, instance, places.own[tree], tree);
    opened.mode = mode_of_bases(&opened, places.mode);
    if (opened.mode == CGROUP_V2)
        enable_all(&opened, own);
    else
        for (size_t row = 0; row < COUNT(controllers); row++)
            if (opened.base[controllers[row].tree][0])
                opened.limits |= controllers[row].limit;
    if (places.mode == CGROUP_NONE)
        text_copy(opened.lacks, sizeof opened.lacks,
                  "no cgroup file system in sight of this process");
    *host = opened;
    return 0;
}

void cgroup_host_remove(const struct cgroup_host *host)
{
    for (unsigned tree = 0; tree < CGROUP_TREES; tree++)
        if (host->base[tree][0])
            rmdir(host->base[tree]);
}

/* Sandbox ids: letters, digits, '_' and '-'. The kernel's own files in a cgroup all have a dot. */
static bool is_sandbox_name(const char *name)
{
    return text_is_name(name, 63) && !strchr(name, '.');
}

int cgroup_host_find(const struct cgroup_host *host, const char *name, struct cgroup *cg,
                     struct err *err)
{
    if (!is_sandbox_name(name))
        return err_set(err, ERR_INVALID, "%.70s is no sandbox id", name);
    struct cgroup found = {.mode = host->mode};
    for (unsigned tree = 0; tree < CGROUP_TREES; tree++)
        if (host->base[tree][0] && (cgroup_io_path(found.path[tree], host->base[tree], name) ||
                                    strlen(found.path[tree]) + CHILD_BYTES > CGROUP_PATH_BYTES))
            return err_set(err, ERR_INVALID, "the cgroup path of %s is too long", name);
    *cg = found;
    return 0;
}

int cgroup_host_list(const struct cgroup_host *host, void (*each)(void *context, const char *name),
                     void *context, struct err *err)
{
    for (unsigned tree = 0; tree < CGROUP_TREES; tree++) {
        if (!cgroup_io_is_own_tree(host->base, tree))
            continue;
        DIR *dir = opendir(host->base[tree]);
        if (!dir && errno == ENOENT)
            continue;
        if (!dir)
            return err_sys(err, "listing %.150s", host->base[tree]);
        for (struct dirent *e = readdir(dir); e; e = readdir(dir))
            if (e->d_type == DT_DIR && is_sandbox_name(e->d_name))
                each(context, e->d_name);
        closedir(dir);
    }
    return 0;
}
