/* volumes.h - parts of the host that a sandbox is to see: found, described for the guardian, and
 * held by descriptors until they are mounted.
 *
 * What is asked for is walked component by component, so that every link and every directory on the
 * way is known, and opened once more by its real path without following any. What that descriptor
 * is, is what is judged and what is mounted: whoever exchanges a component afterwards changes
 * nothing but that the sandbox is not made. Everything here may block (a dead NFS) and belongs in a
 * worker; nothing is shared.
 */
#pragma once

#include "manager/runtime/runtime.h"
#include "schema/message.h"

enum { VOLUMES_OWN = 8, VOLUMES_LINKS = 8 };

struct volumes {
    struct sandbox_volume items[SANDBOX_VOLUMES]; /* fd -1: absent */
    size_t count;
    struct list facts; /* of struct mount, for the act */
    struct list kept;  /* the same without what was found on the way, for records and the lease */
    struct bytes facts_store, kept_store;
};

/* Finds all of them.
 *
 *   asked   of struct volume; volumes_check has passed
 *   own     files and directories of Corral's own, ended by NULL; absent ones and "" are fine
 *   err     ERR_INVALID more than VOLUMES_LINKS links or a path too long; ERR_STATE one changed
 *           while it was looked at; ERR_UNSUPPORTED openat2 is missing; ERR_IO; ERR_MEMORY
 */
int volumes_find(struct list asked, const char *const own[], struct volumes **volumes,
                 struct err *err);

/* Closes and frees; fine on NULL. SCOPED works. */
void volumes_free(struct volumes **volumes);

/* The form of a request: absolute paths without control characters, places that are free.
 * ERR_INVALID. */
int volumes_check(struct list asked, struct err *err);

/* Says whether each still is what its real path leads to, right before it is mounted. ERR_STATE
 * names the one that is not. */
int volumes_check_again(const struct volumes *volumes, struct err *err);

/* "/srv/data -> /data ro, …" for a person, cut where there is no more room. */
void volumes_show(const struct volumes *volumes, char *to, size_t size);
