/* corral-guardian - decides whether an act may happen, and keeps the list of approved agents. */
#include "guardian/guardian.h"
#include "guardian/projection.h"

static const struct query queries[] = {
    SERVICE_STATUS_QUERY,
    {"verdict_request", &message_verdict_request, &message_verdict, ROLE_SERVICE, "manager",
     on_verdict_request, "Judges one act; the answer is signed and recorded."},
    {"guardian_status", &message_nothing, &message_guardian_report,
     ROLE_OPERATOR | ROLE_ADMIN | ROLE_OBSERVER, NULL, on_guardian_status,
     "Rules, approved agents, decisions and their latency."},
    {"acl_list", &message_acl_list, &message_acl_page, ROLE_OPERATOR | ROLE_ADMIN | ROLE_OBSERVER,
     NULL, on_acl_list, "The volume ACLs, by id."},
    {0},
};

static const struct op_kind *const operations[] = {&op_agent_approve, &op_agent_revoke, &op_acl_add,
                                                   &op_acl_remove, NULL};

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
    };
    return service_main(argc, argv, &table);
}
