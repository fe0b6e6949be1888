/* defaults.c - the default rules as rows of struct rule; see judge.h. */
#include "engine/policy/judge.h"

#include "base/scope.h"

#define LIST(...) ((const char *const[]){__VA_ARGS__, NULL})

static const struct rule rules[] = {
#include "engine/policy/defaults.def"
};

struct rule_set policy_default_rules(void)
{
    return (struct rule_set){rules, COUNT(rules)};
}
