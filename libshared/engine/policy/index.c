/* index.c - see index.h. A match is filed under each name of its key `command`, under each pattern
 * of names, or with those that are looked at for every command, which is cheap where the record
 * lacks what they need. */
#include "engine/policy/index.h"

#include <string.h>

uint64_t index_hash(const char *name)
{
    uint64_t hash = 14695981039346656037u; /* FNV-1a */
    for (; *name; name++)
        hash = (hash ^ (uint8_t)*name) * 1099511628211u;
    return hash;
}

static struct index_name *slot_of(const struct rule_index *index, const char *name)
{
    size_t at = index_hash(name) & (index->size - 1);
    while (index->names[at].name && strcmp(index->names[at].name, name) != 0)
        at = (at + 1) & (index->size - 1);
    return &index->names[at];
}

const struct index_name *index_find(const struct rule_index *index, const char *name)
{
    const struct index_name *slot = index->size ? slot_of(index, name) : NULL;
    return slot && slot->name ? slot : NULL;
}

/* The key that names a match's commands: its first, if it has one. */
static const struct rule_key *names_of(const struct rule_match *m)
{
    const struct rule_key *key = &m->keys[0];
    return key->negated || strcmp(key->row->name, "command") != 0 ? NULL : key;
}

static int add_entry(struct reading_rules *r, struct index_name *to,
                     const struct index_entry *entry)
{
    if (to->count && to->entries[to->count - 1].match == entry->match)
        return 0; /* a name that is twice in its list */
    if (to->count == to->room) {
        size_t room = to->room ? to->room * 2 : 4;
        struct index_entry *entries = rules_new(r, room, sizeof *entries);
        if (!entries)
            return -1;
        if (to->count)
            memcpy(entries, to->entries, to->count * sizeof *entries);
        to->entries = entries;
        to->room = room;
    }
    to->entries[to->count++] = *entry;
    return 0;
}

static struct index_name *pattern_of(struct rule_index *index, const char *pattern)
{
    size_t at = 0;
    while (at < index->patterns_count && strcmp(index->patterns[at].name, pattern) != 0)
        at++;
    if (at == index->patterns_count)
        index->patterns[index->patterns_count++] = (struct index_name){.name = pattern};
    return &index->patterns[at];
}

static bool is_pattern(const char *name)
{
    return strchr(name, '*') != NULL;
}

static int file_match(struct reading_rules *r, const struct rule_match *m)
{
    struct rule_index *index = &r->set->index;
    const struct rule_key *key = names_of(m);
    struct index_entry entry = {.match = m, .needs = m->needs, .ops = m->rule->ops};
    if (!key)
        return add_entry(r, &index->others, &entry);
    entry.named = entry.acts = true;
    for (size_t i = 0; i < key->count; i++)
        entry.acts &= !is_pattern(key->items[i]);
    for (size_t i = 0; i < key->count; i++) {
        struct index_name *slot = is_pattern(key->items[i]) ? pattern_of(index, key->items[i])
                                                            : slot_of(index, key->items[i]);
        slot->name = key->items[i];
        if (add_entry(r, slot, &entry))
            return -1;
    }
    return 0;
}

int rules_index(struct reading_rules *r)
{
    struct ruleset *set = r->set;
    struct rule_index *index = &set->index;
    size_t names = 1;
    for (size_t i = 0; i < set->count; i++) {
        for (const struct rule_match *m = set->rules[i]->matches; m; m = m->next) {
            const struct rule_key *key = names_of(m);
            names += key ? key->count : 0;
        }
    }
    for (index->size = 1; index->size < 2 * names;)
        index->size *= 2;
    index->names = rules_new(r, index->size, sizeof *index->names);
    index->patterns = rules_new(r, names, sizeof *index->patterns);
    if (!index->names || !index->patterns)
        return -1;
    for (size_t i = 0; i < set->count; i++)
        for (const struct rule_match *m = set->rules[i]->matches; m; m = m->next)
            if (file_match(r, m))
                return -1;
    return feed_index(&set->arena, &set->questions)
               ? 0
               : err_set(r->err, ERR_MEMORY, "no memory for rules");
}
