/* key_paths.c - the keys about paths and what feeds a command; see key_tests.h. */
#include "base/text.h"
#include "engine/policy/key_tests.h"

#include <string.h>

/* The subject is const for tests; what it finds out is kept behind their backs. */
static const struct place *places_of(const struct subject *s, size_t *count)
{
    return subject_places((struct subject *)s, count);
}

static bool plays(const struct place *p, unsigned roles)
{
    return (p->touches & roles) || (p->operand && roles & TOUCH_OPERAND);
}

bool test_paths(const struct subject *s, const struct rule_key *key, bool sure)
{
    size_t count;
    const struct place *places = places_of(s, &count);
    bool unknown_counts = s->match->paths_unknown && !sure;
    for (size_t i = 0; i < count && !subject_is_spent(s); i++) {
        s->facts->arena.steps++;
        if (!plays(&places[i], key->row->argument))
            continue;
        s->facts->arena.steps += key->count * (places[i].pattern ? SUBJECT_PATTERN_STEPS : 1);
        if ((unknown_counts && places[i].classes & PATH_UNKNOWN) ||
            place_is_listed(s->context, &places[i], key, sure))
            return true;
    }
    return false;
}

bool test_paths_unknown(const struct subject *s, const struct rule_key *key, bool sure)
{
    (void)sure;
    size_t count;
    if (s->match->asks_paths)
        return true;
    const struct place *places = places_of(s, &count);
    bool unknown = false;
    for (size_t i = 0; i < count; i++)
        unknown |= (places[i].classes & PATH_UNKNOWN) != 0;
    return unknown == key->flag;
}

bool test_recursive(const struct subject *s, const struct rule_key *key, bool sure)
{
    (void)sure;
    bool recursive = false;
    for (const struct file_fact *f = s->c->files; f; f = f->next)
        recursive |= f->recursive;
    return recursive == key->flag;
}

bool test_program_path(const struct subject *s, const struct rule_key *key, bool sure)
{
    const struct command_fact *c = s->c;
    struct place place;
    if (!c->argv.count || !strchr(c->argv.items[0].text, '/'))
        return false;
    place_read(&s->facts->arena, s->context, c->cwds, &c->argv.items[0], &place);
    return place_is_listed(s->context, &place, key, sure);
}

bool test_feeds(const struct subject *s, const struct rule_key *key, bool sure)
{
    (void)sure;
    return feed_reaches(s, key);
}

/* Its own sources; what feeds those is asked of them. */
bool test_feeds_unknown(const struct subject *s, const struct rule_key *key, bool sure)
{
    (void)sure;
    const struct command_fact *upstream = s->c->sources ? NULL : s->c->upstream;
    bool unknown = upstream && !upstream->name;
    for (const struct source_fact *f = s->c->sources; f; f = f->next)
        unknown |= !f->from->name;
    return unknown == key->flag;
}
