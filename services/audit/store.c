/* store.c - audit.db; see store.h. */
#include "audit/store.h"

#include "audit/sources.h"
#include "audit/tree.h"
#include "base/fault.h"
#include "base/mem.h"
#include "base/scope.h"
#include "base/text.h"
#include "engine/record/derive.h"
#include "engine/record/tables.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    CHECKPOINT_PAGES = 4000, /* 16 MiB of log between two foldings, each with its own syncs */
    CACHE_KIB = 16 * 1024
};

struct store {
    struct db *db;
    struct stmt *add, *find, *place;
    struct tree *tree;
    int64_t gseq; /* the newest */
    struct name {
        int64_t id;
        char name[SOURCE_BYTES];
    } names[SOURCES_MAX]; /* of sources; never changed once they are committed */
    size_t name_count;
};

static int open_db(const char *path, bool read_only, struct db **db, struct err *err)
{
    char file[512];
    snprintf(file, sizeof file, "%s/audit.db", path);
    struct db_options options = {.read_only = read_only,
                                 .cache_kib = read_only ? 0 : CACHE_KIB,
                                 .checkpoint_pages = CHECKPOINT_PAGES,
                                 .migrations = tables_migrations(),
                                 .migration_count = TABLES_VERSION};
    return db_open(file, &options, db, err);
}

int store_open_reader(const char *path, struct db **db, struct err *err)
{
    return open_db(path, true, db, err);
}

/* "" for a source that has no row: its record will be refused by the database. */
static const char *source_name(const struct store *s, int64_t id)
{
    for (size_t i = 0; i < s->name_count; i++)
        if (s->names[i].id == id)
            return s->names[i].name;
    return "";
}

static int keep_name(struct store *s, int64_t id, const char *name, struct err *err)
{
    size_t at = 0;
    while (at < s->name_count && s->names[at].id != id)
        at++;
    if (at == SOURCES_MAX)
        return err_set(err, ERR_STORE, "more than %d sources", SOURCES_MAX);
    s->names[at].id = id;
    text_copy(s->names[at].name, SOURCE_BYTES, name);
    s->name_count += at == s->name_count;
    return 0;
}

static int load_names(struct store *s, struct err *err)
{
    SCOPED(stmt_free) struct stmt *all = NULL;
    int got;
    if (db_prepare(s->db, "SELECT id, name FROM source", &all, err))
        return -1;
    while ((got = stmt_step(all, err)) == 1)
        if (keep_name(s, stmt_int(all, 0), stmt_text(all, 1), err))
            return -1;
    return got;
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
    if (open_db(path, false, &s->db, err) || prepare(s, err) || load_names(s, err) ||
        tree_open(path, s->db, s->gseq, &s->tree, err))
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
    tree_free(&s->tree);
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

static void bind_column(struct stmt *s, int number, const struct derived_column *column)
{
    if (column->is_number)
        stmt_bind_int(s, number, column->number);
    else
        stmt_bind_text(s, number, column->text);
}

static int add(struct store *s, const struct entry *e, struct view payload, int64_t gseq,
               struct err *err)
{
    struct derived derived = {0};
    struct derived_column columns[DERIVED_COLUMNS];
    const int64_t numbers[] = {gseq,       e->source,      e->epoch, e->seq,        e->wall_ns,
                               e->boot_ns, e->received_ns, e->type,  DERIVE_VERSION};
    int at = 1;
    for (size_t i = 0; i < COUNT(numbers); i++)
        stmt_bind_int(s->add, at++, numbers[i]);
    derive(e->type, payload, &derived);
    derived_columns(&derived, columns);
    for (size_t i = 0; i < COUNT(columns); i++)
        bind_column(s->add, at++, &columns[i]);
    stmt_bind_blob(s->add, at, payload);
    const struct leaf leaf = {gseq,           source_name(s, e->source),
                              e->epoch,       e->seq,
                              e->wall_ns,     e->boot_ns,
                              e->received_ns, e->type,
                              payload};
    return stmt_run(s->add, err) || tree_add(s->tree, &leaf, err) ? -1 : 0;
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
    if (keep_name(s, p->source, p->name, err))
        return -1;
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
    tree_begin(s->tree);
    if (put_all(s, batch, &gseq, err) || tree_seal(s->tree, err)) {
        db_rollback(s->db);
        tree_undo(s->tree);
        return -1;
    }
    if (db_commit(s->db, err)) {
        tree_undo(s->tree);
        return -1;
    }
    tree_committed(s->tree);
    s->gseq = gseq;
    fault_point("audit.commit");
    return 0;
}

int64_t store_count(const struct store *s)
{
    return s->gseq;
}
