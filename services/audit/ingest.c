/* ingest.c - the rules by which records are taken; see ingest.h.
 *
 * Invariant: a source's place goes into the batch that holds the record or the event which moved
 * it. So after a crash at any moment the database's place is what its records say, and what was
 * not committed is asked for again.
 *
 * A source has one window open at a time: what it was asked to push. The window is over when its
 * last record was seen, whether or not all of it could be taken, or when nothing was pushed for
 * PATIENCE_NS. Asking again while an old window is still on its way would fill the ways with
 * repeats faster than they are dropped; hellos are no clock, for a slow audit reads many at once.
 */
#include "audit/ingest.h"

#include "audit/queue.h"
#include "audit/refusals.h"
#include "audit/sources.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/scope.h"
#include "base/text.h"
#include "engine/record/moved.h"
#include "service/outbox.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { EVENT_BYTES = 48 * 1024 };
static const int64_t PATIENCE_NS = 5ll * S_NS;

struct ingest {
    struct ingest_options options;
    struct sources sources;
    struct source *own;
    struct queue queue;
    int64_t reserved; /* of all sources */
    struct refusals refused;
};

int ingest_new(const struct ingest_options *options, struct ingest **ingest, struct err *err)
{
    struct ingest *g = mem_new(1, sizeof *g);
    if (!g)
        return err_set(err, ERR_MEMORY, "no memory for the intake of records");
    g->options = *options;
    *ingest = g;
    return 0;
}

void ingest_free(struct ingest **ingest)
{
    struct ingest *g = *ingest;
    if (!g)
        return;
    queue_close(&g->queue);
    sources_close(&g->sources);
    free(g);
    *ingest = NULL;
}

int ingest_restore(struct ingest *g, const struct place *place, struct err *err)
{
    struct source *s;
    if (sources_add(&g->sources, place, &s, err))
        return -1;
    s->committed = place->upto;
    return 0;
}

int ingest_start(struct ingest *g, int64_t epoch, struct err *err)
{
    g->own = sources_find(&g->sources, g->options.own_source);
    if (g->own)
        return 0;
    struct place place = {.source = g->sources.newest_id + 1, .epoch = epoch};
    text_copy(place.name, sizeof place.name, g->options.own_source);
    return sources_add(&g->sources, &place, &g->own, err);
}

int ingest_event(struct ingest *g, const struct event *event, struct err *err)
{
    SCOPED(redacted_close) struct redacted redacted = {0};
    SCOPED(bytes_close) struct bytes payload = bytes_open(EVENT_BYTES);
    struct event clean = *event;
    if (g->queue.records >= 2 * INGEST_RECORDS)
        return err_set(err, ERR_OVERLOADED, "%lld records wait to be written",
                       (long long)g->queue.records);
    if (redact_message(g->options.redactor, &message_event, &clean, &redacted, err) ||
        schema_encode(&message_event, &clean, &payload, err))
        return -1;
    struct entry entry = {.source = g->own->is.source,
                          .epoch = g->own->is.epoch,
                          .seq = g->own->is.upto + 1,
                          .wall_ns = clock_wall_ns(),
                          .boot_ns = clock_boot_ns(),
                          .type = RECORD_EVENT};
    entry.received_ns = entry.wall_ns;
    if (queue_add(&g->queue, &entry, bytes_view(&payload), err))
        return -1;
    g->own->is.upto++;
    batch_place(g->queue.end, &g->own->is);
    return 0;
}

/* Moves a source together with the event that says why: both in one batch. Nothing is moved when
 * the event cannot be taken. */
static int move(struct ingest *g, struct source *s, int64_t epoch, int64_t upto,
                struct moved *moved, struct err *err)
{
    bool is_bad = moved->kind != MOVED_BOUND;
    struct event event = {.phase = "event"};
    text_copy(moved->source, sizeof moved->source, s->is.name);
    text_copy(event.kind, sizeof event.kind, moved_name(moved->kind));
    text_copy(event.status, sizeof event.status, is_bad ? "failure" : "success");
    moved_show(moved, event.detail);
    if (ingest_event(g, &event, err))
        return -1;
    log_line(is_bad ? LOG_WARN : LOG_INFO, "source.moved kind=%s detail=\"%s\"", event.kind,
             event.detail);
    if (epoch != s->is.epoch)
        s->committed = 0;
    s->is.epoch = epoch;
    s->is.upto = upto;
    batch_place(g->queue.end, &s->is);
    return 0;
}

static int refuse(struct ingest *g, const struct sender *sender, const char *source,
                  enum err_code code, const char *why, struct err *err)
{
    struct event event = {.kind = "source_refused", .phase = "event", .status = "denied"};
    struct err lost;
    char news[256];
    text_copy(event.tenant, sizeof event.tenant, sender->tenant);
    text_copy(event.principal, sizeof event.principal, sender->principal);
    snprintf(event.detail, sizeof event.detail, "%s: %s", source, why);
    snprintf(news, sizeof news, "%s/%s %s", sender->tenant, sender->principal, source);
    if (!refusals_know(&g->refused, news) && !ingest_event(g, &event, &lost)) {
        refusals_add(&g->refused, news);
        log_warn("source.refused by=%s/%s source=%s why=\"%s\"", sender->tenant, sender->principal,
                 source, why);
    }
    return err_set(err, code, "%s: %s", source, why);
}

