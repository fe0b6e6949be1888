/* service_talk.c - messages of a service's sockets: who sends, what becomes of it, and what goes
 * out.
 *
 * A sender's identity is the User-Id that ZAP gave its connection, looked up anew in the current
 * registry for every message: a session outlives the removal of its key.
 */
#include "service/service_net_own.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/scope.h"
#include "base/text.h"
#include "net/socket.h"
#include "net/wire.h"
#include "service/dispatch.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

enum { TURN_MESSAGES = 64 };

/* Fills in who calls. The registry reference lives as long as the call. */
static int identify(struct service *s, const char *user_id, struct registry *registry,
                    struct call *call, struct err *err)
{
    const struct registry_row *row = registry_find_user(registry, user_id, clock_wall_ns() / S_NS);
    if (!row)
        return err_set(err, ERR_FORBIDDEN, "the %s does not know this key any more",
                       s->table->name);
    call->row = row;
    call->registry = registry;
    call->roles = row->roles;
    call->deadline_boot_ms = INT64_MAX;
    text_copy(call->tenant, sizeof call->tenant, row->tenant);
    text_copy(call->principal, sizeof call->principal, row->principal);
    return 0;
}

static void handle(struct service *s, struct call *call, const char *user_id,
                   const struct wire_request *request)
{
    struct err err;
    SCOPED(registry_release) struct registry *registry = registry_hold(s->registry);
    SCOPED(bytes_close) struct bytes scratch = bytes_open(1 << 20);
    memcpy(call->from.request_id, request->id, REQUEST_ID_BYTES);
    call->service = s;
    call->scratch = &scratch;
    if (identify(s, user_id, registry, call, &err)) {
        if (!call->from.published)
            service_send_error(s, call, &err);
        return;
    }
    if (!s->table->intercept ||
        !s->table->intercept(s->state, call, request->operation, request->body))
        dispatch_request(s, call, request->operation, request->body);
}

static void take_request(struct service *s, const struct net_message *m)
{
    struct err err;
    struct wire_request request;
    struct call call = {0};
    if (m->count < 2 || m->frames[0].len > ADDRESS_BYTES)
        return;
    memcpy(call.from.peer, m->frames[0].data, m->frames[0].len);
    call.from.peer_bytes = m->frames[0].len;
    call.from.delimiter = !m->frames[1].len;
    if (wire_parse_request(m->frames + 1, m->count - 1, &request, &err))
        service_send_error(s, &call, &err); /* so that a plain REQ does not wait for ever */
    else
        handle(s, &call, m->user_id, &request);
}

static void take_published(struct service *s, const struct net_message *m)
{
    struct err err;
    struct wire_request request;
    struct call call = {.from.published = true};
    if (wire_parse_published(m->frames, m->count, &request, &err))
        log_warn("published.refused error=\"%s\"", err.text);
    else
        handle(s, &call, m->user_id, &request);
}

/* Takes what waits on a socket, a bounded number at a time so that other sockets have their turn.
 */
static void drain(struct service *s, void *socket,
                  void (*take)(struct service *, const struct net_message *))
{
    for (int i = 0; i < TURN_MESSAGES; i++) {
        struct err err;
        SCOPED(net_message_close) struct net_message m = {0};
        int got = net_recv(socket, &m, &err);
        if (!got)
            return;
        if (got > 0)
            take(s, &m);
        else
            log_warn("message.dropped error=\"%s\"", err.text);
        if (got < 0 && err.code != ERR_PEER)
            return;
    }
}

void talk_on_requests(void *context)
{
    struct service *s = context;
    drain(s, s->net->requests, take_request);
}

void talk_on_published(void *context)
{
    struct service *s = context;
    drain(s, s->net->published, take_published);
}

/* A door that was opened anew has another socket to watch. */
static void watch_events(struct service *s, size_t door, void *old)
{
    struct err err;
    void *now = topics_socket(s->net->events[door]);
    loop_end_socket(s->loop, old);
    if (!now || loop_watch_socket(s->loop, now, talk_on_subscription, s, &err))
        service_fail("events.lost", &err);
}

void talk_on_subscription(void *context)
{
    struct service *s = context;
    for (size_t i = 0; i < EVENT_DOORS && s->net->events[i]; i++) {
        struct err err = {.text = ""};
        struct topics_read done = {0};
        void *old = topics_socket(s->net->events[i]);
        if (topics_read(s->net->events[i], clock_wall_ns() / S_NS, &done, &err))
            service_fail("events.lost", &err);
        if (done.reopened) {
            log_warn("events.reopened offender=%s", done.offender);
            watch_events(s, i, old);
        }
    }
}

void service_net_check(struct service *s)
{
    for (size_t i = 0; i < EVENT_DOORS && s->net->events[i]; i++) {
        struct err err = {.text = ""};
        bool reopened = false;
        void *old = topics_socket(s->net->events[i]);
        if (topics_check(s->net->events[i], clock_wall_ns() / S_NS, &reopened, &err))
            service_fail("events.lost", &err);
        if (reopened)
            watch_events(s, i, old);
    }
}

void talk_on_refusal(void *context)
{
    struct service *s = context;
    struct zap_refusal refusal;
    while (zap_next_refusal(s->net->zap, &refusal))
        strangers_refused(s, &refusal);
}

/* To every door of the XPUB; the subscriptions there decide who gets it. */
static bool publish(struct service *s, const struct view *frames, size_t count)
{
    bool is_sent = false;
    for (size_t i = 0; i < EVENT_DOORS && s->net->events[i]; i++) {
        struct err err;
        if (net_send(topics_socket(s->net->events[i]), frames, count, &err))
            log_debug("events.unsent error=\"%s\"", err.text);
        else
            is_sent = true;
    }
    return is_sent;
}

void service_net_publish(struct service *s, const struct event *event, struct view payload)
{
    char topic[WIRE_TOPIC_BYTES];
    if (!event->tenant[0])
        return;
    wire_event_topic(topic, event->tenant, s->table->name, event->kind);
    struct view frames[] = {view_of(topic), payload};
    publish(s, frames, COUNT(frames));
}

bool service_send(struct service *s, const struct address *to, const char *tenant,
                  const char *principal, const char *status, struct view body)
{
    struct err err;
    char topic[WIRE_TOPIC_BYTES];
    enum wire_status word = !strcmp(status, "ok")     ? WIRE_OK
                            : !strcmp(status, "data") ? WIRE_DATA
                                                      : WIRE_ERROR;
    struct view first = {to->peer, to->peer_bytes};
    if (to->published) {
        wire_reply_topic(topic, tenant, principal, to->request_id);
        first = view_of(topic);
    }
    struct wire_frames f = wire_answer_frames(first, to->delimiter, to->request_id, word, body);
    if (to->published)
        return publish(s, f.frames, f.count);
    if (!net_send(s->net->requests, f.frames, f.count, &err))
        return true;
    log_debug("answer.unsent error=\"%s\"", err.text); /* the client asks again by its id */
    return false;
}

struct failure service_failure(const struct err *err)
{
    struct failure failure = {0};
    text_copy(failure.code, sizeof failure.code, err_name(err->code));
    text_copy(failure.text, sizeof failure.text, err->text);
    return failure;
}

void service_send_error(struct service *s, const struct call *call, const struct err *err)
{
    struct err ignored;
    struct failure failure = service_failure(err);
    SCOPED(bytes_close) struct bytes body = bytes_open(4096);
    int failed = schema_encode(&message_failure, &failure, &body, &ignored);
    assert(!failed);
    service_send(s, &call->from, call->tenant, call->principal, "error", bytes_view(&body));
}
