/* approval_table.c - the approvals in guardian.db; see approval_table.h. */
#include "guardian/approval_table.h"

#include "base/clock.h"
#include "base/scope.h"
#include "base/text.h"

#include <stdio.h>
#include <string.h>

/* `begun_ns` and `begun_boot_ms` are when ttl_ms began: filed, or decided. */
const char approval_schema[] =
    "CREATE TABLE approval (place INTEGER PRIMARY KEY AUTOINCREMENT,"
    " approval_id TEXT NOT NULL UNIQUE, tenant TEXT NOT NULL, agent TEXT NOT NULL,"
    " state TEXT NOT NULL CHECK"
    " (state IN ('pending', 'allowed', 'denied', 'expired', 'used', 'void')),"
    " request BLOB NOT NULL, created_ns INTEGER NOT NULL, begun_ns INTEGER NOT NULL,"
    " begun_boot_ms INTEGER NOT NULL, boot_id TEXT NOT NULL, ttl_ms INTEGER NOT NULL,"
    " scope TEXT NOT NULL DEFAULT '', approver TEXT NOT NULL DEFAULT '',"
    " reason TEXT NOT NULL DEFAULT '', decided_ns INTEGER NOT NULL DEFAULT 0) STRICT;"
    "CREATE INDEX approval_of ON approval (tenant, agent, state);";

static int add(struct db *db, const struct journal_record *record, const struct event *e,
               struct err *err)
{
    SCOPED(stmt_free) struct stmt *s = NULL;
    if (db_prepare(db,
                   "INSERT OR IGNORE INTO approval (approval_id, tenant, agent, state, request,"
                   " created_ns, begun_ns, begun_boot_ms, boot_id, ttl_ms)"
                   " VALUES (?1, ?2, ?3, 'pending', ?4, ?5, ?5, ?6, ?7, ?8)",
                   &s, err))
        return -1;
    stmt_bind_text(s, 1, e->approval_id);
    stmt_bind_text(s, 2, e->tenant);
    stmt_bind_text(s, 3, e->agent);
    stmt_bind_blob(s, 4, record->payload);
    stmt_bind_int(s, 5, record->wall_ns);
    stmt_bind_int(s, 6, record->boot_ns / MS_NS);
    stmt_bind_text(s, 7, e->boot_id);
    stmt_bind_int(s, 8, e->ttl_ms);
    return stmt_run(s, err);
}

/* A decision; its time begins now. */
static int decide(struct db *db, const struct journal_record *record, const struct event *e,
                  struct err *err)
{
    char approver[2 * NAME_BYTES];
    bool is_yes = !strcmp(e->status, "success");
    SCOPED(stmt_free) struct stmt *s = NULL;
    if (db_prepare(db,
                   "UPDATE approval SET state = ?2, begun_ns = ?3, begun_boot_ms = ?4,"
                   " boot_id = ?5, ttl_ms = ?6, scope = ?7, approver = ?8, reason = ?9,"
                   " decided_ns = ?3 WHERE approval_id = ?1",
                   &s, err))
        return -1;
    snprintf(approver, sizeof approver, "%s/%s",
             e->principal_tenant[0] ? e->principal_tenant : e->tenant, e->principal);
    stmt_bind_text(s, 1, e->approval_id);
    stmt_bind_text(s, 2, is_yes ? "allowed" : "denied");
    stmt_bind_int(s, 3, record->wall_ns);
    stmt_bind_int(s, 4, record->boot_ns / MS_NS);
    stmt_bind_text(s, 5, e->boot_id);
    stmt_bind_int(s, 6, e->ttl_ms);
    stmt_bind_text(s, 7, e->scope);
    stmt_bind_text(s, 8, approver);
    stmt_bind_text(s, 9, e->detail);
    return stmt_run(s, err);
}

/* An end. What made it so is kept where the approver's reason stood, if it says anything. */
static int end(struct db *db, const struct event *e, const char *state, struct err *err)
{
    SCOPED(stmt_free) struct stmt *s = NULL;
    if (db_prepare(db,
                   "UPDATE approval SET state = ?2, reason = iif(?3 = '', reason, ?3)"
                   " WHERE approval_id = ?1",
                   &s, err))
        return -1;
    stmt_bind_text(s, 1, e->approval_id);
    stmt_bind_text(s, 2, state);
    stmt_bind_text(s, 3, e->detail);
    return stmt_run(s, err);
}

