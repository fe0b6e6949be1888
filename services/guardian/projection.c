/* projection.c - hands each record to the tables that own its kind; see projection.h. */
#include "guardian/projection.h"

#include "base/scope.h"
#include "guardian/acls.h"
#include "guardian/agents.h"
#include "guardian/approval_table.h"
#include "guardian/holds.h"
#include "guardian/keeper.h"
#include "service/ledger.h"

#include <string.h>

/* A database knows how many of these it has had: rows are only ever added, at the end. */
static const char *const migrations[] = {ledger_schema,   agents_schema, acls_schema,
                                         approval_schema, hold_schema,   agents_settings_schema,
                                         rules_schema};

static const struct owner {
    const char *kind;
    guardian_apply *apply;
} owners[] = {
    {"agent_approve", agents_apply},
    {"agent_revoke", agents_apply},
    {"acl_add", acls_apply},
    {"acl_remove", acls_apply},
    {"agent_revoke", approval_apply_revocation},
    {"approval_requested", approval_apply},
    {"approval_decide", approval_apply},
    {"approval_use", approval_apply},
    {"approval_expired", approval_apply},
    {"approval_void", approval_apply},
    {"hold_add", hold_apply},
    {"hold_release", hold_apply},
    {"rules_loaded", rules_apply},
};

static int apply(struct db *db, const struct journal_record *record, const struct event *event,
                 struct err *err)
{
    if (ledger_apply(db, record, event, err))
        return -1;
    for (size_t i = 0; i < COUNT(owners); i++)
        if (!strcmp(owners[i].kind, event->kind) && owners[i].apply(db, record, event, err))
            return err_add(err, "%s", event->kind);
    return 0;
}

const struct projection_table guardian_projection = {
    .migrations = migrations, .migration_count = COUNT(migrations), .apply = apply};
