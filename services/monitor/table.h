/* table.h - the sandboxes of the lease directory, by id, ascending.
 *
 * The directory is the only source: what is in it is watched, what leaves it is forgotten. A lease
 * that cannot be believed (garbled, of a foreign owner, of another boot, with paths that are no
 * cgroups of Corral) is told of once for each version of the file. When the file of a sandbox under
 * watch turns unbelievable, the watch goes on by what was known. Loop thread only.
 */
#pragma once

#include "monitor/watched.h"

struct table {
    int leases; /* the lease directory; borrowed */
    size_t history;
    struct watched **rows;
    size_t count, room;
    /* A lease was not believed. */
    void (*ignored)(void *context, const char *sandbox_id, const char *why);
    void *context;
};

/* Looks at the directory and takes over what changed. ERR_IO, ERR_MEMORY: the rest is as before. */
int table_sync(struct table *table, struct err *err);

/* NULL: unknown. */
struct watched *table_find(const struct table *table, const char *sandbox_id);

/* How many are under watch: started, and not known to be dead. */
size_t table_live(const struct table *table);

void table_close(struct table *table);
