/* The hash of a rule set: another one for every change of what its rules say. */
#include "base/scope.h"
#include "engine/policy/judge.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static const char *const words[] = {"a", "b", NULL}, *const joined[] = {"ab", NULL};

static void hash_of(const struct rule *rule, uint8_t hash[POLICY_HASH_BYTES])
{
    policy_hash((struct rule_set){rule, 1}, hash);
}

static void every_part_of_a_rule_changes_the_hash(void **state)
{
    (void)state;
    const struct rule base = {.id = "i", .description = "d", .hint = "h"};
    struct rule changed[] = {
        base,
        {.id = "j", .description = "d", .hint = "h"},
        {.id = "i", .description = "e", .hint = "h"},
        {.id = "i", .description = "d", .hint = "i"},
        {.id = "i", .description = "d", .hint = "h", .risk = RISK_HIGH},
        {.id = "i", .description = "d", .hint = "h", .action = ACTION_DENY},
        {.id = "i", .description = "d", .hint = "h", .match.command = words},
        {.id = "i", .description = "d", .hint = "h", .match.command = joined},
        {.id = "i", .description = "d", .hint = "h", .match.command = words + 1},
        {.id = "i", .description = "d", .hint = "h", .match.flags_any = words},
        {.id = "i", .description = "d", .hint = "h", .match.or_swept = true},
        {.id = "i", .description = "d", .hint = "h", .match.args_any = words},
        {.id = "i", .description = "d", .hint = "h", .match.args_also = words},
        {.id = "i", .description = "d", .hint = "h", .match.args_none = words},
        {.id = "i", .description = "d", .hint = "h", .match.args_unknown = true},
        {.id = "i", .description = "d", .hint = "h", .match.paths_any = 1},
        {.id = "i", .description = "d", .hint = "h", .match.paths_role = ROLE_TARGET},
        {.id = "i", .description = "d", .hint = "h", .match.paths_prefix = "x"},
        {.id = "i", .description = "d", .hint = "h", .match.writes_any = 1},
        {.id = "i", .description = "d", .hint = "h", .match.writes_paths = words},
        {.id = "i", .description = "d", .hint = "h", .match.opens_any = words},
        {.id = "i", .description = "d", .hint = "h", .match.code_any = words},
        {.id = "i", .description = "d", .hint = "h", .match.sets_any = words},
        {.id = "i", .description = "d", .hint = "h", .match.sets_user_id = true},
        {.id = "i", .description = "d", .hint = "h", .match.context_any = 1},
    };
    uint8_t hashes[COUNT(changed)][POLICY_HASH_BYTES];
    for (size_t i = 0; i < COUNT(changed); i++) {
        hash_of(&changed[i], hashes[i]);
        for (size_t j = 0; j < i; j++)
            if (!memcmp(hashes[i], hashes[j], sizeof hashes[i]))
                fail_msg("rules %zu and %zu have the same hash", j, i);
    }
}

static void the_same_words_elsewhere_are_the_same_rules(void **state)
{
    (void)state;
    const char *const copy[] = {"a", "b", NULL};
    uint8_t one[POLICY_HASH_BYTES], other[POLICY_HASH_BYTES];
    hash_of(&(struct rule){.id = "i", .description = "d", .hint = "h", .match.command = words},
            one);
    hash_of(&(struct rule){.id = "i", .description = "d", .hint = "h", .match.command = copy},
            other);
    assert_memory_equal(one, other, sizeof one);
}

static void a_rule_more_or_less_changes_the_hash(void **state)
{
    (void)state;
    struct rule_set rules = policy_default_rules();
    uint8_t all[POLICY_HASH_BYTES], fewer[POLICY_HASH_BYTES];
    policy_hash(rules, all);
    rules.count--;
    policy_hash(rules, fewer);
    assert_memory_not_equal(all, fewer, sizeof all);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_part_of_a_rule_changes_the_hash),
        cmocka_unit_test(the_same_words_elsewhere_are_the_same_rules),
        cmocka_unit_test(a_rule_more_or_less_changes_the_hash),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
