/* moved.c - the audit's own words on how far a source is; see moved.h. */
#include "engine/record/moved.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const char *const names[] = {"source_bound", "source_epoch_changed", "records_missing"};

const char *moved_name(enum moved_kind kind)
{
    return names[kind];
}

void moved_show(const struct moved *m, char detail[MOVED_DETAIL_BYTES])
{
    if (m->kind == MOVED_BOUND && !m->epoch)
        snprintf(detail, MOVED_DETAIL_BYTES, "%s belongs to %s from now on", m->source, m->owner);
    else if (m->kind == MOVED_BOUND)
        snprintf(detail, MOVED_DETAIL_BYTES,
                 "%s belongs to %s from now on; epoch %" PRId64 ", id %" PRId64, m->source,
                 m->owner, m->epoch, m->id);
    else if (m->kind == MOVED_EPOCH)
        snprintf(detail, MOVED_DETAIL_BYTES,
                 "%s: epoch %" PRId64 " ends at record %" PRId64
                 " as far as is known; epoch %" PRId64 " begins",
                 m->source, m->epoch, m->last, m->next_epoch);
    else
        snprintf(detail, MOVED_DETAIL_BYTES,
                 "%s: records %" PRId64 " to %" PRId64 " of epoch %" PRId64
                 " were never received and are gone",
                 m->source, m->first, m->last, m->epoch);
}

/* Takes the numbers out; whether the words are right shows when they are written anew. */
static void scan(const char *detail, struct moved *m)
{
    if (m->kind == MOVED_BOUND)
        sscanf(detail, "%80[^ ] belongs to %129[^ ] from now on; epoch %" SCNd64 ", id %" SCNd64,
               m->source, m->owner, &m->epoch, &m->id);
    else if (m->kind == MOVED_EPOCH)
        sscanf(detail,
               "%80[^:]: epoch %" SCNd64 " ends at record %" SCNd64
               " as far as is known; epoch %" SCNd64,
               m->source, &m->epoch, &m->last, &m->next_epoch);
    else
        sscanf(detail, "%80[^:]: records %" SCNd64 " to %" SCNd64 " of epoch %" SCNd64, m->source,
               &m->first, &m->last, &m->epoch);
}

bool moved_read(const char *kind, const char *detail, struct moved *out)
{
    char again[MOVED_DETAIL_BYTES];
    for (int i = MOVED_BOUND; i <= MOVED_MISSING; i++) {
        struct moved m = {.kind = (enum moved_kind)i};
        if (strcmp(kind, names[i]) != 0)
            continue;
        scan(detail, &m);
        moved_show(&m, again);
        if (strcmp(again, detail) != 0)
            return false;
        *out = m;
        return true;
    }
    return false;
}
