/* corral-guardian - decides whether an act may happen, and keeps the list of approved agents. */
#include "guardian/guardian.h"
#include "guardian/projection.h"

enum { READERS = ROLE_AGENT | ROLE_OPERATOR | ROLE_OBSERVER | ROLE_ADMIN };

static const struct query queries[] = {
    SERVICE_STATUS_QUERY,
    {"verdict_request", &message_verdict_request, &message_verdict, ROLE_SERVICE, "manager",
     on_verdict_request, "Judges one act; the answer is signed and recorded."},
    {"guardian_status", &message_nothing, &message_guardian_report,
     ROLE_OPERATOR | ROLE_ADMIN | ROLE_OBSERVER, NULL, on_guardian_status,
     "Rules, approved agents, decisions and their latency, what waits for a person, holds."},
    {"acl_list", &message_acl_list, &message_acl_page, ROLE_OPERATOR | ROLE_ADMIN | ROLE_OBSERVER,
     NULL, on_acl_list, "The volume ACLs, by id."},
    {"approval_list", &message_approval_list, &message_approval_rows, READERS, NULL,
     on_approval_list, "Lists the approvals that the caller may see."},
    {"approval_show", &message_approval_show, &message_approval, READERS, NULL, on_approval_show,
     "Shows one approval: exactly what will run, and why it was stopped."},
    {"sandbox_gone", &message_sandbox_gone, &message_nothing, ROLE_SERVICE, "manager",
     on_sandbox_gone, "Voids what waits or is allowed in a sandbox that has ended."},
    {"hold_list", &message_nothing, &message_hold_rows, READERS, NULL, on_hold_list,
     "Lists the holds that the caller may see."},
    {"agent_list", &message_agent_list, &message_agent_rows,
     ROLE_OPERATOR | ROLE_ADMIN | ROLE_OBSERVER, NULL, on_agent_list,
     "Approved agents and what is set for each."},
    {"policy_show", &message_policy_show, &message_policy_page,
     ROLE_OPERATOR | ROLE_ADMIN | ROLE_OBSERVER, NULL, on_policy_show,
     "The rules that an agent is judged by."},
    {0},
};

static const struct op_kind *const operations[] = {&op_agent_approve,
                                                   &op_agent_revoke,
                                                   &op_acl_add,
                                                   &op_acl_remove,
                                                   &op_approval_decide,
                                                   &op_approval_wait,
                                                   &op_approval_use,
                                                   &op_hold_add,
                                                   &op_hold_release,
                                                   &op_policy_reload,
                                                   NULL};

int main(int argc, char **argv)
{
    static const struct service_table table = {
        .name = "guardian",
        .doc = "Decides whether an act may happen, and keeps the list of approved agents.",
        .queries = queries,
        .operations = operations,
        .projection = &guardian_projection,
        .open = guardian_open,
        .close = guardian_close,
        .durable = guardian_durable,
        .reload = guardian_reload,
    };
    return service_main(argc, argv, &table);
}
