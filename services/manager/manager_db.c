/* manager_db.c - the manager's projection; see manager_db.h. */
#include "manager/manager_db.h"

#include "base/log.h"
#include "base/scope.h"

#include <string.h>

enum { RESULTS_KEPT = 20000 };

static const char *const migrations[] = {
    "CREATE TABLE intent (op_id TEXT PRIMARY KEY, event BLOB NOT NULL) STRICT, WITHOUT ROWID;"
    "CREATE TABLE result (id INTEGER PRIMARY KEY, wall_ns INTEGER NOT NULL, event BLOB NOT NULL) "
    "STRICT;",
};

static int run(struct db *db, const char *sql, const char *op_id, int64_t number, struct view event,
               struct err *err)
{
    SCOPED(stmt_free) struct stmt *s = NULL;
    if (db_prepare(db, sql, &s, err))
        return -1;
    if (op_id)
        stmt_bind_text(s, 1, op_id);
    else
        stmt_bind_int(s, 1, number);
    if (event.data)
        stmt_bind_blob(s, 2, event);
    return stmt_run(s, err);
}

static int apply(struct db *db, const struct journal_record *record, const struct event *event,
                 struct err *err)
{
    static const struct view none = {NULL, 0};
    if (!strcmp(event->phase, "intent"))
        return run(db, "INSERT OR REPLACE INTO intent VALUES (?1, ?2)", event->op_id, 0,
                   record->payload, err);
    if (strcmp(event->phase, "result"))
        return 0;
    if (run(db, "DELETE FROM intent WHERE op_id = ?1", event->op_id, 0, none, err))
        return -1;
    if (!event->request_id.len)
        return 0;
    return run(db, "INSERT INTO result (wall_ns, event) VALUES (?1, ?2)", NULL, record->wall_ns,
               record->payload, err) ||
                   run(db, "DELETE FROM result WHERE id <= (SELECT max(id) FROM result) - ?1", NULL,
                       RESULTS_KEPT, none, err)
               ? -1
               : 0;
}

const struct projection_table manager_projection = {migrations, COUNT(migrations), apply};

int manager_db_each_intent(struct db *db, void (*each)(void *context, const struct event *intent),
                           void *context, struct err *err)
{
    SCOPED(stmt_free) struct stmt *s = NULL;
    int got;
    if (db_prepare(db, "SELECT event FROM intent", &s, err))
        return -1;
    while ((got = stmt_step(s, err)) == 1) {
        struct event event;
        if (schema_decode(&message_event, stmt_blob(s, 0), SCHEMA_LENIENT, &event, err))
            log_error("manager_db.intent error=\"%s\"", err->text);
        else
            each(context, &event);
    }
    return got;
}

int manager_db_each_result(struct db *db, int64_t since_wall_ns,
                           void (*each)(void *context, const struct event *result, int64_t wall_ns),
                           void *context, struct err *err)
{
    SCOPED(stmt_free) struct stmt *s = NULL;
    int got;
    if (db_prepare(db, "SELECT event, wall_ns FROM result WHERE wall_ns >= ?1 ORDER BY id", &s,
                   err))
        return -1;
    stmt_bind_int(s, 1, since_wall_ns);
    while ((got = stmt_step(s, err)) == 1) {
        struct event event;
        if (schema_decode(&message_event, stmt_blob(s, 0), SCHEMA_LENIENT, &event, err))
            log_error("manager_db.result error=\"%s\"", err->text);
        else
            each(context, &event, stmt_int(s, 1));
    }
    return got;
}
