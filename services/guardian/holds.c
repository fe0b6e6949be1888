/* holds.c - who is held, in memory and in guardian.db; see holds.h. */
#include "guardian/holds.h"

#include "base/mem.h"
#include "base/scope.h"
#include "base/text.h"
#include "net/registry.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void holds_close(struct holds *h)
{
    free(h->rows);
    *h = (struct holds){0};
}

static bool is_same(const struct hold *a, const struct hold *b)
{
    return !strcmp(a->scope, b->scope) && !strcmp(a->tenant, b->tenant) &&
           !strcmp(a->agent, b->agent);
}

struct hold *holds_find(const struct holds *h, const struct hold *what)
{
    for (size_t i = 0; i < h->count; i++)
        if (is_same(&h->rows[i], what))
            return &h->rows[i];
    return NULL;
}

const struct hold *holds_against(const struct holds *h, const char *tenant, const char *agent)
{
    for (size_t i = 0; i < h->count; i++) {
        const struct hold *row = &h->rows[i];
        bool is_of_tenant = !strcmp(row->tenant, tenant);
        if (!strcmp(row->scope, "host") || (!strcmp(row->scope, "tenant") && is_of_tenant) ||
            (!strcmp(row->scope, "agent") && is_of_tenant && !strcmp(row->agent, agent)))
            return row;
    }
    return NULL;
}

int holds_add(struct holds *h, const struct hold *hold, struct err *err)
{
    const struct hold *there = holds_find(h, hold);
    if (there)
        return err_set(err, ERR_STATE, "held already by %s: %.100s", there->by, there->reason);
    if (h->count == HOLDS_MAX)
        return err_set(err, ERR_QUOTA, "%d holds are the most; release one", HOLDS_MAX);
    if (!h->rows)
        h->rows = mem_new(HOLDS_MAX, sizeof *h->rows);
    if (!h->rows)
        return err_set(err, ERR_MEMORY, "no memory for holds");
    h->rows[h->count++] = *hold;
    return 0;
}

void holds_remove(struct holds *h, const struct hold *what)
{
    struct hold *there = holds_find(h, what);
    if (!there)
        return;
    size_t at = (size_t)(there - h->rows);
    memmove(there, there + 1, (h->count - at - 1) * sizeof *there);
    h->count--;
}

const char hold_schema[] =
    "CREATE TABLE hold (place INTEGER PRIMARY KEY AUTOINCREMENT, scope TEXT NOT NULL"
    " CHECK (scope IN ('agent', 'tenant', 'host')), tenant TEXT NOT NULL, agent TEXT NOT NULL,"
    " by TEXT NOT NULL, reason TEXT NOT NULL, since_ns INTEGER NOT NULL,"
    " UNIQUE (scope, tenant, agent)) STRICT;";

static int put(struct db *db, const struct journal_record *record, const struct event *e,
               const char *tenant, struct err *err)
{
    char by[2 * NAME_BYTES];
    SCOPED(stmt_free) struct stmt *s = NULL;
    if (db_prepare(db,
                   "INSERT OR REPLACE INTO hold (scope, tenant, agent, by, reason, since_ns)"
                   " VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                   &s, err))
        return -1;
    snprintf(by, sizeof by, "%s/%s", e->principal_tenant[0] ? e->principal_tenant : e->tenant,
             e->principal);
    stmt_bind_text(s, 1, e->scope);
    stmt_bind_text(s, 2, tenant);
    stmt_bind_text(s, 3, e->agent);
    stmt_bind_text(s, 4, by);
    stmt_bind_text(s, 5, e->detail);
    stmt_bind_int(s, 6, record->wall_ns);
    return stmt_run(s, err);
}

static int drop(struct db *db, const struct event *e, const char *tenant, struct err *err)
{
    SCOPED(stmt_free) struct stmt *s = NULL;
    if (db_prepare(db, "DELETE FROM hold WHERE scope = ?1 AND tenant = ?2 AND agent = ?3", &s, err))
        return -1;
    stmt_bind_text(s, 1, e->scope);
    stmt_bind_text(s, 2, tenant);
    stmt_bind_text(s, 3, e->agent);
    return stmt_run(s, err);
}

/* The record of a host's hold names a tenant all the same: the one who asked. */
int hold_apply(struct db *db, const struct journal_record *record, const struct event *event,
               struct err *err)
{
    const char *tenant = !strcmp(event->scope, "host") ? "" : event->tenant;
    return !strcmp(event->kind, "hold_add") ? put(db, record, event, tenant, err)
                                            : drop(db, event, tenant, err);
}

int holds_load(struct db *db, struct holds *h, struct err *err)
{
    SCOPED(stmt_free) struct stmt *s = NULL;
    if (db_prepare(db, "SELECT scope, tenant, agent, by, reason, since_ns FROM hold ORDER BY place",
                   &s, err))
        return -1;
    int got;
    while ((got = stmt_step(s, err)) == 1) {
        struct hold row = {.since_ns = stmt_int(s, 5)};
        text_copy(row.scope, sizeof row.scope, stmt_text(s, 0));
        text_copy(row.tenant, sizeof row.tenant, stmt_text(s, 1));
        text_copy(row.agent, sizeof row.agent, stmt_text(s, 2));
        text_copy(row.by, sizeof row.by, stmt_text(s, 3));
        text_copy(row.reason, sizeof row.reason, stmt_text(s, 4));
        if (holds_add(h, &row, err))
            return -1;
    }
    return got;
}
