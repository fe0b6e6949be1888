/* hash.c - the hash of a rule set. Every text is hashed with its length in front, every list with
 * its count, so that no two sets read alike. Keys are those of keys.def, whatever it has. */
#include "engine/policy/ruleset_own.h"

#include "base/scope.h"
#include "engine/policy/zone.h"

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

static void add_matches(crypto_generichash_state *s, const struct rule_match *m)
{
    for (; m; m = m->next) {
        add_number(s, m->count);
        for (size_t i = 0; i < m->count; i++)
            add_key(s, &m->keys[i]);
    }
    add_number(s, 0);
}

/* A time zone goes by what it says, not by its name: its file may change. */
static void add_zone(crypto_generichash_state *s, const struct zone *zone)
{
    add_number(s, zone->count);
    for (size_t i = 0; i < zone->count; i++) {
        add_number(s, (uint64_t)zone->at[i]);
        add_number(s, (uint64_t)zone->offset_s[i]);
    }
    const int64_t rule[] = {zone->first_s,     zone->standard_s,     zone->summer_s,
                            zone->has_rule,    zone->has_summer,     zone->begins.month,
                            zone->begins.week, zone->begins.weekday, zone->begins.second,
                            zone->ends.month,  zone->ends.week,      zone->ends.weekday,
                            zone->ends.second};
    for (size_t i = 0; i < COUNT(rule); i++)
        add_number(s, (uint64_t)rule[i]);
}

static void add_when(crypto_generichash_state *s, const struct rule_when *when)
{
    add_texts(s, when->tenants.items, when->tenants.count);
    add_texts(s, when->agents.items, when->agents.count);
    add_texts(s, when->tags.items, when->tags.count);
    const int64_t numbers[] = {when->networks,    when->asks_interactive, when->interactive,
                               when->days,        when->from_min,         when->to_min,
                               when->zone != NULL};
    for (size_t i = 0; i < COUNT(numbers); i++)
        add_number(s, (uint64_t)numbers[i]);
    if (when->zone)
        add_zone(s, when->zone);
}

static void add_override(crypto_generichash_state *s, const struct rule_override *o)
{
    add_when(s, &o->when);
    add_when(s, &o->scope);
    add_texts(s, o->exempts, o->exempts_count);
    add_number(s, o->action);
    add_text(s, o->reason);
    add_number(s, (uint64_t)o->expires_s);
    add_matches(s, o->only);
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
    add_when(s, &rule->when);
    add_when(s, &rule->scope);
    add_matches(s, rule->matches);
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
    if (set->base)
        crypto_generichash_update(&s, set->base->hash, sizeof set->base->hash);
    add_verdict(&s, &set->defaults.unmatched);
    add_verdict(&s, &set->defaults.unanalysable);
    for (size_t i = 0; i < COUNT(set->defaults.risk_floor); i++)
        add_number(&s, set->defaults.risk_floor[i]);
    add_number(&s, set->defaults.no_approver);
    for (size_t i = 0; i < set->sources_count; i++)
        add_number(&s, (uint64_t)set->generations[i]);
    add_number(&s, set->overrides_count);
    for (size_t i = 0; i < set->overrides_count; i++)
        add_override(&s, set->overrides[i]);
    add_verdict(&s, &set->defaults.unanalysable_script);
    add_texts(&s, set->known_hosts.items, set->known_hosts.count);
    add_number(&s, set->count);
    for (size_t i = 0; i < set->count; i++)
        add_rule(&s, set->rules[i]);
    crypto_generichash_final(&s, set->hash, POLICY_HASH_BYTES);
}
