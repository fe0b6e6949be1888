/* outbox.c - the journal's way to the audit; see outbox.h.
 *
 * Three counters say everything: `shown` (durable records passed to the live publication and to the
 * service), `pushed` (records sent again because the audit asked), `acked` (committed by the
 * audit). Each has its own cursor in the journal.
 */
#include "service/outbox.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/rand.h"
#include "base/scope.h"
#include "base/text.h"
#include "data/pack.h"
#include "net/socket.h"
#include "net/wire.h"

#include <assert.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    HELLO_MS = 1000,
    PUSH_RECORDS = 64,           /* in one message */
    PUSH_BYTES = 160 * 1024,     /* of records in one message, so that it stays below a frame */
    EVENT_MAX_BYTES = 48 * 1024, /* fits record_item.payload */
    RESTRICTED_PERCENT = 85,
    SEALED_PERCENT = 95
};

struct outbox {
    struct outbox_options options;
    char source[81];
    uint8_t id[WIRE_ID_BYTES]; /* of this outbox's requests; answers need none */
    uint8_t schema[32];
    struct redactor redactor;
    struct journal *journal;
    struct journal_cursor *shown_cursor, *pushed_cursor;
    uint64_t shown, acked, applied;
    uint64_t credit;       /* records that may still be pushed */
    int64_t heard_boot_ms; /* last answer of the audit */
    int timer;
    char detail[160];
};

/* Of everything that a record may look like: what a reader needs to know whether it knows it all.
 */
static int hash_schema(uint8_t hash[32], struct err *err)
{
    SCOPED(bytes_close) struct bytes text = bytes_open(1 << 20);
    for (size_t i = 0; schema_messages[i]; i++)
        if (schema_describe(schema_messages[i], &text, err))
            return -1;
    crypto_generichash(hash, 32, text.data, text.len, NULL, 0);
    return 0;
}

/* Sends one request to the audit. A queue that is full or an audit that is away is no error: the
 * next hello tells. */
static void send_truth(struct outbox *o, const char *operation, struct view body)
{
    struct err err;
    struct wire_request request = {.body = body};
    memcpy(request.id, o->id, sizeof o->id);
    text_copy(request.operation, sizeof request.operation, operation);
    struct wire_frames frames = wire_request_frames(&request);
    if (net_send(o->options.truth, frames.frames, frames.count, &err) && err.code != ERR_OVERLOADED)
        log_warn("outbox.send error=\"%s\"", err.text);
}

static void say_hello(void *context)
{
    struct outbox *o = context;
    struct err err;
    struct record_hello hello = {.epoch = (int64_t)journal_epoch(o->journal),
                                 .first = (int64_t)journal_first(o->journal),
                                 .last = (int64_t)journal_durable(o->journal),
                                 .major = SCHEMA_MAJOR,
                                 .minor = SCHEMA_MINOR,
                                 .schema = {o->schema, sizeof o->schema}};
    text_copy(hello.source, sizeof hello.source, o->source);
    SCOPED(bytes_close) struct bytes body = bytes_open(1024);
    if (schema_encode(&message_record_hello, &hello, &body, &err))
        log_error("outbox.hello error=\"%s\"", err.text);
    else
        send_truth(o, "record.hello", bytes_view(&body));
}

/* Records on their way: a list that grows until it is sent. */
struct batch {
    struct record_push push;
    struct bytes store;
};

static struct batch batch_open(const struct outbox *o)
{
    struct batch b = {.push = {.epoch = (int64_t)journal_epoch(o->journal)},
                      .store = bytes_open(2 * PUSH_BYTES)};
    text_copy(b.push.source, sizeof b.push.source, o->source);
    return b;
}

static int batch_add(struct batch *b, const struct journal_record *r, struct err *err)
{
    struct record_item item = {.seq = (int64_t)r->seq,
                               .wall_ns = r->wall_ns,
                               .boot_ns = r->boot_ns,
                               .type = r->type,
                               .payload = r->payload};
    return list_add(&b->store, &b->push.records, &message_record_item, &item, err);
}

static bool batch_is_full(const struct batch *b)
{
    return b->push.records.count == PUSH_RECORDS || b->store.len > PUSH_BYTES - EVENT_MAX_BYTES;
}

/* Sends what the batch holds, live or as the answer to a question, and empties it. */
static void batch_send(struct outbox *o, struct batch *b, bool live)
{
    struct err err;
    SCOPED(bytes_close) struct bytes body = bytes_open(FRAME_MAX_BYTES);
    if (!b->push.records.count)
        return;
    if (schema_encode(&message_record_push, &b->push, &body, &err)) {
        log_error("outbox.push error=\"%s\"", err.text);
    } else if (live) {
        struct view frames[] = {
            view_of("C1.request.record.push"), {o->id, sizeof o->id}, bytes_view(&body)};
        if (net_send(o->options.live, frames, COUNT(frames), &err))
            log_debug("outbox.live error=\"%s\"", err.text); /* the push makes up for it */
    } else {
        send_truth(o, "record.push", bytes_view(&body));
    }
    b->push.records = (struct list){0};
    bytes_clear(&b->store);
}

