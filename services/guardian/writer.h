/* writer.h - the one writer of DIR/public/registry.json: one change after the other, each on a
 * worker.
 *
 * A change that is written is in force here at once; the other services see the file move. Loop
 * thread only.
 */
#pragma once

#include "guardian/change.h"
#include "service/op.h"

struct writer;

/* A change on its way, in its operation's data; while it is under way everything else is the
 * worker's. */
struct writing {
    struct change change;
    struct op *op;
    bool is_under_way;
    bool has_failed; /* the change is not in the file; `err` says why */
    struct err err;
    int64_t generation; /* of the registry that has the change */
    struct registry *next_registry;
    struct writing *next;
};

/* Opens DIR/public. ERR_CONFIG it is not there. */
int writer_new(struct service *service, struct writer **writer, struct err *err);

/* Fine on NULL. The workers have ended. */
void writer_free(struct writer **writer);

/* Hands a change over; its operation is woken with WAKE_EVENT and `writing` as data when it has
 * been written or has failed, never before this returns. ERR_OVERLOADED: it will not be woken. */
int writer_add(struct writer *writer, struct writing *writing, struct err *err);

/* Writes a registry on the calling thread and puts it in force, taking over the caller's reference:
 * at start. ERR_IO. */
int writer_save(struct writer *writer, struct registry *registry, struct err *err);
