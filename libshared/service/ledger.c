/* ledger.c - open intents and given replies in a service's database; see ledger.h. */
#include "service/ledger.h"

#include "base/scope.h"
#include "base/text.h"

#include <string.h>

/* An op_id is random, so it is the same in every epoch of the journal; a seq is not. */
const char ledger_schema[] =
    "CREATE TABLE intent (place INTEGER PRIMARY KEY AUTOINCREMENT, op_id TEXT NOT NULL UNIQUE,"
    " payload BLOB NOT NULL) STRICT;"
    "CREATE TABLE reply (place INTEGER PRIMARY KEY AUTOINCREMENT, tenant TEXT NOT NULL,"
    " principal TEXT NOT NULL, request_id BLOB NOT NULL CHECK (length(request_id) = 16),"
    " body_hash BLOB NOT NULL CHECK (length(body_hash) = 32), answer TEXT NOT NULL,"
    " body BLOB NOT NULL, wall_ns INTEGER NOT NULL,"
    " UNIQUE (tenant, principal, request_id)) STRICT;"
    "CREATE INDEX reply_of ON reply (tenant, principal, place);";

static int open_intent(struct db *db, const struct journal_record *record,
                       const struct event *event, struct err *err)
{
    SCOPED(stmt_free) struct stmt *s = NULL;
    if (db_prepare(db, "INSERT OR REPLACE INTO intent (op_id, payload) VALUES (?1, ?2)", &s, err))
        return -1;
    stmt_bind_text(s, 1, event->op_id);
    stmt_bind_blob(s, 2, record->payload);
    return stmt_run(s, err);
}

static int close_intent(struct db *db, const struct event *event, struct err *err)
{
    SCOPED(stmt_free) struct stmt *s = NULL;
    if (db_prepare(db, "DELETE FROM intent WHERE op_id = ?1", &s, err))
        return -1;
    stmt_bind_text(s, 1, event->op_id);
    return stmt_run(s, err);
}

static void bind_principal(struct stmt *s, const struct event *event)
{
    stmt_bind_text(s, 1, event->principal_tenant[0] ? event->principal_tenant : event->tenant);
    stmt_bind_text(s, 2, event->principal);
}

static int keep_reply(struct db *db, const struct journal_record *record, const struct event *event,
                      struct err *err)
{
    SCOPED(stmt_free) struct stmt *s = NULL;
    if (db_prepare(db,
                   "INSERT OR REPLACE INTO reply (tenant, principal, request_id, body_hash, answer,"
                   " body, wall_ns) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                   &s, err))
        return -1;
    bind_principal(s, event);
    stmt_bind_blob(s, 3, event->request_id);
    stmt_bind_blob(s, 4, event->body_hash);
    stmt_bind_text(s, 5, event->answer);
    stmt_bind_blob(s, 6, event->reply);
    stmt_bind_int(s, 7, record->wall_ns);
    return stmt_run(s, err);
}

static int drop_oldest(struct db *db, const struct event *event, struct err *err)
{
    SCOPED(stmt_free) struct stmt *s = NULL;
    if (db_prepare(db,
                   "DELETE FROM reply WHERE place IN (SELECT place FROM reply WHERE tenant = ?1"
                   " AND principal = ?2 ORDER BY place DESC LIMIT -1 OFFSET ?3)",
                   &s, err))
        return -1;
    bind_principal(s, event);
    stmt_bind_int(s, 3, LEDGER_REPLIES);
    return stmt_run(s, err);
}

/* True for the result of somebody's request whose reply was small enough to keep. */
static bool has_reply(const struct event *event)
{
    return event->request_id.len == REQUEST_ID_BYTES && event->body_hash.len == 32 &&
           event->reply.len;
}

int ledger_apply(struct db *db, const struct journal_record *record, const struct event *event,
                 struct err *err)
{
    if (!strcmp(event->phase, "intent"))
        return open_intent(db, record, event, err);
    if (strcmp(event->phase, "result") != 0)
        return 0;
    if (close_intent(db, event, err))
        return -1;
    return has_reply(event) && (keep_reply(db, record, event, err) || drop_oldest(db, event, err))
               ? -1
               : 0;
}

int ledger_restore(struct db *db, struct dispatch *dispatch, struct err *err)
{
    SCOPED(stmt_free) struct stmt *s = NULL;
    if (db_prepare(db,
                   "SELECT tenant, principal, request_id, body_hash, answer, body, wall_ns"
                   " FROM reply ORDER BY place",
                   &s, err))
        return -1;
    int got;
    while ((got = stmt_step(s, err)) == 1) {
        struct event result = {
            .request_id = stmt_blob(s, 2), .body_hash = stmt_blob(s, 3), .reply = stmt_blob(s, 5)};
        text_copy(result.tenant, sizeof result.tenant, stmt_text(s, 0));
        text_copy(result.principal, sizeof result.principal, stmt_text(s, 1));
        text_copy(result.answer, sizeof result.answer, stmt_text(s, 4));
        dispatch_restore(dispatch, &result, stmt_int(s, 6));
    }
    return got;
}

int ledger_each_open(struct db *db,
                     int (*each)(void *context, const struct event *intent, struct err *err),
                     void *context, struct err *err)
{
    SCOPED(stmt_free) struct stmt *s = NULL;
    if (db_prepare(db, "SELECT payload FROM intent ORDER BY place", &s, err))
        return -1;
    int got;
    while ((got = stmt_step(s, err)) == 1) {
        struct event intent;
        if (schema_decode(&message_event, stmt_blob(s, 0), SCHEMA_LENIENT, &intent, err))
            return err_add(err, "an intent in the database");
        if (each(context, &intent, err))
            return -1;
    }
    return got;
}
