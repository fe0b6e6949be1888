/* feed.c - see feed.h. */
#include "engine/policy/feed.h"

#include "base/text.h"
#include "engine/policy/key.h"

#include <string.h>

enum { WORD_BITS = 64 };

static uint64_t *bits_of(const struct feeds *feeds, uint64_t *all, const struct command_fact *c)
{
    return all + c->index * feeds->words;
}

static bool is_named(const struct rule_key *key, const struct command_fact *c)
{
    for (size_t i = 0; c->name && i < key->count; i++)
        if (text_matches(key->items[i], c->name))
            return true;
    return false;
}

static bool is_given(const struct rule_key *key, const struct command_fact *c)
{
    for (size_t i = 0; i < key->count; i++)
        for (size_t k = 1; k < c->argv.count; k++)
            if (text_matches(key->items[i], c->argv.items[k].text))
                return true;
    return false;
}

static bool reads(struct subject *s, const struct rule_key *key)
{
    size_t count;
    const struct place *places = subject_places(s, &count);
    for (size_t i = 0; i < count; i++)
        if (places[i].touches & TOUCH_READ && place_is_listed(s->context, &places[i], key, false))
            return true;
    return false;
}

static bool asks(struct subject *s, const struct rule_key *key)
{
    switch (key->row->argument) {
    case FEED_ARGS:
        return is_given(key, s->c);
    case FEED_READS:
        return reads(s, key);
    default:
        return is_named(key, s->c);
    }
}

/* What each record is, is given and reads. */
static void look(const struct subject *from, struct feeds *feeds)
{
    struct subject s = *from;
    for (const struct command_fact *c = s.facts->first; c; c = c->next) {
        subject_turn(&s, c, OP_EXEC);
        uint64_t *self = bits_of(feeds, feeds->self, c);
        for (size_t i = 0; i < feeds->questions->count; i++) {
            const struct rule_key *key = feeds->questions->keys[i];
            bool yes = asks(&s, key);
            self[i / WORD_BITS] |= (uint64_t)yes << i % WORD_BITS;
        }
    }
}

/* Adds what a source is and what reached it; true when that was news. */
static bool take(struct feeds *feeds, const struct command_fact *to,
                 const struct command_fact *from, enum source_way way)
{
    bool by_stdin = way == WAY_PIPE || way == WAY_PROCESS;
    uint64_t *ran = bits_of(feeds, feeds->ran, to);
    uint64_t *piped = bits_of(feeds, feeds->piped, to), *any = bits_of(feeds, feeds->any, to);
    const uint64_t *self = bits_of(feeds, feeds->self, from);
    const uint64_t *its_piped = bits_of(feeds, feeds->piped, from);
    const uint64_t *its_any = bits_of(feeds, feeds->any, from);
    uint64_t news = 0;
    for (size_t w = 0; w < feeds->words; w++) {
        uint64_t more = self[w] | its_any[w], more_piped = by_stdin ? self[w] | its_piped[w] : 0;
        uint64_t more_ran = way == WAY_RUN ? more : 0;
        news |= (more & ~any[w]) | (more_piped & ~piped[w]) | (more_ran & ~ran[w]);
        any[w] |= more;
        ran[w] |= more_ran;
        piped[w] |= more_piped;
    }
    return news;
}

static bool pass(const struct facts *facts, struct feeds *feeds)
{
    bool news = false;
    for (const struct command_fact *c = facts->first; c; c = c->next) {
        for (const struct source_fact *f = c->sources; f; f = f->next)
            news |= take(feeds, c, f->from, f->way);
        if (!c->sources && c->upstream)
            news |= take(feeds, c, c->upstream, WAY_PIPE);
    }
    return news;
}

static void find_out(const struct subject *s, struct feeds *feeds)
{
    size_t count = s->facts->count;
    feeds->words = (feeds->questions->count + WORD_BITS - 1) / WORD_BITS;
    uint64_t *room = arena_new(&s->facts->arena, count * feeds->words * 4, sizeof *room);
    feeds->failed = !room;
    if (!room)
        return;
    feeds->self = room;
    feeds->piped = room + count * feeds->words;
    feeds->any = feeds->piped + count * feeds->words;
    feeds->ran = feeds->any + count * feeds->words;
    look(s, feeds);
    for (int i = 0; pass(s->facts, feeds); i++)
        if (i == FEED_MAX_PASSES) {
            feeds->failed = true;
            return;
        }
}

bool feed_reaches(const struct subject *s, const struct rule_key *key)
{
    struct feeds *feeds = s->feeds;
    if (!feeds->self && !feeds->failed)
        find_out(s, feeds);
    if (feeds->failed)
        return true;
    unsigned at = key->feed / WORD_BITS;
    uint64_t bit = (uint64_t)1 << key->feed % WORD_BITS;
    switch (key->row->argument) {
    case FEED_STDIN:
        return bits_of(feeds, feeds->piped, s->c)[at] & bit;
    case FEED_RUNS:
        return bits_of(feeds, feeds->ran, s->c)[at] & bit;
    case FEED_ANY:
    case FEED_ARGS:
        return bits_of(feeds, feeds->any, s->c)[at] & bit;
    default:
        return (bits_of(feeds, feeds->any, s->c)[at] | bits_of(feeds, feeds->self, s->c)[at]) & bit;
    }
}
