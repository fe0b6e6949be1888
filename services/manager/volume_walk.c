/* volume_walk.c - a path, one component at a time; see volume_walk.h.
 *
 * Invariant: `fd` is what `real` named when it was opened, and `real` holds no link, no "." and no
 * "..". A rename meanwhile breaks that; volumes.c opens `real` once more and compares.
 */
#include "manager/volume_walk.h"

#include "base/scope.h"
#include "base/text.h"
#include "engine/policy/volume.h"
#include "manager/volumes.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/vfs.h>

/* What is left of the way, and what the walk compares with. */
struct way {
    struct walk *walk;
    char rest[PATH_MAX];
    unsigned links;
    const struct stat *own;
    size_t own_count;
};

bool walk_is_same(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

void walk_close(struct walk *w)
{
    fd_close(&w->fd);
    bytes_close(&w->link_store);
    bytes_close(&w->exposed_store);
}

/* A directory in which somebody else could put another thing under a name: not root's or ours, or
 * written by others who need not own what they replace there. */
static bool is_exposed(const struct stat *st)
{
    bool is_trusted = !st->st_uid || st->st_uid == geteuid();
    return !is_trusted || (st->st_mode & (S_IWGRP | S_IWOTH) && !(st->st_mode & S_ISVTX));
}

static int note_exposed(struct walk *w, struct err *err)
{
    if (!is_exposed(&w->st) || w->exposed.count == VOLUMES_LINKS)
        return 0;
    return list_add_text(&w->exposed_store, &w->exposed, view_of(w->real[0] ? w->real : "/"), err);
}

/* The sensitive path that this directory is by identity although it is called otherwise, as a bind
 * mount makes it. */
static void note_identity(const struct way *way)
{
    static const char *const above[] = {"/", "/var", "/home"};
    struct walk *w = way->walk;
    struct stat st;
    for (size_t i = 0; i < way->own_count; i++)
        w->is_in_own |= walk_is_same(&way->own[i], &w->st);
    if (volume_sensitive_path(w->real))
        return;
    for (const char *const *tree = volume_sensitive_trees(); *tree; tree++)
        if (!stat(*tree, &st) && walk_is_same(&st, &w->st))
            text_copy(w->same_as, sizeof w->same_as, *tree);
    for (size_t i = 0; i < COUNT(above); i++)
        if (!stat(above[i], &st) && walk_is_same(&st, &w->st))
            text_copy(w->same_as, sizeof w->same_as, above[i]);
}

/* Goes on from the root: what follows is an absolute path. */
static int restart(struct way *way, struct err *err)
{
    struct walk *w = way->walk;
    fd_close(&w->fd);
    w->fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (w->fd < 0 || fstat(w->fd, &w->st))
        return err_sys(err, "opening /");
    w->real[0] = w->same_as[0] = 0;
    w->is_in_own = false;
    return 0;
}

static int climb(struct way *way, struct err *err)
{
    struct walk *w = way->walk;
    char *slash = strrchr(w->real, '/');
    int fd = openat(w->fd, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return err_sys(err, "the directory above %.100s", w->real);
    fd_close(&w->fd);
    w->fd = fd;
    if (slash)
        *slash = 0;
    char *below = strrchr(w->same_as, '/');
    if (below)
        *below = 0;
    return fstat(fd, &w->st) ? err_sys(err, "stat %.100s", w->real) : 0;
}

/* Puts the target of a link in front of what is left. */
static int follow(struct way *way, int link, const char *name, struct err *err)
{
    struct walk *w = way->walk;
    struct statfs fs;
    char target[PATH_MAX], path[WALK_PATH_BYTES + PATH_MAX + 2];
    ssize_t n = readlinkat(link, "", target, sizeof target - 1);
    if (n < 0 || fstatfs(link, &fs))
        return err_sys(err, "reading the link %.100s/%.100s", w->real, name);
    target[n] = 0;
    snprintf(path, sizeof path, "%s/%s", w->real, name);
    if (fs.f_type == PROC_SUPER_MAGIC)
        return err_set(err, ERR_INVALID, "%.150s is a link of /proc: no way to a volume", path);
    if (++way->links > VOLUMES_LINKS)
        return err_set(err, ERR_INVALID, "more than %d symbolic links on the way", VOLUMES_LINKS);
    char *rest = way->rest;
    size_t left = strlen(rest);
    if ((size_t)n + left + 2 > sizeof way->rest || strlen(path) >= WALK_PATH_BYTES)
        return err_set(err, ERR_INVALID, "the path of a link is too long");
    memmove(rest + n + 1, rest, left + 1);
    memcpy(rest, target, (size_t)n);
    rest[n] = '/';
    if (list_add_text(&w->link_store, &w->links, view_of(path), err))
        return -1;
    return target[0] == '/' ? restart(way, err) : 0;
}

static int add_name(char path[WALK_PATH_BYTES], const char *name, struct err *err)
{
    size_t len = strlen(path);
    int n = snprintf(path + len, WALK_PATH_BYTES - len, "/%s", name);
    return n < 0 || (size_t)n >= WALK_PATH_BYTES - len
               ? err_set(err, ERR_INVALID, "the path without links is too long")
               : 0;
}

/* Nothing is there: what is left is part of the path all the same. */
static int stop(struct way *way, const char *name, struct err *err)
{
    struct walk *w = way->walk;
    fd_close(&w->fd);
    if (add_name(w->real, name, err))
        return -1;
    for (char *save = NULL, *next = strtok_r(way->rest, "/", &save); next;
         next = strtok_r(NULL, "/", &save))
        if (strcmp(next, ".") != 0 && strcmp(next, "..") != 0 && add_name(w->real, next, err))
            return -1;
    way->rest[0] = 0;
    return 0;
}

static int descend(struct way *way, const char *name, struct err *err)
{
    struct walk *w = way->walk;
    struct open_how how = {.flags = O_PATH | O_NOFOLLOW | O_CLOEXEC,
                           .resolve = RESOLVE_NO_MAGICLINKS};
    struct stat st;
    SCOPED(fd_close) int fd = (int)syscall(SYS_openat2, w->fd, name, &how, sizeof how);
    if (fd < 0 && errno == ENOSYS)
        return err_set(err, ERR_UNSUPPORTED, "volumes need openat2 of Linux 5.6");
    if (fd < 0 && (errno == ENOENT || errno == EACCES || errno == ENOTDIR || errno == ENAMETOOLONG))
        return stop(way, name, err);
    if (fd < 0 || fstat(fd, &st))
        return err_sys(err, "opening %.100s/%.100s", w->real, name);
    if (note_exposed(w, err))
        return -1;
    if (S_ISLNK(st.st_mode))
        return follow(way, fd, name, err);
    fd_close(&w->fd);
    w->fd = fd_take(&fd);
    w->st = st;
    bool has_other = w->same_as[0];
    if (!strcmp(w->same_as, "/"))
        w->same_as[0] = 0;
    if (add_name(w->real, name, err) || (has_other && add_name(w->same_as, name, err)))
        return -1;
    note_identity(way);
    return 0;
}

/* Takes the first component off what is left; false at its end. */
static bool take(struct way *way, char name[PATH_MAX])
{
    const char *at = way->rest + strspn(way->rest, "/");
    size_t n = strcspn(at, "/");
    if (!n)
        return false;
    memcpy(name, at, n);
    name[n] = 0;
    memmove(way->rest, at + n, strlen(at + n) + 1);
    return true;
}

int walk_path(const char *path, const struct stat *own, size_t own_count, struct walk *walk,
              struct err *err)
{
    enum { STORE_BYTES = 2 * VOLUMES_LINKS * WALK_PATH_BYTES };
    char name[PATH_MAX];
    struct walk w = {
        .fd = -1, .link_store = bytes_open(STORE_BYTES), .exposed_store = bytes_open(STORE_BYTES)};
    struct way way = {.walk = &w, .own = own, .own_count = own_count};
    bool fits = text_copy(way.rest, sizeof way.rest, path);
    assert(fits); /* a volume's path is shorter */
    int failed = restart(&way, err);
    while (!failed && take(&way, name)) {
        if (!strcmp(name, "."))
            continue;
        failed = !strcmp(name, "..") ? climb(&way, err) : descend(&way, name, err);
    }
    if (!failed && !w.real[0])
        text_copy(w.real, sizeof w.real, "/");
    if (!failed && !text_is_utf8(w.real, strlen(w.real)))
        failed = err_set(err, ERR_INVALID, "the path without links is no UTF-8");
    /* Only what is sensitive under its other name says something. */
    if (!failed && w.same_as[0] && !volume_sensitive_path(w.same_as))
        w.same_as[0] = 0;
    if (!failed) {
        *walk = w;
        return 0;
    }
    walk_close(&w);
    return -1;
}