/* True for <service>@<host id> of the sender's own service. */
static bool names_its_service(const struct sender *sender, const char *source)
{
    size_t n = strlen(sender->service);
    return n && !strncmp(source, sender->service, n) && source[n] == '@' &&
           text_is_name(source + n + 1, 64);
}

static int bind_source(struct ingest *g, const struct sender *sender, const char *name,
                       int64_t epoch, struct source **out, struct err *err)
{
    struct place place = {.source = g->sources.newest_id + 1, .epoch = epoch};
    struct moved moved = {.kind = MOVED_BOUND, .id = place.source, .epoch = epoch};
    struct source *s;
    text_copy(place.name, sizeof place.name, name);
    snprintf(place.owner, sizeof place.owner, "%s/%s", sender->tenant, sender->principal);
    text_copy(moved.owner, sizeof moved.owner, place.owner);
    if (sources_add(&g->sources, &place, &s, err))
        return -1;
    if (move(g, s, epoch, 0, &moved, err)) {
        sources_undo(&g->sources);
        return -1;
    }
    *out = s;
    return 0;
}

/* Finds the source that the sender may speak for. */
static int admit(struct ingest *g, const struct sender *sender, const char *name, int64_t epoch,
                 struct source **out, struct err *err)
{
    if (!names_its_service(sender, name))
        return refuse(g, sender, name, ERR_FORBIDDEN, "only that service's own key may send this",
                      err);
    struct source *s = sources_find(&g->sources, name);
    if (!s)
        return bind_source(g, sender, name, epoch, out, err);
    char owner[OWNER_BYTES];
    snprintf(owner, sizeof owner, "%s/%s", sender->tenant, sender->principal);
    if (strcmp(owner, s->is.owner))
        return refuse(g, sender, name, ERR_FORBIDDEN, "it belongs to another principal", err);
    if (epoch < s->is.epoch)
        return refuse(g, sender, name, ERR_STATE,
                      "this journal is older than one that is in the record", err);
    *out = s;
    return 0;
}

static void close_window(struct ingest *g, struct source *s)
{
    g->reserved -= s->reserved;
    s->reserved = s->asked_upto = 0;
}

/* Begins a newer epoch, if this is one. */
static int follow_epoch(struct ingest *g, struct source *s, int64_t epoch, struct err *err)
{
    if (epoch == s->is.epoch)
        return 0;
    struct moved moved = {
        .kind = MOVED_EPOCH, .epoch = s->is.epoch, .last = s->is.upto, .next_epoch = epoch};
    if (move(g, s, epoch, 0, &moved, err))
        return -1;
    close_window(g, s);
    s->last = 0;
    s->last_before = INT64_MAX; /* whatever the next hello says was not delivered in time */
    return 0;
}

/* What the journal no longer has will never come: that is said, and the rest goes on. */
static int pass_over_missing(struct ingest *g, struct source *s, int64_t first, struct err *err)
{
    if (first - 1 <= s->is.upto)
        return 0;
    struct moved moved = {
        .kind = MOVED_MISSING, .epoch = s->is.epoch, .first = s->is.upto + 1, .last = first - 1};
    return move(g, s, s->is.epoch, first - 1, &moved, err);
}

/* Asks for what is missing, as far as there is room for it. */
static void ask(struct ingest *g, struct source *s, struct record_answer *answer)
{
    int64_t missing = s->last - s->is.upto;
    int64_t room = INGEST_RECORDS - g->queue.records - g->reserved;
    if (missing <= 0)
        s->wants = false;
    if (!s->wants || s->asked_upto || (room < missing && room < INGEST_WINDOW_MIN))
        return;
    int64_t credit = missing < room ? missing : room;
    s->reserved = credit < INGEST_WINDOW ? credit : INGEST_WINDOW;
    s->asked_upto = s->is.upto + s->reserved;
    s->wants = false;
    s->moved_ns = clock_boot_ns();
    g->reserved += s->reserved;
    answer->from = s->is.upto + 1;
    answer->credit = s->reserved;
}

/* Says what is committed and asks; without news only when there is something to ask. */
static void answer(struct ingest *g, struct source *s, bool is_news)
{
    if (!s->has_address)
        return;
    struct record_answer a = {.epoch = s->is.epoch, .upto = s->committed};
    ask(g, s, &a);
    if (is_news || a.from)
        g->options.answer(g->options.context, &s->to, &a);
}

static bool same_peer(const struct address *a, const struct address *b)
{
    return a->peer_bytes == b->peer_bytes && !memcmp(a->peer, b->peer, a->peer_bytes);
}

