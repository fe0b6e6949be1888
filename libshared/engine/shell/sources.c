/* sources.c - see sources.h. */
#include "engine/shell/sources.h"

#include "engine/shell/walk.h"

/* A join copies so many: or each command of a text would copy all that stand before it. */
enum { LOOK_AHEAD = 32, JOINED_MAX = 256 };

static bool begins_within(const struct source_fact *list, const struct source_fact *end)
{
    for (int i = 0; list && i < LOOK_AHEAD; i++, list = list->next)
        if (list == end)
            return true;
    return false;
}

static bool is_shorter(const struct source_fact *a, const struct source_fact *b)
{
    while (a && b) {
        a = a->next;
        b = b->next;
    }
    return !a;
}

static bool is_listed(const struct source_fact *list, const struct source_fact *one)
{
    for (int i = 0; list && i < LOOK_AHEAD; i++, list = list->next)
        if (list->from == one->from && list->way == one->way)
            return true;
    return false;
}

const struct source_fact *sources_join(struct arena *arena, const struct source_fact *a,
                                       const struct source_fact *b)
{
    if (!a || !b || a == b || begins_within(a, b))
        return a ? a : b;
    if (begins_within(b, a))
        return b;
    const struct source_fact *rest = is_shorter(a, b) ? b : a;
    const struct source_fact *first = rest;
    int copied = 0;
    for (const struct source_fact *each = rest == b ? a : b; each; each = each->next) {
        arena->steps++;
        if (is_listed(rest, each))
            continue;
        struct source_fact *copy =
            copied++ < JOINED_MAX && !arena->full ? arena_new(arena, 1, sizeof *copy) : NULL;
        if (!copy) {
            arena->full = true;
            return first;
        }
        *copy = (struct source_fact){.way = each->way, .from = each->from, .next = first};
        first = copy;
    }
    return first;
}

const struct source_fact *sources_add(struct walk *w, const struct command_fact *from,
                                      enum source_way way, const struct source_fact *next)
{
    struct source_fact *source = walk_new(w, 1, sizeof *source);
    if (!source)
        return next;
    *source = (struct source_fact){.way = way, .from = from, .next = next};
    w->facts->arena.steps++;
    return source;
}

const struct source_fact *sources_since(struct walk *w, struct command_fact **since,
                                        enum source_way way)
{
    const struct source_fact *list = NULL;
    for (const struct command_fact *c = *since; c; c = c->next)
        list = sources_add(w, c, way, list);
    return list;
}

const struct source_fact *sources_by(struct walk *w, const struct source_fact *list,
                                     enum source_way way)
{
    const struct source_fact *same = list, *by = NULL;
    while (same && same->way == way)
        same = same->next;
    if (!same)
        return list;
    for (; list; list = list->next)
        by = sources_add(w, list->from, way, by);
    return by;
}

const struct source_fact *sources_only(struct walk *w, const struct source_fact *list,
                                       enum source_way way, enum source_way by)
{
    const struct source_fact *only = NULL;
    for (; list; list = list->next)
        if (list->way == way)
            only = sources_add(w, list->from, by, only);
    return only;
}
