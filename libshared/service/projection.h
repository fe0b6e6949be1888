/* projection.h - a database that follows the journal: what a service knows, rebuilt from what it
 * recorded.
 *
 * Records are applied in order of seq in transactions that also write applied_seq and the epoch, so
 * a crash at any moment leaves a database that is a prefix of the journal; opening applies what is
 * missing. While the service runs, durable records are applied by a worker, a batch at a time.
 */
#pragma once

#include "service/outbox.h"
#include "service/workers.h"
#include "store/db.h"

struct projection;

struct projection_table {
    const char *const
        *migrations; /* of db_open; the table that holds applied_seq is added by itself */
    size_t migration_count;
    /* Applies one event; runs on a worker thread inside a transaction. `record` has seq and times.
     */
    int (*apply)(struct db *db, const struct journal_record *record, const struct event *event,
                 struct err *err);
};

/* Opens or makes `name` in the directory `path`. Its epoch and applied_seq say what the journal
 * must hold. */
int projection_open(const char *path, const char *name, const struct projection_table *table,
                    struct projection **projection, struct err *err);

void projection_free(struct projection **projection);

uint64_t projection_epoch(const struct projection *projection);
uint64_t projection_applied(const struct projection *projection);

/* Applies everything that is durable, now, on the calling thread: at start. A journal of a newer
 * epoch starts at its first record; what the older one said stays. ERR_STORE. */
int projection_catch_up(struct projection *projection, struct outbox *outbox, struct err *err);

/* Says that records up to seq are durable: a worker applies them soon, then tells the outbox. Loop
 * thread. A failure of the database goes to `failed`: end the process; the journal has everything.
 */
void projection_follow(struct projection *projection, struct outbox *outbox,
                       struct workers *workers, uint64_t seq,
                       void (*failed)(void *context, const struct err *err), void *context);

/* The database, for reading at start; afterwards it belongs to the worker. */
struct db *projection_db(struct projection *projection);
