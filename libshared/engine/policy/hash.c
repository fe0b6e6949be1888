/* hash.c - the hash of a rule set. Every text is hashed with its length in front, every list with
 * its count, so that no two sets read alike. Keys are those of keys.def, whatever it has. */
#include "engine/policy/ruleset_own.h"

#include "base/scope.h"

#include <assert.h>
#include <sodium.h>
#include <string.h>

#define LABEL "corral-policy-v2"

static void add_number(crypto_generichash_state *s, uint64_t n)
{
    uint8_t bytes[8];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(n >> 8 * i);
    crypto_generichash_update(s, bytes, sizeof bytes);
}

/* None is not the same as an empty one. */
static void add_text(crypto_generichash_state *s, const char *text)
{
    add_number(s, text ? strlen(text) : UINT64_MAX);
    if (text)
        crypto_generichash_update(s, (const uint8_t *)text, strlen(text));
}

static void add_texts(crypto_generichash_state *s, const char *const *texts, size_t count)
{
    add_number(s, count);
    for (size_t i = 0; i < count; i++)
        add_text(s, texts[i]);
}

static void add_key(crypto_generichash_state *s, const struct rule_key *key)
{
    uint64_t number;
    memcpy(&number, &key->number, sizeof number);
    add_text(s, key->row->name);
    add_number(s, key->negated);
    add_number(s, key->flag);
    add_number(s, number);
    add_number(s, key->bits);
    add_texts(s, key->items, key->count);
}

static void add_rule(crypto_generichash_state *s, const struct rule *rule)
{
    add_text(s, rule->id);
    add_text(s, rule->description);
    add_text(s, rule->message);
    add_number(s, rule->risk);
    add_number(s, rule->action);
    add_number(s, rule->tier);
    add_number(s, rule->ops);
    add_number(s, rule->locked);
    add_number(s, rule->enforced);
    add_texts(s, rule->tags, rule->tags_count);
    for (const struct rule_match *m = rule->matches; m; m = m->next) {
        add_number(s, m->count);
        for (size_t i = 0; i < m->count; i++)
            add_key(s, &m->keys[i]);
    }
    add_number(s, 0);
}

static void add_verdict(crypto_generichash_state *s, const struct default_verdict *v)
{
    add_number(s, v->action);
    add_number(s, v->risk);
    add_text(s, v->flag);
}

void rules_hash(struct ruleset *set)
{
    crypto_generichash_state s;
    assert(sodium_init() >= 0);
    crypto_generichash_init(&s, (const uint8_t *)LABEL, sizeof LABEL - 1, POLICY_HASH_BYTES);
    add_verdict(&s, &set->defaults.unmatched);
    add_verdict(&s, &set->defaults.unanalysable);
    add_texts(&s, set->known_hosts.items, set->known_hosts.count);
    add_number(&s, set->count);
    for (size_t i = 0; i < set->count; i++)
        add_rule(&s, set->rules[i]);
    crypto_generichash_final(&s, set->hash, POLICY_HASH_BYTES);
}
