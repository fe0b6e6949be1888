/* main.c - corral-manager: what it answers, what it does, and who may ask. */
#include "manager/manager.h"
#include "manager/operations.h"
#include "manager/preflight_main.h"
#include "manager/queries.h"
#include "service/ledger.h"

enum {
    ACTORS = ROLE_AGENT | ROLE_OPERATOR | ROLE_ADMIN,
    READERS = ROLE_AGENT | ROLE_OPERATOR | ROLE_OBSERVER | ROLE_ADMIN
};

static const struct query queries[] = {
    SERVICE_STATUS_QUERY,
    {"sandbox_list", &message_sandbox_list, &message_sandbox_rows, READERS, NULL, on_sandbox_list,
     "Lists the live sandboxes that the caller may see."},
    {"sandbox_inspect", &message_sandbox_inspect, &message_sandbox_row, READERS, NULL,
     on_sandbox_inspect, "Shows one sandbox."},
    {"op.credit", &message_op_credit, &message_nothing, ACTORS, NULL, on_op_credit,
     "Allows more output of the caller's own streamed command."},
    {"op.cancel", &message_op_cancel, &message_nothing, ACTORS, NULL, on_op_cancel,
     "Ends the caller's own command, whether it runs or waits for approval."},
    {0},
};

static const struct op_kind *const operations[] = {
    &op_create, &op_exec, &op_delete, &op_kill, NULL,
};

static const char *const migrations[] = {ledger_schema};
static const struct projection_table projection = {migrations, 1, ledger_apply};

static const struct service_table table = {
    .name = "manager",
    .doc = "The door for clients: owns the sandboxes of its host and runs commands in them.",
    .queries = queries,
    .operations = operations,
    .projection = &projection,
    .has_events = true,
    .open = manager_open,
    .close = manager_close,
    .registry_changed = manager_registry_changed,
    .status = manager_status,
    .option = preflight_option,
    .option_help =
        "  --preflight [--json] try what this host can do for a sandbox: 0 full or partial, "
        "3 none\n",
};

int main(int argc, char **argv)
{
    return service_main(argc, argv, &table);
}
