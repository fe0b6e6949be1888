/* rules_match.c - one match of a rule or an override, key by key. */
#include "engine/policy/ruleset_own.h"

#include <stdlib.h>
#include <string.h>

static int by_row(const void *a, const void *b)
{
    const struct key_row *x = ((const struct rule_key *)a)->row;
    const struct key_row *y = ((const struct rule_key *)b)->row;
    if (x == y) /* not_command behind command, by which a match is found */
        return ((const struct rule_key *)a)->negated - ((const struct rule_key *)b)->negated;
    return (x > y) - (x < y);
}

static void remember_feeds(struct ruleset *set, const struct rule_match *m)
{
    for (size_t i = 0; i < m->count; i++)
        if (m->keys[i].row->kind == KIND_FEEDS || m->keys[i].row->kind == KIND_FED_PATHS)
            ((const struct rule_key **)set->questions.keys)[m->keys[i].feed] = &m->keys[i];
}

int rules_end_match(struct reading_rules *r, struct match_draft *d)
{
    if (!d->open)
        return 0;
    d->open = false;
    if (!d->keys_count)
        return rules_wrong(r, d->at, "a match without keys would match everything");
    struct rule_match *m = rules_new(r, 1, sizeof *m);
    struct rule_key *keys = m ? rules_new(r, d->keys_count, sizeof *keys) : NULL;
    if (!keys)
        return -1;
    qsort(d->keys, d->keys_count, sizeof *keys, by_row);
    memcpy(keys, d->keys, d->keys_count * sizeof *keys);
    *m = (struct rule_match){.keys = keys, .count = d->keys_count};
    for (size_t i = 0; i < m->count; i++) {
        const struct key_row *row = keys[i].row;
        bool no = row->kind == KIND_FLAG ? keys[i].negated == keys[i].flag : keys[i].negated;
        m->needs |= no ? 0 : row->needs;
        m->asks_paths |= row->kind == KIND_PATHS && row->argument;
        m->paths_unknown |= !strcmp(row->name, "paths_unknown") && !no;
        m->asks_flags |= !strncmp(row->name, "flags_a", strlen("flags_a"));
        m->flags_unknown |= !strcmp(row->name, "flags_unknown") && !no;
    }
    remember_feeds(r->set, m);
    *d->tail = m;
    d->tail = (const struct rule_match **)&m->next;
    return 0;
}

int rules_read_match_key(struct reading_rules *r, const struct toml_entry *e, size_t match,
                         struct match_draft *d)
{
    if (!d->open || d->index != match) {
        if (rules_end_match(r, d))
            return -1;
        d->open = true;
        d->index = match;
        d->at = e;
        d->keys_count = 0;
    }
    if (!e->key[0])
        return 0;
    if (d->keys_count == MATCH_MAX_KEYS)
        return rules_wrong(r, e, "more than %d keys in a match", MATCH_MAX_KEYS);
    return rules_read_key(r, e, &d->keys[d->keys_count++]);
}
