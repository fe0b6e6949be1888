/* cwds.h - the directories a command may run in, and paths joined to them.
 *
 * A cd may fail, and what follows may run all the same; so the walk keeps a small set, not one
 * directory. Paths are lexical: "..", "." and "//" are resolved without looking at a disk.
 */
#pragma once

#include "engine/shell/arena.h"

#include <stdbool.h>

enum { CWDS_MAX = 4, CWDS_PATH_MAX = 4096, CWDS_KEPT_MAX = 1024 /* a deeper one is unknown */ };

struct cwds {
    const char *path[CWDS_MAX]; /* absolute and normal, of the arena */
    unsigned count;
    bool unknown; /* it may be another directory, too */
};

bool cwds_equal(const struct cwds *a, const struct cwds *b);

/* Adds what is in b; more than fit become unknown. */
void cwds_add(struct cwds *a, const struct cwds *b);

/* Where "cd path" leads from each of them; path is literal. */
struct cwds cwds_change(struct arena *arena, const struct cwds *from, const char *path);

/* The normal form of `path` seen from the absolute directory `cwd`, without a slash at its end but
 * for "/". False when it does not fit into `to`. */
bool path_join(char to[CWDS_PATH_MAX], const char *cwd, const char *path, size_t len);
