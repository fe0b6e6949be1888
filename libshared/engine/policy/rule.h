/* rule.h - one rule: what it matches and what follows from it. Static tables and rule files fill
 * the same struct; match.h decides, judge.h combines.
 *
 * Every key of a match that is set must hold (AND); a list holds when one of its entries does (OR).
 * Lists end with NULL; in their texts * stands for any run of characters.
 */
#pragma once

#include <stdbool.h>

enum policy_action { ACTION_ALLOW, ACTION_FLAG, ACTION_REQUIRE_APPROVAL, ACTION_DENY };

enum policy_risk { RISK_LOW, RISK_MEDIUM, RISK_HIGH, RISK_CRITICAL };

/* Where a path lies, as far as the text tells; set of bits, because a cd may have failed. */
enum path_class {
    PATH_ROOT = 1,        /* "/", a directory in it, or a pattern of them */
    PATH_SYSTEM = 1 << 1, /* below those */
    PATH_HOME = 1 << 2,   /* the home directory, or everything in it */
    PATH_HOME_INSIDE = 1 << 3,
    PATH_WORKSPACE_ALL = 1 << 4, /* the workspace, or everything in it */
    PATH_WORKSPACE = 1 << 5,
    PATH_TEMPORARY = 1 << 6,
    PATH_DEVICE = 1 << 7,
    PATH_HARMLESS = 1 << 8, /* /dev/null and its kin */
    PATH_UNKNOWN = 1 << 9
};

/* Which arguments a rule's paths are. */
enum path_role {
    ROLE_OPERANDS, /* all that are no options */
    ROLE_SOURCES,  /* but the last one */
    ROLE_TARGET,   /* the last one */
    ROLE_START     /* where find begins */
};

struct rule_match {
    const char *const *command; /* name without directory */
    const char *const
        *flags_any; /* "-r", "--recursive": clusters and abbreviations are understood */
    bool or_swept;  /* a command whose arguments are found by find or xargs has the flags */
    const char *const *args_any;  /* an argument behind the name */
    const char *const *args_also; /* one more such list */
    const char *const *args_none; /* no argument is one of these */
    bool args_unknown;            /* an argument is known only when it runs */
    unsigned paths_any;           /* set of enum path_class */
    enum path_role paths_role;
    const char *paths_prefix; /* only operands that begin with this, without it: "of=" */
    unsigned writes_any;      /* where a redirect writes; set of enum path_class */
    const char *const
        *writes_paths; /* the normal path of what a redirect or a copying command writes */
    const char *const *opens_any; /* a redirect's target as written */
    const char *const *code_any;  /* a text inside an argument or a here-document */
    const char *const *sets_any;  /* a variable that is set for a command or exported */
    bool sets_user_id;            /* a mode of chmod or install has the setuid or setgid bit */
    unsigned context_any;         /* set of enum fact_context */
};

struct rule {
    const char *id;          /* stable: appears in audit, exemptions, metrics */
    const char *description; /* what a matching command does, as in "rm -rf / …": "deletes …" */
    const char *hint;        /* one sentence to the agent: what it may do instead */
    enum policy_risk risk;
    enum policy_action action;
    struct rule_match match;
};
