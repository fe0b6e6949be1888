/* db.c - opening, migrating, transactions; see db.h. */
#include "store/db.h"

#include "base/clock.h"
#include "base/fault.h"
#include "base/mem.h"
#include "base/scope.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    DEFAULT_BUSY_MS = 5000,
    OPS_BETWEEN_LOOKS = 1000,     /* of SQLite's virtual machine, some ten microseconds */
    MAX_BYTES = 16 * 1024 * 1024, /* of a text, blob or statement */
    MAX_ATTACHED = 0
};

struct db {
    sqlite3 *handle;
    int64_t deadline_ms; /* CLOCK_BOOTTIME; 0: none */
};

struct stmt {
    struct db *db;
    sqlite3_stmt *handle;
    int bind_result; /* the first failure of a bind, for the next step */
};

static enum err_code code_of(int result)
{
    switch (result & 0xff) {
    case SQLITE_CONSTRAINT:
        return ERR_STATE;
    case SQLITE_FULL:
        return ERR_RESTRICTED;
    case SQLITE_INTERRUPT:
        return ERR_DEADLINE;
    case SQLITE_NOMEM:
        return ERR_MEMORY;
    default:
        return ERR_STORE;
    }
}

/* Fills err; the connection has more words only for its own newest failure. */
static int db_error(const struct db *db, int result, struct err *err)
{
    bool newest = sqlite3_extended_errcode(db->handle) == result;
    return err_set(err, code_of(result), "database: %s",
                   newest ? sqlite3_errmsg(db->handle) : sqlite3_errstr(result));
}

static int look_at_clock(void *at)
{
    const struct db *db = at;
    return db->deadline_ms && clock_boot_ms() >= db->deadline_ms;
}

/* Makes the file, so that it has its mode from the start; SQLite gives the log the same. */
static int make_file(const char *path, bool read_only, struct err *err)
{
    int flags = read_only ? O_RDONLY : O_RDWR | O_CREAT;
    SCOPED(fd_close) int fd = open(path, flags | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, 0600);
    if (fd < 0 && errno == ENOENT && read_only)
        return err_set(err, ERR_NOT_FOUND, "database %s does not exist", path);
    return fd < 0 ? err_sys(err, "opening database %s", path) : 0;
}

static int open_handle(struct db *db, const char *path, bool read_only, struct err *err)
{
    int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE |
                (read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE);
    int result = sqlite3_open_v2(path, &db->handle, flags, NULL);
    if (result != SQLITE_OK)
        return db->handle ? db_error(db, result, err)
                          : err_set(err, ERR_MEMORY, "no memory for a database");
    return 0;
}