int ingest_hello(struct ingest *g, const struct sender *sender, const struct record_hello *hello,
                 struct err *err)
{
    struct source *s;
    if (admit(g, sender, hello->source, hello->epoch, &s, err) ||
        follow_epoch(g, s, hello->epoch, err) || pass_over_missing(g, s, hello->first, err))
        return -1;
    if (sender->from->published)
        return 0; /* nowhere to answer */
    bool is_fresh = !s->has_address || !same_peer(&s->to, sender->from);
    s->to = *sender->from;
    s->has_address = true;
    s->last = hello->last;
    if (is_fresh || clock_boot_ns() - s->moved_ns > PATIENCE_NS)
        close_window(g, s); /* what was asked for does not come */
    if (is_fresh || s->is.upto < s->last_before)
        s->wants = true;
    s->last_before = hello->last;
    answer(g, s, true);
    return 0;
}

/* Room for one more: what was asked for has its room already. */
static bool has_room(const struct ingest *g, const struct source *s, const struct record_item *item)
{
    bool is_reserved = s->reserved && item->seq <= s->asked_upto && item->seq > s->is.upto;
    return (is_reserved || g->queue.records + g->reserved < INGEST_RECORDS) &&
           g->queue.bytes + (int64_t)item->payload.len <= INGEST_BYTES;
}

/* False: this one and what follows it is left. */
static bool take(struct ingest *g, struct source *s, const struct record_item *item,
                 int64_t received_ns)
{
    struct err err;
    struct entry entry = {.source = s->is.source,
                          .epoch = s->is.epoch,
                          .seq = item->seq,
                          .wall_ns = item->wall_ns,
                          .boot_ns = item->boot_ns,
                          .received_ns = received_ns,
                          .type = item->type,
                          .is_known = item->seq <= s->is.upto};
    if ((!entry.is_known && item->seq - 1 != s->is.upto) || !has_room(g, s, item) ||
        queue_add(&g->queue, &entry, item->payload, &err))
        return false;
    if (entry.is_known)
        return true;
    s->is.upto = item->seq;
    batch_place(g->queue.end, &s->is);
    if (s->reserved && item->seq <= s->asked_upto) {
        s->reserved--;
        g->reserved--;
    }
    return true;
}

int ingest_push(struct ingest *g, const struct sender *sender, const struct record_push *push,
                int64_t received_ns, struct err *err)
{
    struct source *s;
    if (admit(g, sender, push->source, push->epoch, &s, err) ||
        follow_epoch(g, s, push->epoch, err))
        return -1;
    struct list rest = push->records;
    struct record_item item = {0};
    bool is_taken = true;
    while (list_next(&rest, &message_record_item, &item)) {
        if (item.seq > s->last)
            s->last = item.seq;
        is_taken = is_taken && take(g, s, &item, received_ns);
    }
    bool is_end = !sender->from->published && s->asked_upto && item.seq >= s->asked_upto;
    if (is_end)
        close_window(g, s);
    if (!sender->from->published)
        s->moved_ns = clock_boot_ns();
    s->wants = s->wants || !is_taken || is_end;
    answer(g, s, false);
    return 0;
}

bool ingest_waits(const struct ingest *g, bool *any)
{
    *any = g->queue.first;
    return g->queue.first && g->queue.first != g->queue.end;
}

struct batch *ingest_take(struct ingest *g)
{
    return queue_take(&g->queue);
}

/* One event for all forks of one source in a batch: a cloned journal brings hundreds at once. */
static void report_forks(struct ingest *g, struct batch *batch)
{
    for (size_t i = 0; i < batch->count; i++) {
        struct entry *e = &batch->entries[i];
        if (!e->is_fork)
            continue;
        size_t count = 0;
        for (size_t k = i; k < batch->count; k++)
            if (batch->entries[k].is_fork && batch->entries[k].source == e->source) {
                batch->entries[k].is_fork = false;
                count++;
            }
        struct event event = {.kind = "fork_detected", .phase = "event", .status = "failure"};
        struct err err;
        snprintf(event.detail, sizeof event.detail,
                 "critical: %s sent record %lld of epoch %lld again with other content%s",
                 sources_find_id(&g->sources, e->source)->is.name, (long long)e->seq,
                 (long long)e->epoch, count > 1 ? ", and others" : "");
        log_error("source.forked %s", event.detail);
        if (ingest_event(g, &event, &err))
            log_error("event.lost kind=%s error=\"%s\"", event.kind, err.text);
    }
}

void ingest_committed(struct ingest *g, struct batch **at)
{
    struct batch *batch = *at;
    queue_written(&g->queue, batch);
    for (size_t i = 0; i < batch->place_count; i++) {
        const struct place *place = &batch->places[i];
        struct source *s = sources_find_id(&g->sources, place->source);
        if (s->is.epoch != place->epoch)
            continue;
        s->committed = place->upto;
        s->advanced = true;
    }
    report_forks(g, batch);
    for (size_t i = 0; i < g->sources.count; i++) {
        struct source *s = g->sources.all[i];
        bool is_news = s->advanced;
        s->advanced = false;
        answer(g, s, is_news);
    }
    batch_free(at);
}

struct place ingest_own_place(const struct ingest *g, int64_t *last)
{
    struct place place = g->own->is;
    *last = place.upto;
    place.upto = g->own->committed;
    return place;
}
