/* store.c - audit.db; see store.h.
 *
 * Indexes. Every question is answered newest first, by gseq, which is the rowid and so the last
 * part of every index: an equality on the indexed column leaves rows in that order and a page is
 * read without sorting. That is why there is one column in each: behind a second one (kind, status)
 * rows come in another order, and a page of one kind took 30 ms instead of 0.2 at 100,000 rows.
 * Partial indexes leave out the rows that nobody looks for by them: empty fields, successes.
 *
 * What they cost, measured with records of 375 bytes in batches of 512: a record takes 10 us of CPU
 * and 750 bytes without these six, 20 us and 900 bytes with them, each one 1 to 2 us. Without its
 * index a filter that few rows pass reads the whole table: 30 ms at 100,000 rows, and so more with
 * each day.
 */
#include "audit/store.h"

#include "audit/derive.h"
#include "base/fault.h"
#include "base/mem.h"
#include "base/scope.h"

#include <stdio.h>
#include <stdlib.h>

static const char *const migrations[] = {
    "CREATE TABLE source("
    " id INTEGER PRIMARY KEY,"
    " name TEXT NOT NULL UNIQUE,"
    " principal TEXT NOT NULL," /* <tenant>/<principal>; empty: this audit itself */
    " epoch INTEGER NOT NULL CHECK(epoch >= 1),"
    " upto INTEGER NOT NULL CHECK(upto >= 0)"
    ") STRICT;"

    "CREATE TABLE event("
    " gseq INTEGER PRIMARY KEY,"
    " source INTEGER NOT NULL REFERENCES source(id),"
    " epoch INTEGER NOT NULL,"
    " seq INTEGER NOT NULL,"
    " time_ns INTEGER NOT NULL,"
    " boot_ns INTEGER NOT NULL,"
    " received_ns INTEGER NOT NULL,"
    " type INTEGER NOT NULL,"
    " derive_version INTEGER NOT NULL,"
    " kind TEXT, phase TEXT, status TEXT,"
    " tenant TEXT, principal TEXT, agent TEXT, sandbox_id TEXT, op_id TEXT,"
    " cause TEXT, rule TEXT, verdict_id TEXT, risk TEXT,"
    " exit_code INTEGER, duration_ms INTEGER, cpu_ms INTEGER, memory_peak_bytes INTEGER,"
    " command TEXT, detail TEXT,"
    " body BLOB NOT NULL," /* last: its overflow pages stand in nobody's way */
    " UNIQUE(source, epoch, seq)"
    ") STRICT;"

    "CREATE INDEX event_sandbox ON event(sandbox_id) WHERE sandbox_id IS NOT NULL;"
    "CREATE INDEX event_agent ON event(agent) WHERE agent IS NOT NULL;"
    "CREATE INDEX event_tenant ON event(tenant) WHERE tenant IS NOT NULL;"
    "CREATE INDEX event_kind ON event(kind) WHERE kind IS NOT NULL;"
    "CREATE INDEX event_status ON event(status) WHERE status <> 'success';"
    "CREATE INDEX event_time ON event(time_ns);"

    "CREATE VIEW audit_logs AS SELECT"
    " gseq AS id,"
    " strftime('%Y-%m-%dT%H:%M:%fZ', time_ns / 1000000000.0, 'unixepoch') AS timestamp,"
    " agent AS agent_id,"
    " sandbox_id,"
    " kind AS operation_type,"
    " status,"
    " coalesce(command, detail) AS details,"
    " CASE WHEN cpu_ms IS NULL AND memory_peak_bytes IS NULL THEN NULL ELSE"
    "  '{\"cpu_ms\":' || ifnull(cpu_ms, 'null') || ',\"memory_peak_bytes\":' ||"
    "  ifnull(memory_peak_bytes, 'null') || '}' END AS resource_usage,"
    " duration_ms,"
    " CASE WHEN status IS NULL OR status = 'success' THEN NULL ELSE coalesce(detail, cause) END"
    "  AS error_message,"
    " phase, op_id, tenant, principal, cause, rule, verdict_id, risk, exit_code,"
    " (SELECT name FROM source WHERE id = event.source) AS source, epoch, seq"
    " FROM event",
};

