/* projection.c - a database that follows the journal; see projection.h.
 *
 * Invariant: the row of table `projection` and the rows that apply wrote are of one transaction.
 */
#include "service/projection.h"

#include "base/log.h"
#include "base/mem.h"
#include "base/scope.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

enum { BATCH_RECORDS = 256 };

struct projection {
    struct db *db;
    const struct projection_table *table;
    struct journal *journal;       /* once caught up */
    struct journal_cursor *cursor; /* behind `applied`; NULL: not yet */
    uint64_t epoch, applied;

    /* following; the worker owns db, cursor, epoch and applied while is_busy */
    bool is_busy;
    uint64_t durable;
    struct outbox *outbox;
    struct workers *workers;
    struct err failure;
    bool has_failed;
    void (*failed)(void *context, const struct err *err);
    void *context;
};

static int read_place(struct projection *p, struct err *err)
{
    if (db_exec(p->db,
                "CREATE TABLE IF NOT EXISTS projection (id INTEGER PRIMARY KEY CHECK (id = 1),"
                " epoch INTEGER NOT NULL, applied_seq INTEGER NOT NULL) STRICT;"
                "INSERT OR IGNORE INTO projection VALUES (1, 0, 0)",
                err))
        return -1;
    SCOPED(stmt_free) struct stmt *s = NULL;
    if (db_prepare(p->db, "SELECT epoch, applied_seq FROM projection", &s, err) ||
        stmt_step(s, err) != 1)
        return -1;
    p->epoch = (uint64_t)stmt_int(s, 0);
    p->applied = (uint64_t)stmt_int(s, 1);
    stmt_reset(s);
    return 0;
}

int projection_open(const char *path, const char *name, const struct projection_table *table,
                    struct projection **projection, struct err *err)
{
    char file[512];
    snprintf(file, sizeof file, "%s/%s", path, name);
    struct projection *p = mem_new(1, sizeof *p);
    if (!p)
        return err_set(err, ERR_MEMORY, "no memory for a projection");
    p->table = table;
    struct db_options options = {.migrations = table->migrations,
                                 .migration_count = (int)table->migration_count};
    if (db_open(file, &options, &p->db, err) || read_place(p, err)) {
        projection_free(&p);
        return err_add(err, "%s", file);
    }
    *projection = p;
    return 0;
}

void projection_free(struct projection **projection)
{
    if (!*projection)
        return;
    assert(!(*projection)->is_busy); /* the workers are freed first */
    journal_cursor_free(&(*projection)->cursor);
    db_free(&(*projection)->db);
    free(*projection);
    *projection = NULL;
}

uint64_t projection_epoch(const struct projection *p)
{
    return p->epoch;
}

uint64_t projection_applied(const struct projection *p)
{
    return p->applied;
}

struct db *projection_db(struct projection *p)
{
    return p->db;
}

/* Records of other types, and events of a later version that this one cannot read, are passed over:
 * the journal and the audit keep them. */
static int apply_one(struct projection *p, const struct journal_record *record, struct err *err)
{
    struct event event;
    if (record->type != RECORD_EVENT)
        return 0;
    if (schema_decode(&message_event, record->payload, SCHEMA_LENIENT, &event, err)) {
        log_warn("projection.passed_over seq=%llu error=\"%s\"", (unsigned long long)record->seq,
                 err->text);
        return 0;
    }
    return p->table->apply(p->db, record, &event, err);
}

static int write_place(struct projection *p, uint64_t applied, struct err *err)
{
    SCOPED(stmt_free) struct stmt *s = NULL;
    if (db_prepare(p->db, "UPDATE projection SET epoch = ?1, applied_seq = ?2", &s, err))
        return -1;
    stmt_bind_int(s, 1, (int64_t)p->epoch);
    stmt_bind_int(s, 2, (int64_t)applied);
    return stmt_run(s, err);
}

/* Applies up to BATCH_RECORDS records in one transaction; *more says that there may be others. */
static int apply_batch(struct projection *p, bool *more, struct err *err)
{
    uint64_t applied = p->applied;
    int got = 1, count = 0;
    struct journal_record record;
    if (db_begin(p->db, err))
        return -1;
    while (count < BATCH_RECORDS && (got = journal_next(p->cursor, &record, err)) == 1) {
        if (apply_one(p, &record, err)) {
            got = -1;
            break;
        }
        applied = record.seq;
        count++;
    }
    if (got < 0 || write_place(p, applied, err)) {
        db_rollback(p->db);
        return -1;
    }
    if (db_commit(p->db, err))
        return -1;
    p->applied = applied;
    *more = got == 1;
    return 0;
}

/* The cursor stays: a new one reads its segment from the beginning. */
static int apply_all(struct projection *p, struct err *err)
{
    if (!p->cursor && journal_cursor_open(p->journal, p->applied + 1, &p->cursor, err))
        return -1;
    for (bool more = true; more;)
        if (apply_batch(p, &more, err)) {
            journal_cursor_free(&p->cursor); /* it may be further than what was applied */
            return -1;
        }
    return 0;
}

int projection_catch_up(struct projection *p, struct outbox *outbox, struct err *err)
{
    p->journal = outbox_journal(outbox);
    if (p->epoch != journal_epoch(p->journal)) {
        p->epoch = journal_epoch(p->journal);
        p->applied = journal_first(p->journal) - 1;
    }
    if (apply_all(p, err))
        return err_add(err, "catching up with the journal");
    outbox_applied(outbox, p->applied);
    return 0;
}

static void run(void *context)
{
    struct projection *p = context;
    p->has_failed = apply_all(p, &p->failure);
}

static void start(struct projection *p);

static void done(void *context)
{
    struct projection *p = context;
    p->is_busy = false;
    if (p->has_failed) {
        p->failed(p->context, &p->failure);
        return;
    }
    outbox_applied(p->outbox, p->applied);
    if (p->durable > p->applied)
        start(p);
}

/* A full queue of workers is no failure: the next durable record tries again. */
static void start(struct projection *p)
{
    struct err err;
    p->is_busy = !workers_run(p->workers, run, done, p, &err);
}

void projection_follow(struct projection *p, struct outbox *outbox, struct workers *workers,
                       uint64_t seq, void (*failed)(void *context, const struct err *err),
                       void *context)
{
    assert(p->journal);
    p->outbox = outbox;
    p->workers = workers;
    p->durable = seq;
    p->failed = failed;
    p->context = context;
    if (!p->is_busy && p->durable > p->applied)
        start(p);
}
