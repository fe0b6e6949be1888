/* volumes.c - parts of the host for a sandbox; see volumes.h. */
#include "manager/volumes.h"

#include "base/mem.h"
#include "base/scope.h"
#include "base/text.h"
#include "engine/policy/volume.h"
#include "engine/record/act.h"
#include "manager/volume_walk.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

enum { STORE_BYTES = 512 * 1024, HOLDS_BYTES = 4096 };

/* Corral's own, as it is called and what it is. */
struct own {
    char paths[VOLUMES_OWN][PATH_MAX];
    struct stat st[VOLUMES_OWN];
    size_t count;
};

void volumes_free(struct volumes **volumes)
{
    struct volumes *v = *volumes;
    if (!v)
        return;
    for (size_t i = 0; i < v->count; i++)
        fd_close(&v->items[i].fd);
    bytes_close(&v->facts_store);
    bytes_close(&v->kept_store);
    free(v);
    *volumes = NULL;
}

int volumes_check(struct list asked, struct err *err)
{
    if (volume_check_places(asked, &message_volume, err))
        return err_add(err, "sandbox_create");
    struct volume v;
    while (list_next(&asked, &message_volume, &v)) {
        if (v.host_path[0] != '/')
            return err_set(err, ERR_INVALID,
                           "sandbox_create.volumes.host_path: \"%.100s\" must begin with /",
                           v.host_path);
        for (const char *c = v.host_path; *c; c++)
            if ((unsigned char)*c < ' ' || *c == 0x7f)
                return err_set(err, ERR_INVALID,
                               "sandbox_create.volumes.host_path: holds a control character");
    }
    return 0;
}

static struct own find_own(const char *const paths[])
{
    struct own own = {0};
    for (; *paths; paths++) {
        assert(own.count < VOLUMES_OWN);
        char *real = own.paths[own.count];
        if (**paths && realpath(*paths, real) && !stat(real, &own.st[own.count]))
            own.count++;
    }
    return own;
}

/* True when one of them is this or lies below it, whatever the two are called. */
static bool holds_own(const struct own *own, const struct stat *st)
{
    for (size_t i = 0; i < own->count; i++) {
        char path[PATH_MAX];
        struct stat above;
        text_copy(path, sizeof path, own->paths[i]);
        for (size_t len = strlen(path); len; len = (size_t)(strrchr(path, '/') - path)) {
            path[len] = 0;
            if (!stat(path, &above) && walk_is_same(&above, st))
                return true;
        }
        if (!stat("/", &above) && walk_is_same(&above, st))
            return true;
    }
    return false;
}

/* Names right in a directory that make it sensitive. */
static int list_holds(int fd, struct bytes *store, struct list *holds, struct err *err)
{
    struct stat st;
    for (const char *const *name = volume_sensitive_names(); *name; name++)
        if (!fstatat(fd, *name, &st, AT_SYMLINK_NOFOLLOW) &&
            list_add_text(store, holds, view_of(*name), err))
            return -1;
    return 0;
}

/* A mount point as mountinfo writes it: a blank, tab, line end and backslash as three octal digits.
 */
static void unescape(char *text)
{
    char *to = text;
    for (const char *at = text; *at; to++) {
        unsigned code;
        if (*at == '\\' && sscanf(at + 1, "%3o", &code) == 1) {
            *to = (char)code;
            at += 4;
        } else {
            *to = *at++;
        }
    }
    *to = 0;
}

/* Where another file system is mounted below the path; "" when none is. */
static int find_below(const char *real, char below[WALK_PATH_BYTES], struct err *err)
{
    char *line = NULL;
    size_t room = 0;
    FILE *file = fopen("/proc/self/mountinfo", "re");
    if (!file)
        return err_sys(err, "opening /proc/self/mountinfo");
    while (getline(&line, &room, file) > 0) {
        int from = 0, to = 0;
        if (sscanf(line, "%*s %*s %*s %*s %n%*s%n", &from, &to) < 0 || to <= from)
            continue;
        line[to] = 0;
        unescape(line + from);
        if (strcmp(line + from, real) != 0 && volume_path_is_within(line + from, real))
            text_copy(below, WALK_PATH_BYTES, line + from);
    }
    int failed = ferror(file) ? err_sys(err, "reading /proc/self/mountinfo") : 0;
    free(line);
    fclose(file);
    return failed;
}

static const char *type_of(const struct walk *w)
{
    if (w->fd < 0)
        return "absent";
    if (S_ISDIR(w->st.st_mode))
        return "directory";
    if (S_ISREG(w->st.st_mode))
        return "file";
    return S_ISSOCK(w->st.st_mode) ? "socket" : "other";
}