enum {
    CHECKPOINT_PAGES = 4000, /* 16 MiB of log between two foldings, each with its own syncs */
    CACHE_KIB = 16 * 1024
};

struct store {
    struct db *db;
    struct stmt *add, *find, *place;
    int64_t gseq; /* the newest */
};

static int open_db(const char *path, bool read_only, struct db **db, struct err *err)
{
    char file[512];
    snprintf(file, sizeof file, "%s/audit.db", path);
    struct db_options options = {.read_only = read_only,
                                 .cache_kib = read_only ? 0 : CACHE_KIB,
                                 .checkpoint_pages = CHECKPOINT_PAGES,
                                 .migrations = migrations,
                                 .migration_count = COUNT(migrations)};
    return db_open(file, &options, db, err);
}

int store_open_reader(const char *path, struct db **db, struct err *err)
{
    return open_db(path, true, db, err);
}

static int prepare(struct store *s, struct err *err)
{
    SCOPED(stmt_free) struct stmt *newest = NULL;
    if (db_prepare(s->db, "SELECT max(gseq) FROM event", &newest, err) ||
        stmt_step(newest, err) != 1)
        return -1;
    s->gseq = stmt_int(newest, 0);
    return db_prepare(s->db,
                      "INSERT INTO event VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12,"
                      " ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24, ?25, ?26, ?27,"
                      " ?28)",
                      &s->add, err) ||
                   db_prepare(s->db,
                              "SELECT time_ns, boot_ns, type, body FROM event"
                              " WHERE source = ?1 AND epoch = ?2 AND seq = ?3",
                              &s->find, err) ||
                   db_prepare(s->db,
                              "INSERT INTO source(id, name, principal, epoch, upto)"
                              " VALUES(?1, ?2, ?3, ?4, ?5) ON CONFLICT(id) DO UPDATE"
                              " SET epoch = excluded.epoch, upto = excluded.upto",
                              &s->place, err)
               ? -1
               : 0;
}

int store_open(const char *path, struct store **store, struct err *err)
{
    SCOPED(store_free) struct store *s = mem_new(1, sizeof *s);
    if (!s)
        return err_set(err, ERR_MEMORY, "no memory for a store");
    if (open_db(path, false, &s->db, err) || prepare(s, err))
        return -1;
    *store = TAKE(s);
    return 0;
}

void store_free(struct store **store)
{
    struct store *s = *store;
    if (!s)
        return;
    stmt_free(&s->add);
    stmt_free(&s->find);
    stmt_free(&s->place);
    db_free(&s->db);
    free(s);
    *store = NULL;
}

int store_sources(struct store *s,
                  int (*each)(void *context, const struct place *place, struct err *err),
                  void *context, struct err *err)
{
    SCOPED(stmt_free) struct stmt *all = NULL;
    if (db_prepare(s->db, "SELECT id, name, principal, epoch, upto FROM source", &all, err))
        return -1;
    int got;
    while ((got = stmt_step(all, err)) == 1) {
        struct place place = {
            .source = stmt_int(all, 0), .epoch = stmt_int(all, 3), .upto = stmt_int(all, 4)};
        snprintf(place.name, sizeof place.name, "%s", stmt_text(all, 1));
        snprintf(place.owner, sizeof place.owner, "%s", stmt_text(all, 2));
        if (each(context, &place, err))
            return -1;
    }
    return got;
}

static void bind_word(struct stmt *s, int number, const char *text)
{
    stmt_bind_text(s, number, *text ? text : NULL);
}

static void bind_number(struct stmt *s, int number, int64_t value, bool is_there)
{
    if (is_there)
        stmt_bind_int(s, number, value);
}

