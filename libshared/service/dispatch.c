/* dispatch.c - requests to queries and operations; see dispatch.h. */
#include "service/dispatch.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/rand.h"
#include "base/text.h"
#include "service/replies.h"

#include <assert.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

struct dispatch {
    struct service *service;
    struct op *ops;
    size_t count;
    struct op *waiting, **waiting_end; /* for the journal, by seq */
    struct replies *replies;
};

int dispatch_new(struct service *service, struct dispatch **dispatch, struct err *err)
{
    struct dispatch *d = mem_new(1, sizeof *d);
    if (!d)
        return err_set(err, ERR_MEMORY, "no memory for the dispatch");
    d->service = service;
    d->waiting_end = &d->waiting;
    int64_t age_ns = service->config.service.reply_hours * 3600 * S_NS;
    if (replies_new(age_ns, &d->replies, err)) {
        free(d);
        return -1;
    }
    *dispatch = d;
    return 0;
}

static void release(struct op *op)
{
    bytes_close(&op->frame);
    bytes_close(&op->reply);
    bytes_close(&op->stored);
    free(op->request);
    free(op->data);
    free(op);
}

void dispatch_free(struct dispatch **dispatch)
{
    struct dispatch *d = *dispatch;
    if (!d)
        return;
    while (d->ops) {
        struct op *op = d->ops;
        d->ops = op->next;
        if (op->kind->close)
            op->kind->close(op);
        release(op);
    }
    replies_free(&d->replies);
    free(d);
    *dispatch = NULL;
}

/* True when one of the caller's roles is among `roles`; the role service counts for `service` only.
 */
static bool has_right(const struct call *call, unsigned roles, const char *service)
{
    unsigned shared = call->roles & roles;
    if (shared & ~(unsigned)ROLE_SERVICE)
        return true;
    return shared && (!service || registry_row_is_service(call->row, service));
}

static int forbidden(const struct call *call, const char *operation, struct err *err)
{
    return err_set(err, ERR_FORBIDDEN, "%s may not call %s", call->principal, operation);
}

static int answer_query(struct service *s, const struct query *q, const struct call *call,
                        struct view body, struct bytes *answer, struct err *err)
{
    if (!has_right(call, q->roles, q->service))
        return forbidden(call, q->operation, err);
    struct bytes room = bytes_open(q->request->size + q->answer->size + 16);
    uint8_t *in = bytes_reserve(&room, q->request->size + q->answer->size, err);
    int failed = in ? schema_decode(q->request, body, SCHEMA_STRICT, in, err) : -1;
    if (!failed) {
        void *out = in + q->request->size; /* sizes are multiples of their alignment, 8 */
        memset(out, 0, q->answer->size);
        failed =
            q->handler(s->state, call, in, out, err) || schema_encode(q->answer, out, answer, err);
    }
    bytes_close(&room);
    return failed ? -1 : 0;
}

static void run_query(struct service *s, const struct query *q, const struct call *call,
                      struct view body)
{
    struct err err;
    struct bytes answer = bytes_open(1 << 20);
    if (answer_query(s, q, call, body, &answer, &err))
        service_send_error(s, call, &err);
    else
        service_send(s, &call->from, call->tenant, call->principal, "ok", bytes_view(&answer));
    bytes_close(&answer);
}

/* Another body or another operation under the same id is another request. */
static void hash_body(uint8_t hash[32], const char *operation, struct view body)
{
    crypto_generichash_state state;
    crypto_generichash_init(&state, NULL, 0, 32);
    crypto_generichash_update(&state, (const uint8_t *)operation, strlen(operation) + 1);
    crypto_generichash_update(&state, body.data, body.len);
    crypto_generichash_final(&state, hash, 32);
}

static bool same_owner(const struct op *op, const struct call *call)
{
    return !strcmp(op->principal, call->principal) && !strcmp(op->tenant, call->tenant);
}

static bool same_address(const struct address *a, const struct address *b)
{
    return a->published == b->published && a->delimiter == b->delimiter &&
           a->peer_bytes == b->peer_bytes && !memcmp(a->peer, b->peer, a->peer_bytes);
}

