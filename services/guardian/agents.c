/* agents.c - the approved agents in guardian.db; see agents.h. */
#include "guardian/agents.h"

#include "base/scope.h"
#include "base/text.h"

#include <string.h>

const char agents_schema[] =
    "CREATE TABLE agent (tenant TEXT NOT NULL, name TEXT NOT NULL, status TEXT NOT NULL"
    " CHECK (status IN ('approved', 'revoked')), changed_ns INTEGER NOT NULL,"
    " generation INTEGER NOT NULL, PRIMARY KEY (tenant, name)) STRICT;"
    "CREATE TABLE agent_key (public_key TEXT PRIMARY KEY, tenant TEXT NOT NULL,"
    " name TEXT NOT NULL, FOREIGN KEY (tenant, name) REFERENCES agent) STRICT;";

const char agents_settings_schema[] = "ALTER TABLE agent ADD COLUMN settings BLOB;";

enum { SETTINGS_BYTES = 1024 };

static int set_settings(struct db *db, const struct event *e, struct err *err)
{
    SCOPED(stmt_free) struct stmt *s = NULL;
    SCOPED(bytes_close) struct bytes settings = bytes_open(SETTINGS_BYTES);
    if (schema_encode(&message_agent_settings, &e->settings, &settings, err) ||
        db_prepare(db, "UPDATE agent SET settings = ?1 WHERE tenant = ?2 AND name = ?3", &s, err))
        return -1;
    stmt_bind_blob(s, 1, bytes_view(&settings));
    stmt_bind_text(s, 2, e->tenant);
    stmt_bind_text(s, 3, e->agent);
    return stmt_run(s, err);
}

static int set_status(struct db *db, const struct event *e, const char *status, int64_t wall_ns,
                      struct err *err)
{
    SCOPED(stmt_free) struct stmt *s = NULL;
    if (db_prepare(db,
                   "INSERT INTO agent (tenant, name, status, changed_ns, generation)"
                   " VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO UPDATE SET"
                   " status = ?3, changed_ns = ?4, generation = ?5,"
                   " settings = CASE ?3 WHEN 'approved' THEN settings END",
                   &s, err))
        return -1;
    stmt_bind_text(s, 1, e->tenant);
    stmt_bind_text(s, 2, e->agent);
    stmt_bind_text(s, 3, status);
    stmt_bind_int(s, 4, wall_ns);
    stmt_bind_int(s, 5, e->generation);
    return stmt_run(s, err);
}

static int add_key(struct db *db, const struct event *e, struct err *err)
{
    SCOPED(stmt_free) struct stmt *s = NULL;
    if (db_prepare(db, "INSERT OR REPLACE INTO agent_key VALUES (?1, ?2, ?3)", &s, err))
        return -1;
    stmt_bind_view(s, 1, e->public_key);
    stmt_bind_text(s, 2, e->tenant);
    stmt_bind_text(s, 3, e->agent);
    return stmt_run(s, err);
}

static int drop_keys(struct db *db, const struct event *e, struct err *err)
{
    SCOPED(stmt_free) struct stmt *s = NULL;
    if (db_prepare(db, "DELETE FROM agent_key WHERE tenant = ?1 AND name = ?2", &s, err))
        return -1;
    stmt_bind_text(s, 1, e->tenant);
    stmt_bind_text(s, 2, e->agent);
    return stmt_run(s, err);
}

int agents_apply(struct db *db, const struct journal_record *record, const struct event *event,
                 struct err *err)
{
    bool is_approval = !strcmp(event->kind, "agent_approve");
    if (strcmp(event->phase, "result") != 0 || strcmp(event->status, "success") != 0)
        return 0;
    if (set_status(db, event, is_approval ? "approved" : "revoked", record->wall_ns, err))
        return -1;
    if (is_approval && !event->public_key.len)
        return set_settings(db, event, err);
    if (is_approval && schema_has(&message_event, event, "settings") &&
        set_settings(db, event, err))
        return -1;
    return is_approval ? add_key(db, event, err) : drop_keys(db, event, err);
}

int agents_each(struct db *db,
                int (*each)(void *context, const struct change *change, struct err *err),
                void *context, struct err *err)
{
    SCOPED(stmt_free) struct stmt *s = NULL;
    if (db_prepare(db,
                   "SELECT tenant, name, status = 'approved', coalesce(public_key, ''), settings"
                   " FROM agent LEFT JOIN agent_key USING (tenant, name) ORDER BY tenant, name",
                   &s, err))
        return -1;
    int got;
    while ((got = stmt_step(s, err)) == 1) {
        struct change change = {.is_approval = stmt_int(s, 2)};
        text_copy(change.tenant, sizeof change.tenant, stmt_text(s, 0));
        text_copy(change.agent, sizeof change.agent, stmt_text(s, 1));
        text_copy(change.public_key, sizeof change.public_key, stmt_text(s, 3));
        struct view settings = stmt_blob(s, 4);
        change.has_settings = settings.len > 0;
        if (settings.len &&
            schema_decode(&message_agent_settings, settings, SCHEMA_LENIENT, &change.settings, err))
            return err_add(err, "the settings of %s", change.agent);
        if (each(context, &change, err))
            return -1;
    }
    return got;
}

int agents_generation(struct db *db, int64_t *generation, struct err *err)
{
    SCOPED(stmt_free) struct stmt *s = NULL;
    if (db_prepare(db, "SELECT max(generation) FROM agent", &s, err) || stmt_step(s, err) < 0)
        return -1;
    *generation = stmt_int(s, 0);
    stmt_reset(s);
    return 0;
}
