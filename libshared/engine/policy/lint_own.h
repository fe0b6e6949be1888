/* lint_own.h - what the files of lint share. */
#pragma once

#include "engine/policy/lint.h"
#include "engine/policy/ruleset_own.h"

struct linting {
    const struct ruleset *set;
    int64_t now_s;
    lint_found *found;
    void *context;
    struct err *err;
};

/* Says what is odd about a rule: `problem` is made by printf, behind "match 2: " in rules with
 * several. 0, or -1 with the linting's err. */
int lint_rule(struct linting *l, const struct rule *rule, const char *kind, const char *advice,
              const char *format, ...) __attribute__((format(printf, 5, 6)));

/* Why a match can never hold, in `why`; false: it may. */
enum { LINT_WHY_BYTES = 200 };
bool lint_contradicts(const struct rule_match *match, char why[LINT_WHY_BYTES]);

/* One rule: its matches and its `when`; one override. */
int lint_matches(struct linting *l, const struct rule *rule);
int lint_when(struct linting *l, const struct rule *rule);
int lint_override(struct linting *l, const struct rule_override *override);

/* What else decides wherever this rule holds. */
int lint_shadowed(struct linting *l, const struct rule *rule);
