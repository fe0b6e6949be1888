/* watch.h - tells when the rule directory changes, by inotify.
 *
 * Each load looks at every folder before it reads it, so nothing that changes later goes unseen.
 * The folder that holds the directory is looked at, too (or the nearest one above it that is
 * there), so that a directory that went away is seen when it comes back. A file that is being
 * written is no change until its writer has closed it.
 */
#pragma once

#include "base/err.h"

#include <stdbool.h>

/* What is looked at, found by one load. */
struct watch_list {
    struct watch_folder *folders;
    size_t count, room;
    int fd;
    bool is_whole; /* false: no memory or no room in the kernel for some of it */
};

/* Opens inotify. ERR_IO. */
int watch_open(int *fd, struct err *err);

/* Begins a list with what holds the directory. Any thread. */
void watch_begin(struct watch_list *list, int fd, const char *dir);

/* Adds a folder: the `look` of a load, with the list as its context. Any thread. */
void watch_add(void *list, const char *path);

/* Ends looking at what `old` has and `list` has not; releases `old` and takes over `list`. */
void watch_replace(struct watch_list *old, struct watch_list *list);

void watch_list_close(struct watch_list *list);

/* Reads what happened; true when some of it may have changed the rules. */
bool watch_changed(const struct watch_list *list);
