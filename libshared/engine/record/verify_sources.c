/* verify_sources.c - do the records of each source go on, and does table `source` say so? The same
 * rules as the audit's intake (ingest.h), seen from what it stored. */
#include "engine/record/moved.h"
#include "engine/record/verify_own.h"

#include "base/scope.h"
#include "base/text.h"

#include <string.h>

int verify_sources_begin(struct verify *v, struct err *err)
{
    SCOPED(stmt_free) struct stmt *rows = NULL;
    int got;
    if (db_prepare(v->db, "SELECT id, name, principal, epoch, upto FROM source ORDER BY id", &rows,
                   err))
        return -1;
    while ((got = stmt_step(rows, err)) == 1) {
        if (v->source_count == VERIFY_SOURCES)
            return verify_found(v, VERIFY_TAMPERED, "source", 0, "more than %d sources",
                                VERIFY_SOURCES);
        struct verify_source *s = &v->sources[v->source_count++];
        s->id = stmt_int(rows, 0);
        text_copy(s->name, sizeof s->name, stmt_text(rows, 1));
        text_copy(s->owner, sizeof s->owner, stmt_text(rows, 2));
        s->row_epoch = stmt_int(rows, 3);
        s->row_upto = stmt_int(rows, 4);
    }
    v->out->sources = (int64_t)v->source_count;
    return got;
}

struct verify_source *verify_source_of(struct verify *v, int64_t id)
{
    for (size_t i = 0; i < v->source_count; i++)
        if (v->sources[i].id == id)
            return &v->sources[i];
    return NULL;
}

static struct verify_source *find(struct verify *v, const char *name)
{
    for (size_t i = 0; i < v->source_count; i++)
        if (!strcmp(v->sources[i].name, name))
            return &v->sources[i];
    return NULL;
}

/* True for the audit itself, whose events alone explain anything. */
static bool is_own(const struct verify_source *s)
{
    return !s->owner[0] && !strncmp(s->name, "audit@", 6);
}

static int bind(struct verify *v, struct verify_source *s, const struct moved *m, int64_t gseq)
{
    if (s->is_bound || s->epoch)
        return verify_found(v, VERIFY_TAMPERED, "source", gseq, "%s is bound a second time",
                            s->name);
    if (strcmp(s->owner, m->owner) != 0)
        return verify_found(v, VERIFY_TAMPERED, "source", gseq,
                            "%s belongs to %s in the record, to %.60s in its table", s->name,
                            m->owner, s->owner);
    if (m->id && m->id != s->id)
        return verify_found(v, VERIFY_TAMPERED, "source", gseq, "%s has id %lld in its table",
                            s->name, (long long)s->id);
    s->is_bound = true;
    s->epoch = m->epoch;
    return 0;
}

/* Follows what the audit says that it did. */
static int move(struct verify *v, const struct moved *m, int64_t gseq)
{
    struct verify_source *s = find(v, m->source);
    if (!s)
        return verify_found(v, VERIFY_TAMPERED, "source", gseq, "%s is not in the table of sources",
                            m->source);
    if (m->kind == MOVED_BOUND)
        return bind(v, s, m, gseq);
    bool goes_on = m->kind == MOVED_EPOCH ? m->last == s->upto : m->first == s->upto + 1;
    if ((s->epoch && m->epoch != s->epoch) || !goes_on)
        verify_found(v, VERIFY_GAP, "gap", gseq, "%s was at record %lld of epoch %lld when %s",
                     s->name, (long long)s->upto, (long long)s->epoch, moved_name(m->kind));
    s->epoch = m->kind == MOVED_EPOCH ? m->next_epoch : m->epoch;
    s->upto = m->kind == MOVED_EPOCH ? 0 : m->last;
    return 0;
}

int verify_sources_follow(struct verify *v, struct verify_source *s, const struct leaf *leaf,
                          const struct derived *derived)
{
    struct moved moved;
    if ((s->epoch && leaf->epoch != s->epoch) || leaf->seq != s->upto + 1)
        verify_found(v, VERIFY_GAP, "gap", leaf->gseq,
                     "%s goes on with record %lld of epoch %lld behind %lld of epoch %lld", s->name,
                     (long long)leaf->seq, (long long)leaf->epoch, (long long)s->upto,
                     (long long)s->epoch);
    s->epoch = leaf->epoch;
    s->upto = leaf->seq;
    if (!derived->is_event || !is_own(s) ||
        !moved_read(derived->event.kind, derived->event.detail, &moved))
        return 0;
    return move(v, &moved, leaf->gseq);
}

int verify_sources_end(struct verify *v)
{
    for (size_t i = 0; i < v->source_count; i++) {
        const struct verify_source *s = &v->sources[i];
        if (!s->is_bound && !(is_own(s) && s->epoch))
            return verify_found(v, VERIFY_TAMPERED, "source", 0,
                                "nothing in the record binds source %.100s", s->name);
        if ((s->epoch && s->row_epoch != s->epoch) || s->row_upto != s->upto)
            return verify_found(v, VERIFY_TAMPERED, "source", 0,
                                "%s is at record %lld of epoch %lld, in its table at %lld of %lld",
                                s->name, (long long)s->upto, (long long)s->epoch,
                                (long long)s->row_upto, (long long)s->row_epoch);
    }
    return 0;
}