/* The journal could not be read or written: nothing more may be promised. */
static void fail(struct outbox *o, const struct err *err)
{
    o->options.failed(o->options.context, err);
}

/* Shows every record that became durable: to the service, and live to the audit. */
static void on_journal(void *context)
{
    struct outbox *o = context;
    struct err err;
    journal_fd_clear(o->journal);
    if (journal_failed(o->journal, &err)) {
        fail(o, &err);
        return;
    }
    struct batch batch = batch_open(o);
    struct journal_record record;
    int got;
    while ((got = journal_next(o->shown_cursor, &record, &err)) == 1) {
        o->shown = record.seq;
        if (o->options.record)
            o->options.record(o->options.context, &record);
        if (o->options.live && batch_add(&batch, &record, &err))
            break;
        if (batch_is_full(&batch))
            batch_send(o, &batch, true);
    }
    if (o->options.live)
        batch_send(o, &batch, true);
    bytes_close(&batch.store);
    if (got)
        fail(o, &err);
    else
        o->options.durable(o->options.context, o->shown);
}

/* Pushes what the audit asked for, as far as its credit and the disk go. */
static void push(struct outbox *o)
{
    struct err err;
    struct batch batch = batch_open(o);
    struct journal_record record;
    int got = 1;
    while (o->credit && (got = journal_next(o->pushed_cursor, &record, &err)) == 1) {
        o->credit--;
        if (batch_add(&batch, &record, &err)) {
            got = -1;
            break;
        }
        if (batch_is_full(&batch))
            batch_send(o, &batch, false);
    }
    batch_send(o, &batch, false);
    bytes_close(&batch.store);
    if (got < 0)
        fail(o, &err);
}

static void trim(struct outbox *o)
{
    uint64_t done = o->acked < o->applied ? o->acked : o->applied;
    journal_trim(o->journal, done);
}

/* What the audit says of another epoch is about a journal that is no more. */
static void take_answer(struct outbox *o, const struct record_answer *answer)
{
    struct err err;
    o->heard_boot_ms = clock_boot_ms();
    if ((uint64_t)answer->epoch != journal_epoch(o->journal))
        return;
    if ((uint64_t)answer->upto > journal_durable(o->journal)) {
        log_error("outbox.audit_ahead upto=%lld durable=%llu", (long long)answer->upto,
                  (unsigned long long)journal_durable(o->journal));
        return;
    }
    if ((uint64_t)answer->upto > o->acked)
        o->acked = (uint64_t)answer->upto;
    trim(o);
    if (!answer->from)
        return;
    journal_cursor_free(&o->pushed_cursor);
    if (journal_cursor_open(o->journal, (uint64_t)answer->from, &o->pushed_cursor, &err)) {
        log_error("outbox.resume from=%lld error=\"%s\"", (long long)answer->from, err.text);
        return;
    }
    o->credit = (uint64_t)answer->credit;
    push(o);
}

static void on_truth(void *context)
{
    struct outbox *o = context;
    for (;;) {
        struct err err;
        SCOPED(net_message_close) struct net_message m = {0};
        int got = net_recv_unnamed(o->options.truth, &m, &err);
        if (!got)
            return;
        struct wire_answer answer;
        struct record_answer said;
        if (got < 0 || wire_parse_answer(m.frames, m.count, &answer, &err))
            log_warn("outbox.answer error=\"%s\"", err.text);
        else if (answer.status == WIRE_ERROR)
            log_warn("outbox.refused by=audit source=%s", o->source);
        else if (schema_decode(&message_record_answer, answer.body, SCHEMA_LENIENT, &said, &err))
            log_warn("outbox.answer error=\"%s\"", err.text);
        else
            take_answer(o, &said);
        if (got < 0 && err.code != ERR_PEER)
            return;
    }
}

