/* rule.h - one rule: what it matches and what follows from it. ruleset.h reads rules from files,
 * match.h decides whether one holds, judge.h combines.
 *
 * A rule holds when one of its matches does. Every key of a match must hold (AND); a key of a list
 * holds when one of its entries does (OR). What the keys are called and mean is in keys.def.
 */
#pragma once

#include "engine/policy/context.h"
#include "engine/policy/regex.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum policy_action { ACTION_ALLOW, ACTION_FLAG, ACTION_REQUIRE_APPROVAL, ACTION_DENY };

enum policy_risk { RISK_LOW, RISK_MEDIUM, RISK_HIGH, RISK_CRITICAL };

/* Who wrote a rule; a lower tier may add rules and make others more severe, nothing else. */
enum policy_tier { TIER_BUILTIN, TIER_TENANT, TIER_WORKSPACE, TIER_AGENT };

/* What an act does; a set of bits says which acts a rule is about. */
enum policy_op {
    OP_EXEC = 1,
    OP_FILE_READ = 1 << 1,
    OP_FILE_WRITE = 1 << 2,
    OP_FILE_DELETE = 1 << 3,
    OP_NET_CONNECT = 1 << 4,
    OP_NET_LISTEN = 1 << 5,
    OP_VOLUME_MOUNT = 1 << 6 /* a path of the host becomes one of a sandbox */
};

struct key_row;

/* One key of a match with its value. */
struct rule_key {
    const struct key_row *row;
    bool negated; /* not_<key> */
    bool flag;
    double number;
    unsigned bits;            /* names of a set; of paths: enum path_class */
    const char *const *items; /* texts, lists in them resolved */
    size_t count;
    const struct regex *const *regexes; /* `count` of them */
    unsigned feed;                      /* place among the rule set's questions about sources */
};

struct rule_match {
    const struct rule_key *keys; /* the cheap ones first */
    size_t count;
    unsigned needs;     /* set of enum fact_need: without them no record can match */
    bool paths_unknown; /* a path that is known only when it runs counts as listed */
    bool asks_paths;    /* one of its keys is a list of paths */
    bool flags_unknown; /* an argument that may become several counts as any option */
    bool asks_flags;    /* one of its keys is a list of options */
    const struct rule *rule;
    const struct rule_match *next;
};

/* Texts with * in them, one of which has to match; none of them: anything does. */
struct rule_globs {
    const char *const *items;
    size_t count;
};

struct zone;
struct rule_override;

/* The context that a rule asks for; all of it must hold. A zeroed one always does. */
struct rule_when {
    struct rule_globs tenants, agents, tags;
    unsigned networks; /* set of 1 << enum policy_network; 0: any */
    bool asks_interactive, interactive;
    unsigned days;           /* set of 1 << weekday, Sunday is 0; 0: any */
    int from_min, to_min;    /* of the day, from <= now < to; both 0: all of it; from > to: over
                                midnight */
    const struct zone *zone; /* NULL: the rule does not ask for the time */
};

struct rule {
    const char *id;          /* stable: appears in audit, exemptions, metrics */
    const char *description; /* what a matching command does */
    const char *message;     /* to the agent: what it may do instead; "" none */
    enum policy_risk risk;
    enum policy_action action;
    enum policy_tier tier;
    unsigned ops;     /* set of enum policy_op */
    bool locked;      /* takes no exemption */
    bool enforced;    /* false: only says what it would have done */
    bool conditional; /* `when` or `scope` ask for something */
    const char *const *tags;
    size_t tags_count;
    struct rule_when when;
    struct rule_when scope;                       /* the tenant and agent that the file is for */
    const struct rule_match *matches;             /* NULL: it raises its base's rule of this id */
    const struct rule_override *const *overrides; /* that may soften it */
    size_t overrides_count;
    const char *const *examples[2]; /* that do not match, that match */
    size_t examples_count[2];
    const char *file; /* as errors call it */
    int line;
    size_t index; /* among the rules of its set */
};

/* What softens rules by name; only a tenant writes it. */
struct rule_override {
    struct rule_when when, scope;
    const char *const *exempts; /* rule ids with * */
    size_t exempts_count;
    enum policy_action action;     /* instead of the rule's: what is milder */
    const struct rule_match *only; /* NULL: whatever the rule matches */
    const char *reason;
    int64_t expires_s; /* the first second at which it no longer holds; 0: never */
    const char *file;
    int line;
};
