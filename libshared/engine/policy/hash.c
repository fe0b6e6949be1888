/* hash.c - the hash of a rule set; see judge.h. */
#include "engine/policy/judge.h"

#include <assert.h>
#include <sodium.h>
#include <string.h>

static const uint8_t LABEL[] = "corral rule set 1";

/* Every key of a match is added below; one that is new has to be, too. */
_Static_assert(sizeof(struct rule_match) == 120, "policy_hash must add every key of a match");
_Static_assert(sizeof(struct rule) == 152, "policy_hash must add every part of a rule");

static void add_number(crypto_generichash_state *s, uint64_t n)
{
    uint8_t bytes[8];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(n >> 8 * i);
    crypto_generichash_update(s, bytes, sizeof bytes);
}

/* With its length in front; none is not the same as an empty one. */
static void add_text(crypto_generichash_state *s, const char *text)
{
    add_number(s, text ? strlen(text) : UINT64_MAX);
    if (text)
        crypto_generichash_update(s, (const uint8_t *)text, strlen(text));
}

static void add_list(crypto_generichash_state *s, const char *const *list)
{
    for (; list && *list; list++)
        add_text(s, *list);
    add_text(s, NULL);
}

static void add_match(crypto_generichash_state *s, const struct rule_match *m)
{
    const char *const *const lists[] = {m->command,   m->flags_any, m->args_any,
                                        m->args_also, m->args_none, m->opens_any,
                                        m->code_any,  m->sets_any,  m->writes_paths};
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++)
        add_list(s, lists[i]);
    add_text(s, m->paths_prefix);
    add_number(s, m->or_swept);
    add_number(s, m->args_unknown);
    add_number(s, m->sets_user_id);
    add_number(s, m->paths_any);
    add_number(s, m->paths_role);
    add_number(s, m->writes_any);
    add_number(s, m->context_any);
}

void policy_hash(struct rule_set rules, uint8_t hash[POLICY_HASH_BYTES])
{
    crypto_generichash_state s;
    assert(sodium_init() >= 0);
    crypto_generichash_init(&s, LABEL, sizeof LABEL - 1, POLICY_HASH_BYTES);
    for (size_t i = 0; i < rules.count; i++) {
        const struct rule *rule = &rules.rules[i];
        add_text(&s, rule->id);
        add_text(&s, rule->description);
        add_text(&s, rule->hint);
        add_number(&s, rule->risk);
        add_number(&s, rule->action);
        add_match(&s, &rule->match);
    }
    crypto_generichash_final(&s, hash, POLICY_HASH_BYTES);
}