static int configure(struct db *db, const struct db_options *options, struct err *err)
{
    sqlite3_busy_timeout(db->handle, options->busy_ms ? options->busy_ms : DEFAULT_BUSY_MS);
    sqlite3_db_config(db->handle, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_db_config(db->handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    sqlite3_db_config(db->handle, SQLITE_DBCONFIG_ENABLE_FKEY, 1, NULL);
    sqlite3_db_config(db->handle, SQLITE_DBCONFIG_DQS_DML, 0, NULL);
    sqlite3_db_config(db->handle, SQLITE_DBCONFIG_DQS_DDL, 0, NULL);
    sqlite3_limit(db->handle, SQLITE_LIMIT_LENGTH, MAX_BYTES);
    sqlite3_limit(db->handle, SQLITE_LIMIT_ATTACHED, MAX_ATTACHED);
    sqlite3_progress_handler(db->handle, OPS_BETWEEN_LOOKS, look_at_clock, db);
    if (options->checkpoint_pages)
        sqlite3_wal_autocheckpoint(db->handle, options->checkpoint_pages);
    char cache[64];
    snprintf(cache, sizeof cache, "PRAGMA cache_size = -%d", options->cache_kib);
    if (db_exec(db, "PRAGMA temp_store = MEMORY; PRAGMA cell_size_check = ON", err) ||
        (options->cache_kib && db_exec(db, cache, err)))
        return -1;
    return options->read_only ? 0 : db_exec(db, "PRAGMA synchronous = FULL", err);
}

/* The answer of a statement with one number or text. */
static int ask(struct db *db, const char *sql, int64_t *number, char word[16], struct err *err)
{
    SCOPED(stmt_free) struct stmt *s = NULL;
    if (db_prepare(db, sql, &s, err))
        return -1;
    int got = stmt_step(s, err);
    if (got < 0)
        return -1;
    *number = got ? stmt_int(s, 0) : 0;
    snprintf(word, 16, "%s", got ? stmt_text(s, 0) : "");
    return 0;
}

/* The write-ahead log is a property of the file; a file system without shared memory refuses it. */
static int use_log(struct db *db, struct err *err)
{
    int64_t number;
    char mode[16];
    if (ask(db, "PRAGMA journal_mode = WAL", &number, mode, err))
        return -1;
    return strcmp(mode, "wal") ? err_set(err, ERR_STORE, "no write-ahead log here: mode %s", mode)
                               : 0;
}

static int migrate_once(struct db *db, const char *sql, int to_version, struct err *err)
{
    char version[64];
    snprintf(version, sizeof version, "PRAGMA user_version = %d", to_version);
    if (db_begin(db, err))
        return -1;
    if (db_exec(db, sql, err) || db_exec(db, version, err)) {
        db_rollback(db);
        return -1;
    }
    return db_commit(db, err);
}

static int migrate(struct db *db, const struct db_options *options, struct err *err)
{
    int64_t version;
    char word[16];
    if (ask(db, "PRAGMA user_version", &version, word, err))
        return -1;
    if (version < 0 || version > options->migration_count)
        return err_set(
            err, ERR_STORE,
            "its schema is version %lld, made by a newer Corral; this one knows up to %d",
            (long long)version, options->migration_count);
    if (options->read_only && version < options->migration_count)
        return err_set(err, ERR_STORE, "its schema is version %lld, not yet brought up to %d",
                       (long long)version, options->migration_count);
    for (int i = (int)version; i < options->migration_count; i++)
        if (migrate_once(db, options->migrations[i], i + 1, err))
            return err_add(err, "migration to version %d", i + 1);
    return 0;
}

int db_open(const char *path, const struct db_options *options, struct db **out, struct err *err)
{
    assert(path && options && out && err);
    if (make_file(path, options->read_only, err))
        return -1;
    SCOPED(db_free) struct db *db = mem_new(1, sizeof *db);
    if (!db)
        return err_set(err, ERR_MEMORY, "no memory for a database");
    if (open_handle(db, path, options->read_only, err) || configure(db, options, err) ||
        (!options->read_only && use_log(db, err)) || migrate(db, options, err))
        return err_add(err, "%s", path);
    *out = TAKE(db);
    return 0;
}

void db_free(struct db **at)
{
    struct db *db = TAKE(*at);
    if (!db)
        return;
    int result = sqlite3_close(db->handle);
    assert(result == SQLITE_OK); /* SQLITE_BUSY: a statement was not freed */
    free(db);
}

/* Compiles the first statement of a text; *rest is what follows it. NULL for blanks. */
static int compile(struct db *db, const char *sql, sqlite3_stmt **out, const char **rest,
                   struct err *err)
{
    int result = sqlite3_prepare_v2(db->handle, sql, -1, out, rest);
    return result == SQLITE_OK ? 0 : db_error(db, result, err);
}

int db_exec(struct db *db, const char *sql, struct err *err)
{
    while (*sql) {
        SCOPED(stmt_free) struct stmt *s = mem_new(1, sizeof *s);
        if (!s)
            return err_set(err, ERR_MEMORY, "no memory for a statement");
        s->db = db;
        if (compile(db, sql, &s->handle, &sql, err) || (s->handle && stmt_run(s, err)))
            return -1;
    }
    return 0;
}

int db_begin(struct db *db, struct err *err)
{
    return db_exec(db, "BEGIN IMMEDIATE", err);
}

int db_commit(struct db *db, struct err *err)
{
    if (!db_exec(db, "COMMIT", err))
        return 0;
    db_rollback(db);
    return -1;
}

void db_rollback(struct db *db)
{
    if (!sqlite3_get_autocommit(db->handle))
        sqlite3_exec(db->handle, "ROLLBACK", NULL, NULL, NULL);
    assert(sqlite3_get_autocommit(db->handle));
}

void db_set_deadline(struct db *db, int64_t boot_ms)
{
    db->deadline_ms = boot_ms;
}

int64_t db_changes(const struct db *db)
{
    return sqlite3_changes64(db->handle);
}

int64_t db_last_rowid(const struct db *db)
{
    return sqlite3_last_insert_rowid(db->handle);
}

int db_prepare(struct db *db, const char *sql, struct stmt **out, struct err *err)
{
    assert(db && sql && out && err);
    SCOPED(stmt_free) struct stmt *s = mem_new(1, sizeof *s);
    if (!s)
        return err_set(err, ERR_MEMORY, "no memory for a statement");
    s->db = db;
    const char *rest;
    if (compile(db, sql, &s->handle, &rest, err))
        return -1;
    assert(s->handle && !*rest); /* exactly one statement */
    *out = TAKE(s);
    return 0;
}

void stmt_free(struct stmt **at)
{
    struct stmt *s = TAKE(*at);
    if (!s)
        return;
    sqlite3_finalize(s->handle);
    free(s);
}

static void note_bind(struct stmt *s, int result)
{
    assert(result != SQLITE_RANGE && result != SQLITE_MISUSE); /* no such parameter, or stepping */
    if (result != SQLITE_OK && s->bind_result == SQLITE_OK)
        s->bind_result = result;
}

void stmt_bind_text(struct stmt *s, int number, const char *text)
{
    note_bind(s, sqlite3_bind_text(s->handle, number, text, -1, SQLITE_TRANSIENT));
}

void stmt_bind_view(struct stmt *s, int number, struct view text)
{
    const char *start = text.data ? (const char *)text.data : "";
    note_bind(
        s, sqlite3_bind_text64(s->handle, number, start, text.len, SQLITE_TRANSIENT, SQLITE_UTF8));
}

void stmt_bind_int(struct stmt *s, int number, int64_t value)
{
    note_bind(s, sqlite3_bind_int64(s->handle, number, value));
}

void stmt_bind_real(struct stmt *s, int number, double value)
{
    note_bind(s, sqlite3_bind_double(s->handle, number, value));
}

void stmt_bind_blob(struct stmt *s, int number, struct view data)
{
    const void *start = data.data ? (const void *)data.data : "";
    note_bind(s, sqlite3_bind_blob64(s->handle, number, start, data.len, SQLITE_TRANSIENT));
}

void stmt_bind_null(struct stmt *s, int number)
{
    note_bind(s, sqlite3_bind_null(s->handle, number));
}

/* A query that answers from the cache may never reach the progress handler: look here as well. */
static int step_once(struct stmt *s)
{
    if (fault_hit(FAULT_SQLITE))
        return SQLITE_IOERR;
    if (look_at_clock(s->db))
        return SQLITE_INTERRUPT;
    return sqlite3_step(s->handle);
}

int stmt_step(struct stmt *s, struct err *err)
{
    int result = s->bind_result != SQLITE_OK ? s->bind_result : step_once(s);
    if (result == SQLITE_ROW)
        return 1;
    int failed = result == SQLITE_DONE ? 0 : db_error(s->db, result, err);
    stmt_reset(s);
    return failed;
}

int stmt_run(struct stmt *s, struct err *err)
{
    int got = stmt_step(s, err);
    assert(got != 1); /* a statement with rows has to be stepped */
    return got;
}

void stmt_reset(struct stmt *s)
{
    sqlite3_reset(s->handle);
    sqlite3_clear_bindings(s->handle);
    s->bind_result = SQLITE_OK;
}

const char *stmt_name(struct stmt *s, int column)
{
    const char *name = sqlite3_column_name(s->handle, column);
    return name ? name : "?"; /* without memory */
}

bool stmt_is_null(struct stmt *s, int column)
{
    return sqlite3_column_type(s->handle, column) == SQLITE_NULL;
}

int64_t stmt_int(struct stmt *s, int column)
{
    return sqlite3_column_int64(s->handle, column);
}

double stmt_real(struct stmt *s, int column)
{
    return sqlite3_column_double(s->handle, column);
}

const char *stmt_text(struct stmt *s, int column)
{
    const unsigned char *text = sqlite3_column_text(s->handle, column);
    return text ? (const char *)text : "";
}

struct view stmt_blob(struct stmt *s, int column)
{
    const void *data = sqlite3_column_blob(s->handle, column);
    return (struct view){data, data ? (size_t)sqlite3_column_bytes(s->handle, column) : 0};
}