/* Twice as many as memory keeps: what was denied may still stand there. */
static int drop_old(struct db *db, struct err *err)
{
    SCOPED(stmt_free) struct stmt *s = NULL;
    if (db_prepare(db,
                   "DELETE FROM approval WHERE place IN (SELECT place FROM approval"
                   " WHERE state NOT IN ('pending', 'allowed') ORDER BY place DESC"
                   " LIMIT -1 OFFSET ?1)",
                   &s, err))
        return -1;
    stmt_bind_int(s, 1, 2 * APPROVALS_KEPT);
    return stmt_run(s, err);
}

int approval_apply(struct db *db, const struct journal_record *record, const struct event *event,
                   struct err *err)
{
    if (!strcmp(event->kind, "approval_requested"))
        return add(db, record, event, err) || drop_old(db, err) ? -1 : 0;
    if (!strcmp(event->kind, "approval_decide"))
        return decide(db, record, event, err);
    if (!strcmp(event->kind, "approval_use"))
        return end(db, event, "used", err);
    return end(db, event, !strcmp(event->kind, "approval_expired") ? "expired" : "void", err);
}

int approval_apply_revocation(struct db *db, const struct journal_record *record,
                              const struct event *event, struct err *err)
{
    (void)record;
    if (strcmp(event->phase, "result") != 0 || strcmp(event->status, "success") != 0)
        return 0;
    SCOPED(stmt_free) struct stmt *s = NULL;
    if (db_prepare(db,
                   "UPDATE approval SET state = 'void', reason = 'the agent was revoked'"
                   " WHERE tenant = ?1 AND agent = ?2 AND state IN ('pending', 'allowed')",
                   &s, err))
        return -1;
    stmt_bind_text(s, 1, event->tenant);
    stmt_bind_text(s, 2, event->agent);
    return stmt_run(s, err);
}

/* Columns of approval_load's rows. */
enum { REQUEST, CREATED_NS, BEGUN_NS, BEGUN_BOOT_MS, BOOT_ID, TTL_MS, STATE, SCOPE, APPROVER };
enum { REASON = APPROVER + 1, DECIDED_NS };

static int64_t lapses_boot_ms(struct stmt *row)
{
    int64_t ttl_ms = stmt_int(row, TTL_MS), now_boot_ms = clock_boot_ms();
    if (!strcmp(stmt_text(row, BOOT_ID), clock_boot_id()))
        return stmt_int(row, BEGUN_BOOT_MS) + ttl_ms;
    int64_t gone_ms = (clock_wall_ns() - stmt_int(row, BEGUN_NS)) / MS_NS;
    return now_boot_ms + ttl_ms - (gone_ms > 0 ? gone_ms : 0);
}

static int take(struct stmt *row, struct approvals *approvals, struct err *err)
{
    struct event requested;
    struct approval_item *item;
    if (schema_decode(&message_event, stmt_blob(row, REQUEST), SCHEMA_LENIENT, &requested, err) ||
        approvals_add(approvals, &requested, stmt_int(row, CREATED_NS), lapses_boot_ms(row), &item,
                      err))
        return err_add(err, "an approval in the database");
    struct approval *a = &item->shown;
    text_copy(a->state, sizeof a->state, stmt_text(row, STATE));
    text_copy(a->scope, sizeof a->scope, stmt_text(row, SCOPE));
    text_copy(a->approver, sizeof a->approver, stmt_text(row, APPROVER));
    text_copy(a->approver_reason, sizeof a->approver_reason, stmt_text(row, REASON));
    a->decided_ns = stmt_int(row, DECIDED_NS);
    return 0;
}

int approval_load(struct db *db, struct approvals *approvals, struct err *err)
{
    SCOPED(stmt_free) struct stmt *s = NULL;
    if (db_prepare(db,
                   "SELECT request, created_ns, begun_ns, begun_boot_ms, boot_id, ttl_ms, state,"
                   " scope, approver, reason, decided_ns FROM approval ORDER BY place",
                   &s, err))
        return -1;
    int got;
    while ((got = stmt_step(s, err)) == 1)
        if (take(s, approvals, err))
            return -1;
    return got;
}
