/* context.h - where an act would happen and who asks: what rules know besides the act itself. */
#pragma once

#include "base/bytes.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What the sandbox reaches. */
enum policy_network { NETWORK_UNKNOWN, NETWORK_NONE, NETWORK_EGRESS_LIST, NETWORK_INTERNET };

/* Borrowed by whoever judges. What is zeroed behind the places is not known: a rule with a
 * condition on tenant, agent or tags then does not hold, one with a condition on network does. */
struct policy_context {
    const char *cwd, *home, *workspace; /* absolute and normal paths */
    struct view text;                   /* the command as it came, for raw_regex */
    const char *tenant, *agent;
    const char *const *tags; /* of the sandbox: "key=value" */
    size_t tags_count;
    enum policy_network network;
    bool interactive; /* a person sits at the other end */
    bool no_approver; /* nobody could approve: the defaults say what becomes of the question */
    int64_t now_s;    /* of the wall clock, since 1970 */
    bool is_script;   /* a file that a command runs: its trouble is defaults.unanalyzable_script */
};
