/* store.h - audit.db: every record of every source, in the order in which it was committed.
 *
 *   source   who writes records, to whom it is bound, how far its records are stored
 *   event    one row a record: `gseq` numbers them densely from 1 over all sources; `body` is the
 *            payload as its source wrote it and never changes; what stands before it is either of
 *            the record (epoch, seq, times, type) or derived from the body, to be searched for
 *   audit_logs   a view for people and their tools
 *
 * One thread at a time uses a store. Readers open their own connections (logs.h).
 */
#pragma once

#include "audit/batch.h"
#include "store/db.h"

struct store;

/* Opens or makes audit.db in the directory `path`. Errors of db_open. */
int store_open(const char *path, struct store **store, struct err *err);

/* A read-only connection to the same database. Errors of db_open. */
int store_open_reader(const char *path, struct db **db, struct err *err);

void store_free(struct store **store);

/* Calls `each` for every source. ERR_STORE, or what `each` fails with. */
int store_sources(struct store *store,
                  int (*each)(void *context, const struct place *place, struct err *err),
                  void *context, struct err *err);

/* Writes a batch in one transaction: its records get the next gseq in order, its places are set.
 * Entries that are known are compared with what is stored, and is_fork says how that ended. When
 * this returns 0 all of it is durable, otherwise nothing of it was written.
 *
 *   err   ERR_RESTRICTED the disk is full: try again later; ERR_STORE; ERR_MEMORY
 */
int store_write(struct store *store, struct batch *batch, struct err *err);

/* Records stored; the newest gseq. */
int64_t store_count(const struct store *store);
