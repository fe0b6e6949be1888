/* The hash of a rule set: another one for every change of what its rules say. */
#include "base/scope.h"
#include "engine/policy/ruleset.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define HEAD "schema = 1\n[[rule]]\nid = 'i'\ndescription = 'd'\n"
#define MATCH "[rule.match]\ncommand = ['a', 'b']\n"

static void hash_of(const char *text, uint8_t hash[POLICY_HASH_BYTES])
{
    struct err err;
    SCOPED(ruleset_free) struct ruleset *set = NULL;
    const struct ruleset_source source = {
        .tier = TIER_TENANT, .path = "test.toml", .text = view_of(text)};
    if (ruleset_load(&(struct ruleset_options){.sources = &source, .sources_count = 1}, &set, &err))
        fail_msg("%s", err.text);
    memcpy(hash, ruleset_hash(set), POLICY_HASH_BYTES);
}

static void every_part_of_a_rule_changes_the_hash(void **state)
{
    (void)state;
    static const char *const texts[] = {
        HEAD "risk = 'low'\naction = 'deny'\n" MATCH,
        HEAD "risk = 'high'\naction = 'deny'\n" MATCH,
        HEAD "risk = 'low'\naction = 'flag'\n" MATCH,
        HEAD "risk = 'low'\naction = 'deny'\nmessage = 'm'\n" MATCH,
        HEAD "risk = 'low'\naction = 'deny'\nlocked = true\n" MATCH,
        HEAD "risk = 'low'\naction = 'deny'\nenforce = false\n" MATCH,
        HEAD "risk = 'low'\naction = 'deny'\nop = ['file.read']\n" MATCH,
        HEAD "risk = 'low'\naction = 'deny'\ntags = ['t']\n" MATCH,
        HEAD "risk = 'low'\naction = 'deny'\n[rule.match]\ncommand = ['ab']\n",
        HEAD "risk = 'low'\naction = 'deny'\n[rule.match]\ncommand = ['b', 'a']\n",
        HEAD "risk = 'low'\naction = 'deny'\n[rule.match]\nargs_any = ['a', 'b']\n",
        HEAD "risk = 'low'\naction = 'deny'\n[rule.match]\nnot_command = ['a', 'b']\n",
        HEAD "risk = 'low'\naction = 'deny'\n[[rule.match]]\ncommand = ['a']\n"
             "[[rule.match]]\ncommand = ['b']\n",
        HEAD "risk = 'low'\naction = 'deny'\n" MATCH "swept = true\n",
        HEAD "risk = 'low'\naction = 'deny'\n" MATCH "swept = false\n",
        HEAD "risk = 'low'\naction = 'deny'\n" MATCH "depth_min = 1\n",
        HEAD "risk = 'low'\naction = 'deny'\n" MATCH "depth_min = 2\n",
        HEAD "risk = 'low'\naction = 'deny'\n" MATCH "paths_any = ['@system']\n",
        HEAD "risk = 'low'\naction = 'deny'\n" MATCH "paths_any = ['@home']\n",
        HEAD "risk = 'low'\naction = 'deny'\n" MATCH "context_any = ['loop']\n",
        "schema = 1\n[lists]\nhosts = ['h']\n",
        "schema = 1\n[defaults]\nunmatched = { action = 'deny', risk = 'low' }\n",
        "schema = 1\n[defaults]\nunmatched = { action = 'deny', risk = 'high' }\n",
    };
    uint8_t hashes[COUNT(texts)][POLICY_HASH_BYTES];
    for (size_t i = 0; i < COUNT(texts); i++) {
        hash_of(texts[i], hashes[i]);
        for (size_t j = 0; j < i; j++)
            if (!memcmp(hashes[i], hashes[j], sizeof hashes[i]))
                fail_msg("rules %zu and %zu have the same hash", j, i);
    }
}

static void the_same_rules_written_otherwise_have_the_same_hash(void **state)
{
    (void)state;
    uint8_t one[POLICY_HASH_BYTES], other[POLICY_HASH_BYTES];
    hash_of(HEAD "risk = 'low'\naction = 'deny'\n" MATCH "swept = true\n", one);
    hash_of("# c\nschema = 1\n[lists]\nx = ['a', 'b']\n[[rule]]\naction = \"deny\"\nid = 'i'\n"
            "risk = 'low'\ndescription = 'd'\nmatch = { swept = true, command = ['@x'] }\n",
            other);
    assert_memory_equal(one, other, sizeof one);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_part_of_a_rule_changes_the_hash),
        cmocka_unit_test(the_same_rules_written_otherwise_have_the_same_hash),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
