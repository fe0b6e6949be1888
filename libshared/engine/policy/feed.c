/* feed.c - see feed.h. */
#include "engine/policy/feed.h"

#include "base/text.h"
#include "engine/policy/index.h"
#include "engine/policy/key.h"

#include <string.h>

enum { WORD_BITS = 64, WORD_MAX_BYTES = 64 };

static size_t words_of(const struct feed_questions *questions)
{
    return (questions->count + WORD_BITS - 1) / WORD_BITS;
}

static uint64_t *bits_of(const struct feeds *feeds, uint64_t *all, const struct command_fact *c)
{
    return all + c->index * words_of(feeds->questions);
}

static void set_bit(uint64_t *bits, const struct rule_key *key)
{
    bits[key->feed / WORD_BITS] |= (uint64_t)1 << key->feed % WORD_BITS;
}

static struct feed_name *slot_of(const struct feed_questions *q, const char *name)
{
    size_t at = index_hash(name) & (q->size - 1);
    while (q->names[at].name && strcmp(q->names[at].name, name) != 0)
        at = (at + 1) & (q->size - 1);
    return &q->names[at];
}

static struct feed_name *pattern_of(struct feed_questions *q, const char *pattern)
{
    size_t at = 0;
    while (at < q->patterns_count && strcmp(q->patterns[at].name, pattern) != 0)
        at++;
    q->patterns_count += at == q->patterns_count;
    return &q->patterns[at];
}

static bool file_key(struct arena *arena, struct feed_questions *q, const struct rule_key *key)
{
    for (size_t i = 0; i < key->count; i++) {
        bool is_pattern = strchr(key->items[i], '*') != NULL;
        struct feed_name *slot =
            is_pattern ? pattern_of(q, key->items[i]) : slot_of(q, key->items[i]);
        slot->name = key->items[i];
        if (!slot->bits && !(slot->bits = arena_new(arena, words_of(q), sizeof *slot->bits)))
            return false;
        set_bit(slot->bits, key);
    }
    return true;
}

bool feed_index(struct arena *arena, struct feed_questions *questions)
{
    size_t names = 1;
    for (size_t i = 0; i < questions->count; i++)
        names += questions->keys[i]->count;
    for (questions->size = 1; questions->size < 2 * names;)
        questions->size *= 2;
    questions->names = arena_new(arena, questions->size, sizeof *questions->names);
    questions->patterns = arena_new(arena, names, sizeof *questions->patterns);
    questions->others = arena_new(arena, questions->count, sizeof *questions->others);
    if (!questions->names || !questions->patterns || !questions->others)
        return false;
    for (size_t i = 0; i < questions->count; i++) {
        const struct rule_key *key = questions->keys[i];
        if (key->row->argument == FEED_READS || key->row->argument == FEED_ARGS)
            questions->others[questions->others_count++] = key;
        else if (!file_key(arena, questions, key))
            return false;
    }
    return true;
}

/* The questions that a command answers by its name. */
static void answer_by_name(const struct feed_questions *q, const char *name, uint64_t *self)
{
    const struct feed_name *named = slot_of(q, name);
    for (size_t w = 0; named->name && w < words_of(q); w++)
        self[w] |= named->bits[w];
    for (size_t i = 0; i < q->patterns_count; i++) {
        bool matches = text_matches(q->patterns[i].name, name);
        for (size_t w = 0; matches && w < words_of(q); w++)
            self[w] |= q->patterns[i].bits[w];
    }
}

static bool is_listed(const struct rule_key *key, const char *text)
{
    for (size_t i = 0; i < key->count; i++)
        if (text_matches(key->items[i], text))
            return true;
    return false;
}

/* The next word of a pattern that a search was given, "[x]" read as "x": "/[s]shd/{print $2}" has
 * sshd and print. False behind the last one. */
