/* volume_walk.h - follows a path as the kernel would, one component at a time, and says what was on
 * the way. Reads the host only. */
#pragma once

#include "schema/message.h"

#include <sys/stat.h>

enum { WALK_PATH_BYTES = 1025 }; /* of mount.real_path, its NUL included */

struct walk {
    int fd;                     /* O_PATH: what was reached; -1: nothing is there */
    struct stat st;             /* of it */
    char real[WALK_PATH_BYTES]; /* its path without links; of what is absent, as far as it goes */
    char same_as[WALK_PATH_BYTES]; /* "" or the sensitive path that it is by identity */
    bool is_in_own;                /* a component is Corral's own; sure on a way without .. */
    struct list links, exposed;    /* point into the two below */
    struct bytes link_store, exposed_store;
};

/* Walks `path`, which is absolute.
 *
 *   own    identities of Corral's own
 *   err    ERR_INVALID more links than VOLUMES_LINKS, a path that is too long, no UTF-8, or a magic
 *          link of /proc; ERR_IO; ERR_MEMORY. What is absent is no error.
 */
int walk_path(const char *path, const struct stat *own, size_t own_count, struct walk *walk,
              struct err *err);

void walk_close(struct walk *walk);

/* True when both are the same file. */
bool walk_is_same(const struct stat *a, const struct stat *b);