static void bind_derived(struct stmt *s, const struct derived *d)
{
    const struct event *e = &d->event;
    const char *const words[] = {
        e->kind,       e->phase, e->status, e->tenant, e->principal,          e->agent,
        e->sandbox_id, e->op_id, e->cause,  d->rule,   e->verdict.verdict_id, e->verdict.risk};
    for (size_t i = 0; i < COUNT(words); i++)
        bind_word(s, 10 + (int)i, words[i]);
    bind_number(s, 22, e->exit_code, d->has_exit_code);
    bind_number(s, 23, e->duration_ms, d->has_duration);
    bind_number(s, 24, e->cpu_ms, e->cpu_ms);
    bind_number(s, 25, e->memory_peak_bytes, e->memory_peak_bytes);
    bind_word(s, 26, d->command);
    bind_word(s, 27, e->detail);
}

static int add(struct store *s, const struct entry *e, struct view payload, int64_t gseq,
               struct err *err)
{
    struct derived derived = {0};
    const int64_t numbers[] = {gseq,       e->source,      e->epoch, e->seq,        e->wall_ns,
                               e->boot_ns, e->received_ns, e->type,  DERIVE_VERSION};
    for (size_t i = 0; i < COUNT(numbers); i++)
        stmt_bind_int(s->add, 1 + (int)i, numbers[i]);
    derive(e->type, payload, &derived);
    if (derived.is_event)
        bind_derived(s->add, &derived);
    stmt_bind_blob(s->add, 28, payload);
    return stmt_run(s->add, err);
}

/* A record that was passed over as missing and comes after all is not stored out of its order. */
static int compare(struct store *s, struct entry *e, struct view payload, struct err *err)
{
    stmt_bind_int(s->find, 1, e->source);
    stmt_bind_int(s->find, 2, e->epoch);
    stmt_bind_int(s->find, 3, e->seq);
    int got = stmt_step(s->find, err);
    if (got <= 0)
        return got;
    e->is_fork = stmt_int(s->find, 0) != e->wall_ns || stmt_int(s->find, 1) != e->boot_ns ||
                 stmt_int(s->find, 2) != e->type || !view_equal(stmt_blob(s->find, 3), payload);
    stmt_reset(s->find);
    return 0;
}

static int put_place(struct store *s, const struct place *p, struct err *err)
{
    stmt_bind_int(s->place, 1, p->source);
    stmt_bind_text(s->place, 2, p->name);
    stmt_bind_text(s->place, 3, p->owner);
    stmt_bind_int(s->place, 4, p->epoch);
    stmt_bind_int(s->place, 5, p->upto);
    return stmt_run(s->place, err);
}

/* Places first: records refer to their sources. */
static int put_all(struct store *s, struct batch *batch, int64_t *gseq, struct err *err)
{
    for (size_t i = 0; i < batch->place_count; i++)
        if (put_place(s, &batch->places[i], err))
            return -1;
    for (size_t i = 0; i < batch->count; i++) {
        struct entry *e = &batch->entries[i];
        struct view payload = batch_payload(batch, e);
        if (i == batch->count / 2)
            fault_point("audit.insert");
        if (e->is_known ? compare(s, e, payload, err) : add(s, e, payload, *gseq + 1, err))
            return err_add(err, "record %lld", (long long)e->seq);
        *gseq += !e->is_known;
    }
    return 0;
}

int store_write(struct store *s, struct batch *batch, struct err *err)
{
    int64_t gseq = s->gseq;
    fault_point("audit.begin");
    if (db_begin(s->db, err))
        return -1;
    if (put_all(s, batch, &gseq, err)) {
        db_rollback(s->db);
        return -1;
    }
    if (db_commit(s->db, err))
        return -1;
    s->gseq = gseq;
    fault_point("audit.commit");
    return 0;
}

int64_t store_count(const struct store *s)
{
    return s->gseq;
}
