/* db.h - SQLite, as Corral uses it: write-ahead log, synchronous FULL, one small set of calls.
 *
 * This is the only folder that includes sqlite3.h. A connection and its statements belong to one
 * thread at a time; a second thread opens its own, read-only for queries: it sees what was
 * committed. Tables are made by migrations, STRICT and with the checks that their rows need.
 *
 *     SCOPED(stmt_free) struct stmt *s = NULL;
 *     if (db_prepare(db, "SELECT name, size FROM sandbox WHERE tenant = ?1", &s, err))
 *         return -1;
 *     stmt_bind_text(s, 1, tenant);
 *     int got;
 *     while ((got = stmt_step(s, err)) == 1)
 *         use(stmt_text(s, 0), stmt_int(s, 1));
 *     return got;
 *
 * Errors of all calls here: ERR_STATE a constraint refused the row (unique, check, foreign key);
 * ERR_RESTRICTED the disk is full, nothing is lost and a later try may succeed; ERR_DEADLINE the
 * time of db_set_deadline is over; ERR_MEMORY; ERR_STORE anything else. sqlite.org/rescode.html
 */
#pragma once

#include "base/bytes.h"
#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

struct db;
struct stmt;

struct db_options {
    bool read_only;                /* the file must exist; migrations are not run, but checked */
    int busy_ms;                   /* waiting for another connection's lock; 0: 5,000 */
    int cache_kib;                 /* page cache; 0: SQLite's own, 2,000 */
    int checkpoint_pages;          /* of the log before it is folded in; 0: SQLite's own, 1,000 */
    const char *const *migrations; /* SQL texts; the n-th leads from user_version n - 1 to n */
    int migration_count;
};

/* Opens or makes (mode 0600) a database and brings its schema up to date, each migration in a
 * transaction of its own.
 *
 *   path     used with the working directory; a final symlink is refused
 *   err      ERR_NOT_FOUND read-only and absent; ERR_STORE no database, or made by a newer Corral
 */
int db_open(const char *path, const struct db_options *options, struct db **out, struct err *err);

/* Closes; fine on NULL. All its statements must be freed before. An open transaction is undone. */
void db_free(struct db **db);

/* Runs statements that return no rows, separated by semicolons. */
int db_exec(struct db *db, const char *sql, struct err *err);

/* BEGIN IMMEDIATE: the lock is taken now, so that COMMIT cannot meet another writer. */
int db_begin(struct db *db, struct err *err);

/* COMMIT: durable when it returns 0. On failure the transaction has been undone. */
int db_commit(struct db *db, struct err *err);

/* Undoes the open transaction; fine when there is none (a full disk ends one by itself). */
void db_rollback(struct db *db);

/* Steps after this CLOCK_BOOTTIME instant (clock_boot_ms) end with ERR_DEADLINE, also in the middle
 * of a long query; 0: no bound. */
void db_set_deadline(struct db *db, int64_t boot_ms);

/* Rows changed by the newest INSERT, UPDATE or DELETE; the rowid of the newest INSERT. */
int64_t db_changes(const struct db *db);
int64_t db_last_rowid(const struct db *db);

/* Compiles one statement. The text is not kept. Free it before the database. */
int db_prepare(struct db *db, const char *sql, struct stmt **out, struct err *err);
void stmt_free(struct stmt **s);

/* Parameters, numbered from 1 as ?1; values are copied. A number that the statement does not have
 * is a bug. Running out of memory is remembered and said by the next stmt_step. */
void stmt_bind_text(struct stmt *s, int number, const char *text); /* NULL: null */
void stmt_bind_view(struct stmt *s, int number, struct view text); /* text without a NUL behind */
void stmt_bind_int(struct stmt *s, int number, int64_t value);
void stmt_bind_real(struct stmt *s, int number, double value);
void stmt_bind_blob(struct stmt *s, int number, struct view data);
void stmt_bind_null(struct stmt *s, int number);

/* 1: a row is there; 0: done; -1. After 0 and -1 the statement is reset and its parameters are null
 * again, ready to be bound anew. */
int stmt_step(struct stmt *s, struct err *err);

/* Steps a statement that returns no row. */
int stmt_run(struct stmt *s, struct err *err);

/* Leaves a query before its end; its parameters are null again. */
void stmt_reset(struct stmt *s);

/* Columns of the row, numbered from 0; views and texts are valid until the next step or reset. Null
 * reads as 0, "" and an empty view. */
bool stmt_is_null(struct stmt *s, int column);
int64_t stmt_int(struct stmt *s, int column);
double stmt_real(struct stmt *s, int column);
const char *stmt_text(struct stmt *s, int column);
struct view stmt_blob(struct stmt *s, int column);

/* What a column is called; valid as long as the statement. */
const char *stmt_name(struct stmt *s, int column);
