/* readers.h - read-only connections for questions: one for each that runs, kept for the next.
 *
 * Thread-safe: workers take and give.
 */
#pragma once

#include "store/db.h"

struct readers;

/* For the database in the directory `path` (see store.h). ERR_MEMORY. */
int readers_new(const char *path, struct readers **readers, struct err *err);

/* Closes all; every one must have been given back. Fine on NULL. */
void readers_free(struct readers **readers);

/* A connection for the caller alone, until readers_give. Errors of db_open. */
int readers_take(struct readers *readers, struct db **db, struct err *err);

/* Takes a connection back and nulls it; its statements are freed. Fine on NULL. */
void readers_give(struct readers *readers, struct db **db);
