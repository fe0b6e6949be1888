/* index.c - see index.h. A match whose key `command` has no pattern is filed under each of its
 * names; all others are looked at for every command, which is cheap where the record lacks what
 * they need. */
#include "engine/policy/index.h"

#include <string.h>

static uint64_t hash_of(const char *name)
{
    uint64_t hash = 14695981039346656037u; /* FNV-1a */
    for (; *name; name++)
        hash = (hash ^ (uint8_t)*name) * 1099511628211u;
    return hash;
}

static struct index_name *slot_of(const struct rule_index *index, const char *name)
{
    size_t at = hash_of(name) & (index->size - 1);
    while (index->names[at].name && strcmp(index->names[at].name, name) != 0)
        at = (at + 1) & (index->size - 1);
    return &index->names[at];
}

const struct index_name *index_find(const struct rule_index *index, const char *name)
{
    const struct index_name *slot = index->size ? slot_of(index, name) : NULL;
    return slot && slot->name ? slot : NULL;
}

/* The key that names a match's commands one by one; NULL when none does. */
static const struct rule_key *names_of(const struct rule_match *m)
{
    for (size_t i = 0; i < m->count; i++) {
        const struct rule_key *key = &m->keys[i];
        if (key->negated || strcmp(key->row->name, "command") != 0)
            continue;
        for (size_t k = 0; k < key->count; k++)
            if (strchr(key->items[k], '*'))
                return NULL;
        return key;
    }
    return NULL;
}

static int file_match(struct reading_rules *r, const struct rule_match *m)
{
    const struct rule_key *key = names_of(m);
    if (!key) {
        r->set->index.others[r->set->index.others_count++] = m;
        return 0;
    }
    for (size_t i = 0; i < key->count; i++) {
        struct index_name *slot = slot_of(&r->set->index, key->items[i]);
        struct index_entry *e = rules_new(r, 1, sizeof *e);
        if (!e)
            return -1;
        *e = (struct index_entry){.match = m};
        if (!slot->name)
            *slot = (struct index_name){.name = key->items[i]};
        if (slot->tail)
            *slot->tail = e;
        else
            slot->first = e;
        slot->tail = (struct index_entry **)&e->next;
    }
    return 0;
}

int rules_index(struct reading_rules *r)
{
    struct ruleset *set = r->set;
    struct rule_index *index = &set->index;
    size_t names = 1, matches = 1;
    for (size_t i = 0; i < set->count; i++) {
        for (const struct rule_match *m = set->rules[i]->matches; m; m = m->next) {
            const struct rule_key *key = names_of(m);
            names += key ? key->count : 0;
            matches++;
        }
    }
    for (index->size = 1; index->size < 2 * names;)
        index->size *= 2;
    index->names = rules_new(r, index->size, sizeof *index->names);
    index->others = rules_new(r, matches, sizeof *index->others);
    if (!index->names || !index->others)
        return -1;
    for (size_t i = 0; i < set->count; i++)
        for (const struct rule_match *m = set->rules[i]->matches; m; m = m->next)
            if (file_match(r, m))
                return -1;
    return 0;
}
