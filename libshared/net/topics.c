/* topics.c - the guarded XPUB; see topics.h. */
#include "net/topics.h"

#include "base/mem.h"
#include "base/scope.h"
#include "base/text.h"
#include "net/monitor.h"
#include "net/wire.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { UNBIND_MS = 1000, GRANTS_STEP = 16 };

/* A key that was granted something, and the rights that it had then. */
struct grant {
    char public_key[KEY_TEXT_BYTES];
    char tenant[NAME_BYTES];
    char principal[NAME_BYTES];
    unsigned roles;
};

struct topics {
    struct topics_options options;
    void *socket;
    char endpoint[NET_ENDPOINT_BYTES];
    struct grant *grants;
    size_t grant_count, grant_room;
};

static bool begins_with(struct view text, const char *prefix)
{
    size_t len = strlen(prefix);
    return text.len >= len && !memcmp(text.data, prefix, len);
}

/* "<name>/event/…", whatever the name. */
static bool is_event_of_anyone(struct view prefix)
{
    const uint8_t *slash = prefix.len ? memchr(prefix.data, '/', prefix.len) : NULL;
    if (!slash)
        return false;
    size_t skip = (size_t)(slash - prefix.data);
    return begins_with((struct view){slash, prefix.len - skip}, "/event/");
}

bool topics_allows(const struct registry_row *row, struct view prefix)
{
    char own[WIRE_TOPIC_BYTES];
    if (prefix.len >= WIRE_TOPIC_BYTES)
        return false;
    snprintf(own, sizeof own, "%s/%s/reply/", row->tenant, row->principal);
    if (begins_with(prefix, own))
        return true;
    if (row->roles & ROLE_ADMIN)
        return is_event_of_anyone(prefix);
    snprintf(own, sizeof own, "%s/event/", row->tenant);
    return (row->roles & (ROLE_OPERATOR | ROLE_OBSERVER)) && begins_with(prefix, own);
}

static int open_socket(struct topics *t, const char *endpoint, struct err *err)
{
    SCOPED(net_close) void *socket = NULL;
    if (net_open(t->options.context, &t->options.socket, &socket, err) ||
        net_bind(socket, endpoint, t->options.mode, t->endpoint, err))
        return -1;
    t->socket = TAKE(socket);
    t->grant_count = 0;
    return 0;
}

int topics_open(const struct topics_options *options, struct topics **to, struct err *err)
{
    assert(options->socket.kind == NET_XPUB);
    SCOPED(topics_close) struct topics *t = mem_new(1, sizeof *t);
    if (!t)
        return err_set(err, ERR_MEMORY, "no memory for topics");
    t->options = *options;
    if (open_socket(t, options->endpoint, err))
        return -1;
    *to = TAKE(t);
    return 0;
}

void topics_close(struct topics **topics)
{
    struct topics *t = TAKE(*topics);
    if (!t)
        return;
    net_close(&t->socket);
    free(t->grants);
    free(t);
}

void *topics_socket(const struct topics *topics)
{
    return topics->socket;
}

const char *topics_endpoint(const struct topics *topics)
{
    return topics->endpoint;
}

/* Ends all connections. The address is free again only when libzmq's own thread has closed the
 * listener, so that is waited for. */
static int reopen(struct topics *t, struct err *err)
{
    SCOPED(net_close) void *old = TAKE(t->socket);
    SCOPED(monitor_close) struct monitor monitor = {0};
    char endpoint[NET_ENDPOINT_BYTES];
    enum monitor_event event;
    text_copy(endpoint, sizeof endpoint, t->endpoint);
    if (monitor_open(t->options.context, old, &monitor, err))
        return -1;
    if (zmq_unbind(old, endpoint))
        return err_sys(err, "unbinding %s", endpoint);
    if (monitor_wait(&monitor, 1U << MONITOR_UNBOUND, UNBIND_MS, &event, err) < 0)
        return -1;
    monitor_close(&monitor);
    net_close(&old);
    return open_socket(t, endpoint, err);
}

static struct grant *find_grant(struct topics *t, const char *key)
{
    for (size_t i = 0; i < t->grant_count; i++)
        if (!strcmp(t->grants[i].public_key, key))
            return &t->grants[i];
    return NULL;
}