/* Adds an address, once; with OP_ADDRESSES of them the oldest falls out. */
static void attach(struct op *op, const struct address *from)
{
    for (size_t i = 0; i < op->to_count; i++)
        if (same_address(&op->to[i], from))
            return;
    if (op->to_count == OP_ADDRESSES)
        memmove(op->to, op->to + 1, --op->to_count * sizeof op->to[0]);
    op->to[op->to_count++] = *from;
}

static int mismatch(struct err *err)
{
    return err_set(err, ERR_REPLAY_MISMATCH,
                   "this request id was used for another request; take a fresh one");
}

/* 1: the request is known, and answered or attached; 0: it is new; -1: refused. */
static int repeat(struct dispatch *d, const struct call *call, const uint8_t hash[32],
                  struct err *err)
{
    for (struct op *op = d->ops; op; op = op->next) {
        if (op->has_ended || !same_owner(op, call) ||
            memcmp(op->request_id, call->from.request_id, REQUEST_ID_BYTES))
            continue;
        if (memcmp(op->body_hash, hash, 32))
            return mismatch(err);
        attach(op, &call->from);
        return 1;
    }
    struct reply reply;
    struct reply_key key = {call->tenant, call->principal, call->from.request_id};
    if (!replies_find(d->replies, key, clock_wall_ns(), &reply))
        return 0;
    if (memcmp(reply.body_hash, hash, 32))
        return mismatch(err);
    service_send(d->service, &call->from, call->tenant, call->principal,
                 reply.is_ok ? "ok" : "error", reply.body);
    return 1;
}

/* Kill and terminate: no verdict, no intent, the act first and always. */
static bool acts_first(const struct op_kind *kind)
{
    return !kind->step[OP_JUDGED];
}

/* What only waits, what acts first, the rest: each is counted by itself. */
static int load_class(const struct op_kind *kind)
{
    return kind->only_waits ? 0 : acts_first(kind) ? 1 : 2;
}

/* Counted class by class, so that no amount of other work holds up a kill. */
static int check_load(const struct dispatch *d, const struct op_kind *kind, const struct call *call,
                      struct err *err)
{
    const struct config *c = &d->service->config;
    int64_t all = 0, own = 0;
    for (const struct op *op = d->ops; op; op = op->next)
        if (load_class(op->kind) == load_class(kind)) {
            all++;
            own += same_owner(op, call);
        }
    if (all >= c->service.max_operations)
        return err_set(err, ERR_OVERLOADED, "%lld operations are in progress; try again",
                       (long long)all);
    if (own >= c->service.max_operations_per_principal)
        return err_set(err, ERR_OVERLOADED, "%s has %lld operations in progress; try again",
                       call->principal, (long long)own);
    return 0;
}

/* Decodes a copy of the body into the operation: the request's views point into op->frame. */
static int take_body(struct op *op, struct view body, struct err *err)
{
    op->frame = bytes_open(body.len);
    op->request = mem_new(1, op->kind->request->size);
    op->data = op->kind->data_bytes ? mem_new(1, op->kind->data_bytes) : NULL;
    if (!op->request || (op->kind->data_bytes && !op->data))
        return err_set(err, ERR_MEMORY, "no memory for an operation");
    return bytes_add(&op->frame, body.data, body.len, err) ||
                   schema_decode(op->kind->request, bytes_view(&op->frame), SCHEMA_STRICT,
                                 op->request, err)
               ? -1
               : 0;
}

static int begin(struct dispatch *d, const struct op_kind *kind, const struct call *call,
                 struct view body, const uint8_t hash[32], struct op **out, struct err *err)
{
    struct op *op = mem_new(1, sizeof *op);
    if (!op)
        return err_set(err, ERR_MEMORY, "no memory for an operation");
    op->kind = kind;
    op->service = d->service;
    op->timer = -1;
    op->roles = call->roles;
    op->deadline_boot_ms = call->deadline_boot_ms;
    op->started_boot_ms = clock_boot_ms();
    rand_id(op->id);
    text_copy(op->tenant, sizeof op->tenant, call->tenant);
    text_copy(op->principal, sizeof op->principal, call->principal);
    memcpy(op->request_id, call->from.request_id, REQUEST_ID_BYTES);
    memcpy(op->body_hash, hash, 32);
    attach(op, &call->from);
    if (take_body(op, body, err)) {
        release(op);
        return -1;
    }
    op->next = d->ops;
    d->ops = op;
    d->count++;
    *out = op;
    return 0;
}