/* The same way by the path that has no links, which nobody may have changed meanwhile. */
static int walk_again(const struct walk *first, const struct own *own, struct walk *again,
                      struct err *err)
{
    if (walk_path(first->real, own->st, own->count, again, err))
        return -1;
    if (!again->links.count && again->fd >= 0 && walk_is_same(&first->st, &again->st))
        return 0;
    walk_close(again);
    return err_set(err, ERR_STATE, "%.200s changed while it was looked at", first->real);
}

static int describe(const struct walk *w, const struct own *own, struct bytes *store,
                    struct mount *m, struct err *err)
{
    m->owner_uid = w->st.st_uid;
    m->permissions = w->st.st_mode & 07777;
    m->device = (int64_t)w->st.st_dev;
    m->inode = (int64_t)w->st.st_ino;
    m->is_own = w->is_in_own || holds_own(own, &w->st);
    text_copy(m->same_as, sizeof m->same_as, w->same_as);
    if (!S_ISDIR(w->st.st_mode))
        return 0;
    return list_holds(w->fd, store, &m->holds, err) || find_below(m->real_path, m->below, err) ? -1
                                                                                               : 0;
}

static int find(struct volumes *v, const struct volume *asked, const struct own *own,
                struct err *err)
{
    SCOPED(walk_close) struct walk first = {.fd = -1}, again = {.fd = -1};
    SCOPED(bytes_close) struct bytes holds = bytes_open(HOLDS_BYTES);
    struct mount m = {0};
    if (walk_path(asked->host_path, own->st, own->count, &first, err) ||
        (first.fd >= 0 && walk_again(&first, own, &again, err)))
        return -1;
    text_copy(m.host_path, sizeof m.host_path, asked->host_path);
    text_copy(m.real_path, sizeof m.real_path, first.real);
    text_copy(m.container_path, sizeof m.container_path, asked->container_path);
    text_copy(m.mode, sizeof m.mode, asked->mode[0] ? asked->mode : "ro");
    text_copy(m.type, sizeof m.type, type_of(&again));
    if (again.fd >= 0) {
        m.links = first.links;
        m.exposed = first.exposed;
        if (describe(&again, own, &holds, &m, err))
            return -1;
    }
    struct sandbox_volume *item = &v->items[v->count++];
    *item = (struct sandbox_volume){.fd = fd_take(&again.fd),
                                    .device = again.st.st_dev,
                                    .inode = again.st.st_ino,
                                    .is_directory = !strcmp(m.type, "directory"),
                                    .is_writable = !strcmp(m.mode, "rw")};
    text_copy(item->host_path, sizeof item->host_path, m.real_path);
    text_copy(item->container_path, sizeof item->container_path, m.container_path);
    return list_add(&v->facts_store, &v->facts, &message_mount, &m, err);
}

int volumes_find(struct list asked, const char *const own_paths[], struct volumes **volumes,
                 struct err *err)
{
    SCOPED(volumes_free) struct volumes *v = mem_new(1, sizeof *v);
    struct volume each;
    if (!v)
        return err_set(err, ERR_MEMORY, "no memory for volumes");
    v->facts_store = bytes_open(STORE_BYTES);
    v->kept_store = bytes_open(STORE_BYTES);
    const struct own own = find_own(own_paths);
    assert(asked.count <= SANDBOX_VOLUMES); /* sandbox_create's own bound */
    while (list_next(&asked, &message_volume, &each))
        if (find(v, &each, &own, err))
            return err_add(err, "the volume %.100s", each.host_path);
    if (act_mounts(v->facts, &v->kept_store, &v->kept, err))
        return -1;
    *volumes = TAKE(v);
    return 0;
}

int volumes_check_again(const struct volumes *v, struct err *err)
{
    for (size_t i = 0; i < v->count; i++) {
        const struct sandbox_volume *item = &v->items[i];
        struct open_how how = {.flags = O_PATH | O_CLOEXEC,
                               .resolve = RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS};
        struct stat st;
        SCOPED(fd_close)
        int fd = (int)syscall(SYS_openat2, AT_FDCWD, item->host_path, &how, sizeof how);
        if (fd < 0 || fstat(fd, &st) || st.st_dev != item->device || st.st_ino != item->inode)
            return err_set(err, ERR_STATE,
                           "the volume %.150s is no longer what was judged; nothing was mounted",
                           item->host_path);
    }
    return 0;
}

void volumes_show(const struct volumes *v, char *to, size_t size)
{
    size_t used = 0;
    to[0] = 0;
    for (size_t i = 0; i < v->count && used < size; i++) {
        const struct sandbox_volume *item = &v->items[i];
        char text[sizeof item->host_path + sizeof item->container_path + 16];
        snprintf(text, sizeof text, "%s%s -> %s %s", i ? ", " : "", item->host_path,
                 item->container_path, item->is_writable ? "rw" : "ro");
        text_copy(to + used, size - used, text);
        used += strlen(text);
    }
}
