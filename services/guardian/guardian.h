/* guardian.h - the guardian's state: what decides, what signs, what is counted. Loop thread only.
 */
#pragma once

#include "engine/record/verdict.h"
#include "guardian/acls.h"
#include "guardian/approvals.h"
#include "guardian/holds.h"
#include "guardian/keeper.h"
#include "guardian/tally.h"
#include "guardian/workspaces.h"
#include "guardian/writer.h"
#include "service/service.h"

struct approval_waiter;
struct notices;

struct guardian {
    struct service *service;
    struct sign_key key;   /* its public half is services.json's verdict_key */
    struct keeper *keeper; /* of the rules in force */
    struct workspaces workspaces;
    struct facts facts; /* room to judge in */
    struct tally tally;
    struct writer *writer;
    struct acls *acls;
    struct holds holds;
    struct approvals approvals;
    struct approval_waiter *waiters; /* operations that wait for a decision */
    int lapse_timer;                 /* of the approval that lapses first; approving.c's own */
    struct notices *notices;         /* NULL: nobody is told of what is filed */

    /* what the verdict given last points to */
    uint8_t act_hash[ACT_HASH_BYTES];
    uint8_t signature[VERDICT_SIGNATURE_BYTES];
    struct bytes conditions;
};

/* The hooks of main.c's table. Opening refuses a signing key that the others do not know, and
 * finishes what an earlier life began (recover.h). */
int guardian_open(struct service *service, void **state, struct err *err);
void guardian_close(void *state);

void guardian_durable(void *state, uint64_t seq);
void guardian_reload(void *state); /* SIGHUP */

/* Hash of the rules that an agent is judged by, POLICY_HASH_BYTES; zeros while there are none. */
const uint8_t *guardian_policy(const struct guardian *g, const char *tenant, const char *agent);

query_handler on_verdict_request; /* struct verdict_request, struct verdict */
query_handler on_guardian_status; /* struct nothing, struct guardian_report */
query_handler on_acl_list;        /* struct acl_list, struct acl_page */
query_handler on_agent_list;      /* struct agent_list, struct agent_rows */

query_handler on_approval_list; /* struct approval_list, struct approval_rows */
query_handler on_approval_show; /* struct approval_show, struct approval */
query_handler on_sandbox_gone;  /* struct sandbox_gone, struct nothing */
query_handler on_hold_list;     /* struct nothing, struct hold_rows */
query_handler on_policy_show;   /* struct policy_show, struct policy_page */

/* Adds the holds that the caller may see to a list of `store`'s own. Errors as list_add. */
int holds_list(const struct holds *holds, const struct call *call, struct bytes *store,
               struct list *to, struct err *err);

extern const struct op_kind op_agent_approve, op_agent_revoke, op_acl_add, op_acl_remove,
    op_approval_decide, op_approval_wait, op_approval_use, op_hold_add, op_hold_release,
    op_policy_reload;
