/* sources.c - the services whose records are kept; see sources.h. */
#include "audit/sources.h"

#include "base/mem.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct source *sources_find(const struct sources *t, const char *name)
{
    for (size_t i = 0; i < t->count; i++)
        if (!strcmp(t->all[i]->is.name, name))
            return t->all[i];
    return NULL;
}

struct source *sources_find_id(const struct sources *t, int64_t id)
{
    for (size_t i = 0; i < t->count; i++)
        if (t->all[i]->is.source == id)
            return t->all[i];
    return NULL;
}

int sources_add(struct sources *t, const struct place *place, struct source **out, struct err *err)
{
    if (t->count == SOURCES_MAX)
        return err_set(err, ERR_OVERLOADED, "%d sources are known; no more", SOURCES_MAX);
    struct source *s = mem_new(1, sizeof *s);
    if (!s)
        return err_set(err, ERR_MEMORY, "no memory for a source");
    s->is = *place;
    t->all[t->count++] = s;
    if (place->source > t->newest_id)
        t->newest_id = place->source;
    *out = s;
    return 0;
}

void sources_undo(struct sources *t)
{
    assert(t->count);
    free(t->all[--t->count]);
}

void sources_close(struct sources *t)
{
    while (t->count)
        sources_undo(t);
}
