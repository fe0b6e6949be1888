/* watch.c - see watch.h. */
#include "guardian/watch.h"

#include "base/mem.h"
#include "base/text.h"
#include "guardian/rule_files.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    MASK = IN_CREATE | IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_ATTRIB |
           IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR | IN_DONT_FOLLOW
};

struct watch_folder {
    int wd;
    char path[RULE_PATH_BYTES];
    char only[256]; /* the one name in it that matters; "": all */
};

int watch_open(int *fd, struct err *err)
{
    int opened = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    if (opened < 0)
        return err_sys(err, "inotify");
    *fd = opened;
    return 0;
}

static struct watch_folder *find(const struct watch_list *list, int wd)
{
    for (size_t i = 0; i < list->count; i++)
        if (list->folders[i].wd == wd)
            return &list->folders[i];
    return NULL;
}

/* One folder has one wd, whatever it is called; what all of it matters to wins. */
static bool add(struct watch_list *list, const char *path, const char *only)
{
    int wd = inotify_add_watch(list->fd, path, MASK);
    if (wd < 0)
        return false;
    struct watch_folder *there = find(list, wd);
    if (!there && list->count == list->room) {
        size_t room = list->room ? 2 * list->room : 16;
        struct watch_folder *folders = mem_resize(list->folders, room * sizeof *folders);
        if (!folders) {
            list->is_whole = false;
            return true;
        }
        list->folders = folders;
        list->room = room;
    }
    if (!there)
        there = &list->folders[list->count++];
    *there = (struct watch_folder){.wd = wd};
    text_copy(there->path, sizeof there->path, path);
    text_copy(there->only, sizeof there->only, only);
    return true;
}

void watch_begin(struct watch_list *list, int fd, const char *dir)
{
    char path[RULE_PATH_BYTES];
    *list = (struct watch_list){.fd = fd, .is_whole = true};
    text_copy(path, sizeof path, dir);
    for (char *slash; (slash = strrchr(path, '/'));) {
        char only[256];
        text_copy(only, sizeof only, slash + 1);
        slash[slash == path] = 0; /* the root keeps its name */
        if (*only && add(list, path, only))
            return;
        if (slash == path)
            break;
    }
    list->is_whole = false;
}

void watch_add(void *context, const char *path)
{
    struct watch_list *list = context;
    if (!add(list, path, "") && errno != ENOENT && errno != ENOTDIR)
        list->is_whole = false;
}

void watch_list_close(struct watch_list *list)
{
    free(list->folders);
    *list = (struct watch_list){.fd = -1};
}

void watch_replace(struct watch_list *old, struct watch_list *list)
{
    for (size_t i = 0; i < old->count; i++)
        if (!find(list, old->folders[i].wd))
            inotify_rm_watch(list->fd, old->folders[i].wd);
    watch_list_close(old);
    *old = *list;
    *list = (struct watch_list){.fd = -1};
}

/* A regular file of one name that was just made is told of again when its writer closes it. */
static bool is_being_written(const struct watch_folder *folder, const char *name)
{
    char path[RULE_PATH_BYTES + 256];
    struct stat st;
    snprintf(path, sizeof path, "%s/%s", folder->path, name);
    return !lstat(path, &st) && S_ISREG(st.st_mode) && st.st_nlink == 1;
}

static bool matters(const struct watch_list *list, const struct inotify_event *e)
{
    const struct watch_folder *folder = find(list, e->wd);
    const char *name = e->len ? e->name : "";
    if (e->mask & IN_Q_OVERFLOW)
        return true;
    if (e->mask & IN_IGNORED)
        return false;
    if (!folder)
        return true; /* a load that has not ended yet looks at it */
    if (e->mask & (IN_DELETE_SELF | IN_MOVE_SELF))
        return true;
    if (folder->only[0])
        return !strcmp(name, folder->only);
    if (name[0] == '.')
        return false;
    return !(e->mask & IN_CREATE) || e->mask & IN_ISDIR || !is_being_written(folder, name);
}

bool watch_changed(const struct watch_list *list)
{
    _Alignas(struct inotify_event) char room[16384];
    bool changed = false;
    for (ssize_t n; (n = read(list->fd, room, sizeof room)) > 0;)
        for (ssize_t at = 0; at < n;) {
            const struct inotify_event *e = (const void *)(room + at);
            changed = changed || matters(list, e);
            at += (ssize_t)sizeof *e + (ssize_t)e->len;
        }
    return changed;
}