static int run_operation(struct dispatch *d, const struct op_kind *kind, const struct call *call,
                         struct view body, struct err *err)
{
    if (!has_right(call, kind->roles, NULL))
        return forbidden(call, kind->operation, err);
    uint8_t hash[32];
    hash_body(hash, kind->operation, body);
    int known = repeat(d, call, hash, err);
    if (known)
        return known < 0 ? -1 : 0;
    struct op *op = NULL;
    if (check_load(d, kind, call, err) || begin(d, kind, call, body, hash, &op, err))
        return -1;
    op->call = call;
    op_wake(op, WAKE_ENTERED, NULL);
    return 0;
}

void dispatch_request(struct service *s, const struct call *call, const char *operation,
                      struct view body)
{
    struct err err;
    for (const struct query *q = s->table->queries; q->operation; q++)
        if (!strcmp(q->operation, operation)) {
            run_query(s, q, call, body);
            return;
        }
    for (const struct op_kind *const *k = s->table->operations; *k; k++)
        if (!strcmp((*k)->operation, operation)) {
            if (run_operation(s->dispatch, *k, call, body, &err))
                service_send_error(s, call, &err);
            return;
        }
    err_set(&err, ERR_INVALID, "the %s has no operation \"%.40s\"", s->table->name, operation);
    service_send_error(s, call, &err);
}

void dispatch_wait(struct dispatch *d, struct op *op)
{
    op->next_waiting = NULL;
    *d->waiting_end = op;
    d->waiting_end = &op->next_waiting;
}

void dispatch_durable(struct dispatch *d, uint64_t seq)
{
    while (d->waiting && d->waiting->waits_for_seq <= seq) {
        struct op *op = d->waiting;
        d->waiting = op->next_waiting;
        if (!d->waiting)
            d->waiting_end = &d->waiting;
        op->waits_for_seq = 0;
        op_wake(op, WAKE_DURABLE, NULL);
    }
}

struct op *dispatch_find(struct dispatch *d, const char *op_id)
{
    for (struct op *op = d->ops; op; op = op->next)
        if (!op->has_ended && !strcmp(op->id, op_id))
            return op;
    return NULL;
}

void dispatch_each(struct dispatch *d, void (*each)(void *context, struct op *op), void *context)
{
    for (struct op *op = d->ops; op; op = op->next)
        if (!op->has_ended)
            each(context, op);
}

size_t dispatch_count(const struct dispatch *d)
{
    return d->count;
}

void dispatch_remember(struct dispatch *d, const struct op *op)
{
    const struct bytes *kept = op->stored.len ? &op->stored : &op->reply;
    if (kept->len > REPLY_MAX_BYTES)
        return;
    struct reply reply = {
        .is_ok = op->reply_is_ok, .wall_ns = clock_wall_ns(), .body = bytes_view(kept)};
    memcpy(reply.body_hash, op->body_hash, 32);
    replies_add(d->replies, (struct reply_key){op->tenant, op->principal, op->request_id}, &reply);
}

void dispatch_restore(struct dispatch *d, const struct event *result, int64_t wall_ns)
{
    if (result->request_id.len != REQUEST_ID_BYTES || result->body_hash.len != 32)
        return; /* a record of a service's own, nobody's request */
    struct reply reply = {
        .is_ok = !strcmp(result->answer, "ok"), .wall_ns = wall_ns, .body = result->reply};
    memcpy(reply.body_hash, result->body_hash.data, 32);
    const char *tenant = result->principal_tenant[0] ? result->principal_tenant : result->tenant;
    struct reply_key key = {tenant, result->principal, result->request_id.data};
    replies_add(d->replies, key, &reply);
}

void dispatch_end(struct dispatch *d, struct op *op)
{
    struct op **at = &d->ops;
    while (*at != op)
        at = &(*at)->next;
    *at = op->next;
    d->count--;
    release(op);
}