static int start(struct outbox *o, struct journal_found *found, struct err *err)
{
    struct journal_options options = {.known_epoch = o->options.known_epoch,
                                      .known_seq = o->options.known_seq};
    crypto_generichash(options.source, sizeof options.source, (const uint8_t *)o->source,
                       strlen(o->source), NULL, 0);
    if (redactor_open(o->options.dirfd, &o->redactor, err) ||
        journal_open(o->options.dirfd, "journal", &options, &o->journal, found, err))
        return err_add(err, "journal of %s", o->source);
    uint64_t next = journal_durable(o->journal) + 1;
    o->shown = next - 1;
    if (journal_cursor_open(o->journal, next, &o->shown_cursor, err) ||
        hash_schema(o->schema, err) ||
        loop_watch_fd(o->options.loop, journal_fd(o->journal), on_journal, o, err))
        return -1;
    if (!o->options.truth)
        return 0;
    if (loop_watch_socket(o->options.loop, o->options.truth, on_truth, o, err))
        return -1;
    o->timer = loop_timer(o->options.loop, HELLO_MS, true, say_hello, o, err);
    return o->timer < 0 ? -1 : 0;
}

int outbox_new(const struct outbox_options *options, struct outbox **outbox,
               struct journal_found *found, struct err *err)
{
    struct outbox *o = mem_new(1, sizeof *o);
    if (!o)
        return err_set(err, ERR_MEMORY, "no memory for an outbox");
    o->options = *options;
    o->timer = -1;
    o->heard_boot_ms = clock_boot_ms();
    text_copy(o->source, sizeof o->source, options->source);
    rand_fill(o->id, sizeof o->id);
    if (start(o, found, err)) {
        outbox_free(&o);
        return -1;
    }
    if (o->options.truth)
        say_hello(o);
    *outbox = o;
    return 0;
}

void outbox_free(struct outbox **outbox)
{
    struct outbox *o = *outbox;
    if (!o)
        return;
    if (o->timer >= 0)
        loop_end_timer(o->options.loop, o->timer);
    if (o->options.truth)
        loop_end_socket(o->options.loop, o->options.truth);
    if (o->journal)
        loop_end_fd(o->options.loop, journal_fd(o->journal));
    journal_cursor_free(&o->shown_cursor);
    journal_cursor_free(&o->pushed_cursor);
    journal_free(&o->journal);
    free(o);
    *outbox = NULL;
}

int outbox_append(struct outbox *o, const struct event *event, bool urgent, uint64_t *seq,
                  struct err *err)
{
    SCOPED(redacted_close) struct redacted redacted = {0};
    SCOPED(bytes_close) struct bytes payload = bytes_open(EVENT_MAX_BYTES);
    struct event clean = *event;
    if (redact_message(&o->redactor, &message_event, &clean, &redacted, err) ||
        schema_encode(&message_event, &clean, &payload, err))
        return -1;
    if (urgent)
        return journal_append_urgent(o->journal, RECORD_EVENT, bytes_view(&payload), seq, err);
    if (outbox_state(o) >= OUTBOX_RESTRICTED)
        return err_set(err, ERR_RESTRICTED, "%s", outbox_detail(o));
    if (!journal_append(o->journal, RECORD_EVENT, bytes_view(&payload), seq, err))
        return 0;
    if (err->code == ERR_OVERLOADED)
        err->code = ERR_RESTRICTED;
    return -1;
}

void outbox_applied(struct outbox *o, uint64_t seq)
{
    o->applied = seq;
    trim(o);
}

static int filled_percent(const struct outbox *o)
{
    return (int)(journal_bytes(o->journal) * 100 / (uint64_t)o->options.bound_bytes);
}

enum outbox_state outbox_state(const struct outbox *o)
{
    int filled = filled_percent(o);
    if (filled > SEALED_PERCENT)
        return OUTBOX_SEALED;
    if (filled > RESTRICTED_PERCENT)
        return OUTBOX_RESTRICTED;
    if (o->options.truth && clock_boot_ms() - o->heard_boot_ms > o->options.degraded_ms)
        return OUTBOX_DEGRADED;
    return OUTBOX_NORMAL;
}

const char *outbox_state_name(enum outbox_state state)
{
    static const char *const names[] = {"normal", "degraded", "restricted", "sealed"};
    return names[state];
}

const char *outbox_detail(struct outbox *o)
{
    switch (outbox_state(o)) {
    case OUTBOX_NORMAL:
        return "";
    case OUTBOX_DEGRADED:
        snprintf(o->detail, sizeof o->detail, "the audit has not answered for %lld s",
                 (long long)(clock_boot_ms() - o->heard_boot_ms) / 1000);
        return o->detail;
    default:
        snprintf(o->detail, sizeof o->detail,
                 "the journal is %d %% full because the audit does not take records; no new work",
                 filled_percent(o));
        return o->detail;
    }
}

struct journal *outbox_journal(struct outbox *o)
{
    return o->journal;
}

const struct redactor *outbox_redactor(const struct outbox *o)
{
    return &o->redactor;
}

uint64_t outbox_acked(const struct outbox *o)
{
    return o->acked;
}
