/* uids.h - host uids for sandboxes: each running sandbox has one of its own, so that the kernel
 * itself keeps two sandboxes, and a sandbox and the host's users, apart.
 *
 * Not thread-safe: the loop thread owns it.
 */
#pragma once

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

struct uids {
    int64_t base;
    int64_t count;
    int64_t next; /* where the search goes on, so that a freed uid rests as long as possible */
    bool *used;   /* count of them */
};

/* A range of uids that no user of the host has. count 0: no range, uids_take then gives -1 ("the
 * caller's own uid"). Close with uids_close. ERR_INVALID base below 1000 or beyond 2^31;
 * ERR_MEMORY.
 */
int uids_open(int64_t base, int64_t count, struct uids *out, struct err *err);

void uids_close(struct uids *u);

/* Takes a free one. ERR_OVERLOADED all are in use. */
int uids_take(struct uids *u, int64_t *uid, struct err *err);

/* Marks the uid of a sandbox found after a restart. ERR_STATE it is taken; a uid outside the range
 * (the configuration changed) is fine and ignored. */
int uids_mark(struct uids *u, int64_t uid, struct err *err);

/* Gives one back once its sandbox is proven dead. -1 and uids outside the range are ignored. */
void uids_give(struct uids *u, int64_t uid);
