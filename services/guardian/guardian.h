/* guardian.h - the guardian's state: what decides, what signs, what is counted. Loop thread only.
 */
#pragma once

#include "engine/record/verdict.h"
#include "guardian/acls.h"
#include "guardian/tally.h"
#include "guardian/writer.h"
#include "service/service.h"

struct guardian {
    struct service *service;
    struct sign_key key; /* its public half is services.json's verdict_key */
    struct rule_set rules;
    uint8_t policy[POLICY_HASH_BYTES]; /* hash of the rules */
    struct facts facts;                /* room to judge in */
    struct tally tally;
    struct writer *writer;
    struct acls *acls;

    /* what the verdict given last points to */
    uint8_t act_hash[ACT_HASH_BYTES];
    uint8_t signature[VERDICT_SIGNATURE_BYTES];
};

/* The hooks of main.c's table. Opening refuses a signing key that the others do not know, and
 * finishes what an earlier life began (recover.h). */
int guardian_open(struct service *service, void **state, struct err *err);
void guardian_close(void *state);

query_handler on_verdict_request; /* struct verdict_request, struct verdict */
query_handler on_guardian_status; /* struct nothing, struct guardian_report */
query_handler on_acl_list;        /* struct acl_list, struct acl_page */

extern const struct op_kind op_agent_approve, op_agent_revoke, op_acl_add, op_acl_remove;