/* Notes that the key holds a grant; false without memory, and then nothing may be granted. */
static bool note_grant(struct topics *t, const struct registry_row *row)
{
    if (find_grant(t, row->public_key))
        return true;
    if (t->grant_count == t->grant_room) {
        size_t room = t->grant_room + GRANTS_STEP;
        struct grant *grants = mem_resize(t->grants, room * sizeof *grants);
        if (!grants)
            return false;
        t->grants = grants;
        t->grant_room = room;
    }
    struct grant grant = {.roles = row->roles};
    text_copy(grant.public_key, sizeof grant.public_key, row->public_key);
    text_copy(grant.tenant, sizeof grant.tenant, row->tenant);
    text_copy(grant.principal, sizeof grant.principal, row->principal);
    t->grants[t->grant_count++] = grant;
    return true;
}

static bool has_same_rights(const struct grant *grant, const struct registry_row *row)
{
    return row && row->roles == grant->roles && !strcmp(row->tenant, grant->tenant) &&
           !strcmp(row->principal, grant->principal);
}

/* A message from a subscriber. */
struct upstream {
    zmq_msg_t part;
    struct view data;
    const char *user; /* NULL when libzmq speaks for a connection that is gone */
};

static void upstream_close(struct upstream *up)
{
    zmq_msg_close(&up->part);
}

/* Decides about one subscription; `data` is without its first byte. */
static void subscribe(struct topics *t, const char *user, struct view prefix, int64_t now_s,
                      struct topics_read *out)
{
    SCOPED(registry_release) struct registry *registry = registry_hold(t->options.slot);
    const struct registry_row *row = user ? registry_find_user(registry, user, now_s) : NULL;
    bool granted = row && topics_allows(row, prefix) && note_grant(t, row) &&
                   !zmq_setsockopt(t->socket, ZMQ_SUBSCRIBE, prefix.data, prefix.len);
    if (granted)
        out->granted++;
    else
        out->refused++;
}

/* Acts on one message from a subscriber; false when it was none that subscribers send. */
static bool on_upstream(struct topics *t, const struct upstream *up, int64_t now_s,
                        struct topics_read *out)
{
    if (!up->data.len || up->data.data[0] > 1)
        return false;
    struct view prefix = {up->data.data + 1, up->data.len - 1};
    if (up->data.data[0] == 1)
        subscribe(t, up->user, prefix, now_s, out);
    else if (up->user)
        zmq_setsockopt(t->socket, ZMQ_UNSUBSCRIBE, prefix.data, prefix.len);
    return true;
}

int topics_read(struct topics *t, int64_t now_s, struct topics_read *out, struct err *err)
{
    struct topics_read result = {0};
    bool in_step = true; /* libzmq still knows whose message was read last */
    for (;;) {
        SCOPED(upstream_close) struct upstream up;
        zmq_msg_init(&up.part);
        if (zmq_msg_recv(&up.part, t->socket, ZMQ_DONTWAIT) < 0) {
            if (errno != EAGAIN)
                return err_sys(err, "receiving subscriptions");
            break;
        }
        up.data = (struct view){zmq_msg_data(&up.part), zmq_msg_size(&up.part)};
        up.user = zmq_msg_gets(&up.part, "User-Id");
        if (!in_step || on_upstream(t, &up, now_s, &result))
            continue;
        in_step = false;
        text_copy(result.offender, sizeof result.offender, up.user ? up.user : "");
        zap_block(t->options.zap, result.offender);
    }
    if (!in_step && reopen(t, err))
        return -1;
    result.reopened = !in_step;
    *out = result;
    return 0;
}

int topics_check(struct topics *t, int64_t now_s, bool *reopened, struct err *err)
{
    SCOPED(registry_release) struct registry *registry = registry_hold(t->options.slot);
    bool stale = false;
    for (size_t i = 0; i < t->grant_count && !stale; i++)
        stale = !has_same_rights(&t->grants[i],
                                 registry_find_user(registry, t->grants[i].public_key, now_s));
    if (stale && reopen(t, err))
        return -1;
    *reopened = stale;
    return 0;
}
