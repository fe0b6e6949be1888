/* socket.c - ZeroMQ sockets with our options; see socket.h. */
#include "net/socket.h"

#include "base/scope.h"
#include "base/text.h"
#include "net/zap.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

/* DRAFT in zmq.h of 4.3.4 and so not defined there, but the library obeys it. */
#ifndef ZMQ_ZAP_ENFORCE_DOMAIN
#define ZMQ_ZAP_ENFORCE_DOMAIN 93
#endif

enum {
    HANDSHAKE_MS = 2000,
    HEARTBEAT_MS = 5000,
    HEARTBEAT_PATIENCE_MS = 15000,
    RECONNECT_MS = 50,
    RECONNECT_MAX_MS = 2000,
    KEEPALIVE_IDLE_S = 30,
    KEEPALIVE_INTERVAL_S = 10,
    KEEPALIVE_PROBES = 3,
    BACKLOG = 1024,
    CURVE_BYTES = 33 /* what encryption adds to a frame: command name, nonce, MAC, flags */
};

static const int TYPES[] = {
    [NET_ROUTER] = ZMQ_ROUTER, [NET_XPUB] = ZMQ_XPUB, [NET_SUB_IN] = ZMQ_SUB,
    [NET_DEALER] = ZMQ_DEALER, [NET_SUB] = ZMQ_SUB,   [NET_PUB] = ZMQ_PUB,
};

static bool is_server(enum net_kind kind)
{
    return kind == NET_ROUTER || kind == NET_XPUB || kind == NET_SUB_IN;
}

static int set_int(void *socket, int option, int value, struct err *err)
{
    if (zmq_setsockopt(socket, option, &value, sizeof value))
        return err_sys(err, "setting ZeroMQ option %d to %d", option, value);
    return 0;
}

static int set_text(void *socket, int option, const char *value, struct err *err)
{
    if (zmq_setsockopt(socket, option, value, strlen(value)))
        return err_sys(err, "setting ZeroMQ option %d", option);
    return 0;
}