static bool next_word(const char **at, char word[WORD_MAX_BYTES])
{
    static const char parts[] =
        "_-.@ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    size_t len = 0;
    for (; **at; ++*at) {
        bool one = **at == '[' && (*at)[1] && (*at)[2] == ']';
        if (one)
            ++*at;
        if (strchr(parts, **at) && len + 1 < WORD_MAX_BYTES)
            word[len++] = **at;
        else if (len)
            break;
        *at += one;
    }
    word[len] = 0;
    return len > 0;
}

static bool is_given(const struct subject *s, const struct rule_key *key)
{
    const struct command_fact *c = s->c;
    char word[WORD_MAX_BYTES];
    for (size_t k = 1; k < c->argv.count && !subject_is_spent(s); k++) {
        const char *text = c->argv.items[k].text;
        s->facts->arena.steps += key->count;
        if (is_listed(key, text))
            return true;
        bool is_pattern = strpbrk(text, "[]/\\^$|(){} ") != NULL;
        for (const char *at = text; is_pattern && next_word(&at, word);) {
            s->facts->arena.steps += key->count;
            if (is_listed(key, word))
                return true;
        }
    }
    return false;
}

static bool reads(struct subject *s, const struct rule_key *key)
{
    size_t count;
    const struct place *places = subject_places(s, &count);
    for (size_t i = 0; i < count && !subject_is_spent(s); i++) {
        s->facts->arena.steps += key->count * (places[i].pattern ? SUBJECT_PATTERN_STEPS : 1);
        if (places[i].touches & TOUCH_READ && place_is_listed(s->context, &places[i], key, false))
            return true;
    }
    return false;
}

static bool asks(struct subject *s, const struct rule_key *key)
{
    return key->row->argument == FEED_READS ? reads(s, key) : is_given(s, key);
}

/* What each record is, is given and reads. */
static void look(const struct subject *from, struct feeds *feeds)
{
    const struct feed_questions *q = feeds->questions;
    struct subject s = *from;
    for (const struct command_fact *c = s.facts->first; c; c = c->next) {
        uint64_t *self = bits_of(feeds, feeds->self, c);
        subject_turn(&s, c, OP_EXEC);
        if (c->name)
            answer_by_name(q, c->name, self);
        for (size_t i = 0; i < q->others_count; i++)
            if (asks(&s, q->others[i]))
                set_bit(self, q->others[i]);
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
    for (size_t w = 0; w < words_of(feeds->questions); w++) {
        uint64_t more = self[w] | its_any[w], more_piped = by_stdin ? self[w] | its_piped[w] : 0;
        uint64_t more_ran = way == WAY_RUN ? more : 0;
        news |= (more & ~any[w]) | (more_piped & ~piped[w]) | (more_ran & ~ran[w]);
        any[w] |= more;
        ran[w] |= more_ran;
        piped[w] |= more_piped;
    }
    return news;
}

/* True when another pass may bring more: there was news, and a command has a source behind it. */
static bool pass(struct facts *facts, struct feeds *feeds)
{
    bool news = false, back = false;
    for (const struct command_fact *c = facts->first; c; c = c->next) {
        for (const struct source_fact *f = c->sources; f; f = f->next, facts->arena.steps++) {
            back |= f->from->index >= c->index;
            news |= take(feeds, c, f->from, f->way);
        }
        if (!c->sources && c->upstream) {
            back |= c->upstream->index >= c->index;
            news |= take(feeds, c, c->upstream, WAY_PIPE);
        }
    }
    return news && back;
}

static void find_out(const struct subject *s, struct feeds *feeds)
{
    size_t count = s->facts->count;
    size_t words = words_of(feeds->questions);
    uint64_t *room = arena_new(&s->facts->arena, count * words * 4, sizeof *room);
    feeds->failed = !room;
    if (!room)
        return;
    feeds->self = room;
    feeds->piped = room + count * words;
    feeds->any = feeds->piped + count * words;
    feeds->ran = feeds->any + count * words;
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