/* The options that are one int. */
static int set_limits(void *socket, const struct net_options *options, struct err *err)
{
    const struct {
        int option, value;
    } rows[] = {
        {ZMQ_LINGER, options->linger_ms},
        {ZMQ_SNDHWM, options->queue_messages},
        {ZMQ_RCVHWM, options->queue_messages},
        {ZMQ_HANDSHAKE_IVL, HANDSHAKE_MS},
        {ZMQ_HEARTBEAT_IVL, HEARTBEAT_MS},
        {ZMQ_HEARTBEAT_TIMEOUT, HEARTBEAT_PATIENCE_MS},
        {ZMQ_HEARTBEAT_TTL, HEARTBEAT_PATIENCE_MS},
        {ZMQ_RECONNECT_IVL, RECONNECT_MS},
        {ZMQ_RECONNECT_IVL_MAX, RECONNECT_MAX_MS},
        {ZMQ_TCP_KEEPALIVE, 1},
        {ZMQ_TCP_KEEPALIVE_IDLE, KEEPALIVE_IDLE_S},
        {ZMQ_TCP_KEEPALIVE_INTVL, KEEPALIVE_INTERVAL_S},
        {ZMQ_TCP_KEEPALIVE_CNT, KEEPALIVE_PROBES},
        {ZMQ_BACKLOG, BACKLOG},
        {ZMQ_IMMEDIATE, options->kind == NET_DEALER},
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        if (set_int(socket, rows[i].option, rows[i].value, err))
            return -1;
    int64_t frame = options->frame_max_bytes + CURVE_BYTES;
    if (zmq_setsockopt(socket, ZMQ_MAXMSGSIZE, &frame, sizeof frame))
        return err_sys(err, "limiting frames to %lld bytes", (long long)options->frame_max_bytes);
    return 0;
}

/* What only one kind of socket has. */
static int set_kind(void *socket, enum net_kind kind, struct err *err)
{
    if (kind == NET_ROUTER && set_int(socket, ZMQ_ROUTER_HANDOVER, 0, err))
        return -1;
    if (kind == NET_ROUTER)
        return set_int(socket, ZMQ_ROUTER_MANDATORY, 1, err);
    if (kind == NET_XPUB)
        return set_int(socket, ZMQ_XPUB_MANUAL, 1, err);
    if (kind == NET_SUB_IN)
        return set_text(socket, ZMQ_SUBSCRIBE, "", err);
    return 0;
}

static int set_security(void *socket, const struct net_options *options, struct err *err)
{
    if (set_int(socket, ZMQ_CURVE_SERVER, is_server(options->kind), err) ||
        set_text(socket, ZMQ_CURVE_PUBLICKEY, options->own->public_key, err) ||
        set_text(socket, ZMQ_CURVE_SECRETKEY, options->own->secret_key, err) ||
        set_text(socket, ZMQ_ZAP_DOMAIN, ZAP_DOMAIN_NAME, err) ||
        set_int(socket, ZMQ_ZAP_ENFORCE_DOMAIN, 1, err))
        return -1;
    if (is_server(options->kind))
        return 0;
    if (keys_check_public(options->server_key, err))
        return err_add(err, "the server's key");
    return set_text(socket, ZMQ_CURVE_SERVERKEY, options->server_key, err);
}

static bool has_int(void *socket, int option, int expected)
{
    int value = -1;
    size_t size = sizeof value;
    return !zmq_getsockopt(socket, option, &value, &size) && value == expected;
}

/* Asks libzmq what it made of the options that keep strangers out. */
static int check_security(void *socket, const struct net_options *options, struct err *err)
{
    char domain[32] = "";
    size_t size = sizeof domain;
    if (zmq_getsockopt(socket, ZMQ_ZAP_DOMAIN, domain, &size) || strcmp(domain, ZAP_DOMAIN_NAME))
        return err_set(err, ERR_STATE, "libzmq did not keep the ZAP domain");
    if (!has_int(socket, ZMQ_ZAP_ENFORCE_DOMAIN, 1))
        return err_set(err, ERR_STATE, "libzmq does not honour ZMQ_ZAP_ENFORCE_DOMAIN");
    if (!has_int(socket, ZMQ_MECHANISM, ZMQ_CURVE) ||
        !has_int(socket, ZMQ_CURVE_SERVER, is_server(options->kind)))
        return err_set(err, ERR_STATE, "libzmq did not take up CURVE; was it built with it?");
    int64_t frame = -1;
    size = sizeof frame;
    if (zmq_getsockopt(socket, ZMQ_MAXMSGSIZE, &frame, &size) ||
        frame != options->frame_max_bytes + CURVE_BYTES)
        return err_set(err, ERR_STATE, "libzmq did not keep the limit of a frame");
    if (!has_int(socket, ZMQ_HANDSHAKE_IVL, HANDSHAKE_MS))
        return err_set(err, ERR_STATE, "libzmq did not keep the limit of a handshake");
    return 0;
}

int net_open(void *context, const struct net_options *options, void **socket, struct err *err)
{
    assert(options->own && is_server(options->kind) == !options->server_key);
    assert(options->frame_max_bytes > 0 && options->queue_messages > 0 && options->linger_ms >= 0);

    SCOPED(net_close) void *s = zmq_socket(context, TYPES[options->kind]);
    if (!s)
        return err_sys(err, "opening a ZeroMQ socket");
    if (set_limits(s, options, err) || set_kind(s, options->kind, err) ||
        set_security(s, options, err) || check_security(s, options, err))
        return -1;
    *socket = TAKE(s);
    return 0;
}

void net_close(void **socket)
{
    void *s = TAKE(*socket);
    if (s)
        zmq_close(s);
}

static int check_endpoint(const char *endpoint, struct err *err)
{
    if (strlen(endpoint) >= NET_ENDPOINT_BYTES)
        return err_set(err, ERR_INVALID, "the endpoint %.40s… is too long", endpoint);
    if (!strncmp(endpoint, "tcp://", 6))
        return 0;
    if (strncmp(endpoint, "ipc:///", 7))
        return err_set(err, ERR_INVALID, "%s is neither ipc:///<path> nor tcp://<address>:<port>",
                       endpoint);
    size_t path = strlen(endpoint) - 6;
    if (path > NET_IPC_PATH_BYTES)
        return err_set(err, ERR_INVALID,
                       "the socket path %.60s… has %zu bytes; a unix socket has at most %d: use a "
                       "shorter directory",
                       endpoint + 6, path, NET_IPC_PATH_BYTES);
    return 0;
}

int net_bind(void *socket, const char *endpoint, mode_t mode, char bound[NET_ENDPOINT_BYTES],
             struct err *err)
{
    if (check_endpoint(endpoint, err))
        return -1;
    mode_t before = umask(~mode & 0777);
    int failed = zmq_bind(socket, endpoint);
    int why = errno;
    umask(before);
    errno = why;
    if (failed)
        return err_sys(err, "binding %s", endpoint);
    size_t size = NET_ENDPOINT_BYTES;
    if (zmq_getsockopt(socket, ZMQ_LAST_ENDPOINT, bound, &size))
        return err_sys(err, "asking for the endpoint of %s", endpoint);
    return 0;
}

int net_connect(void *socket, const char *endpoint, struct err *err)
{
    if (check_endpoint(endpoint, err))
        return -1;
    if (zmq_connect(socket, endpoint))
        return err_sys(err, "connecting to %s", endpoint);
    return 0;
}

void net_message_close(struct net_message *message)
{
    for (size_t i = 0; i < message->count; i++)
        zmq_msg_close(&message->parts[i]);
    message->count = 0;
}

/* Takes what is left of a message off the socket; libzmq hands messages out whole. */
static void drain(void *socket)
{
    int more = 1;
    while (more) {
        zmq_msg_t part;
        zmq_msg_init(&part);
        more = zmq_msg_recv(&part, socket, ZMQ_DONTWAIT) >= 0 && zmq_msg_more(&part);
        zmq_msg_close(&part);
    }
}

/* Receives the next frame behind those there are: 1, 0 nothing there, -1. */
static int recv_frame(void *socket, struct net_message *m, size_t *total, struct err *err)
{
    zmq_msg_t *part = &m->parts[m->count];
    zmq_msg_init(part);
    if (zmq_msg_recv(part, socket, ZMQ_DONTWAIT) < 0) {
        zmq_msg_close(part);
        return errno == EAGAIN && !m->count ? 0 : err_sys(err, "receiving");
    }
    struct view frame = {zmq_msg_data(part), zmq_msg_size(part)};
    m->frames[m->count++] = frame;
    bool too_large = frame.len > NET_MESSAGE_BYTES - *total;
    bool too_many = m->count == NET_FRAMES && zmq_msg_more(part);
    if (too_large || too_many) {
        if (zmq_msg_more(part))
            drain(socket);
        return err_set(err, ERR_PEER, "a message of more than %d %s",
                       too_large ? NET_MESSAGE_BYTES : NET_FRAMES, too_large ? "bytes" : "frames");
    }
    *total += frame.len;
    return 1;
}

int net_recv_unnamed(void *socket, struct net_message *message, struct err *err)
{
    message->count = 0;
    message->user_id[0] = 0;
    size_t total = 0;
    do {
        int got = recv_frame(socket, message, &total, err);
        if (got <= 0) {
            net_message_close(message);
            return got;
        }
    } while (zmq_msg_more(&message->parts[message->count - 1]));
    return 1;
}

int net_recv(void *socket, struct net_message *message, struct err *err)
{
    int got = net_recv_unnamed(socket, message, err);
    if (got <= 0)
        return got;
    const char *user = message->count > 1 ? zmq_msg_gets(&message->parts[1], "User-Id") : NULL;
    if (!user || !*user || !text_copy(message->user_id, sizeof message->user_id, user)) {
        net_message_close(message);
        return err_set(err, ERR_PEER, "a message without a User-Id");
    }
    return 1;
}

static int send_frame(void *socket, struct view frame, bool more)
{
    int flags = ZMQ_DONTWAIT | (more ? ZMQ_SNDMORE : 0);
    return zmq_send(socket, frame.data, frame.len, flags) < 0 ? -1 : 0;
}

int net_send(void *socket, const struct view *frames, size_t count, struct err *err)
{
    assert(count > 0);
    int why = 0;
    for (size_t i = 0; i < count; i++) {
        if (!send_frame(socket, frames[i], i + 1 < count))
            continue;
        /* Behind the first frame libzmq drops the rest of the message, but wants to be shown all of
         * it: what we kept back would be taken off the next message. */
        why = why ? why : errno;
        if (!i)
            break;
    }
    if (!why)
        return 0;
    errno = why;
    if (why == EAGAIN)
        return err_set(err, ERR_OVERLOADED, "the peer does not take more messages");
    if (why == EHOSTUNREACH)
        return err_set(err, ERR_UNAVAILABLE, "the peer is gone");
    return err_sys(err, "sending");
}
