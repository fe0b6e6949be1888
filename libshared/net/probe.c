/* probe.c - the start-up probe; see probe.h. */
#include "net/probe.h"

#include "base/scope.h"
#include "net/monitor.h"

#include <assert.h>
#include <string.h>

static int peer_type(enum net_kind server)
{
    if (server == NET_ROUTER)
        return ZMQ_DEALER;
    if (server == NET_XPUB)
        return ZMQ_SUB;
    assert(server == NET_SUB_IN);
    return ZMQ_PUB;
}

/* Gives a socket the keys of nobody in particular. */
static int set_random_keys(void *socket, const char *server_key, struct err *err)
{
    SCOPED(keys_wipe) struct key_pair pair;
    keys_make(&pair);
    if (zmq_setsockopt(socket, ZMQ_CURVE_SERVERKEY, server_key, KEY_TEXT_BYTES - 1) ||
        zmq_setsockopt(socket, ZMQ_CURVE_PUBLICKEY, pair.public_key, KEY_TEXT_BYTES - 1) ||
        zmq_setsockopt(socket, ZMQ_CURVE_SECRETKEY, pair.secret_key, KEY_TEXT_BYTES - 1))
        return err_sys(err, "setting a random key");
    return 0;
}

static int probe_as(void *context, int type, const char *endpoint, const char *server_key,
                    struct err *err)
{
    SCOPED(net_close) void *socket = zmq_socket(context, type);
    SCOPED(monitor_close) struct monitor monitor = {0}; /* closed first */
    int none = 0;
    if (!socket || zmq_setsockopt(socket, ZMQ_LINGER, &none, sizeof none))
        return err_sys(err, "opening a probe");
    if ((server_key && set_random_keys(socket, server_key, err)) ||
        monitor_open(context, socket, &monitor, err) || net_connect(socket, endpoint, err))
        return -1;
    enum monitor_event event;
    unsigned decided = 1U << MONITOR_UP | 1U << MONITOR_UNWELCOME | 1U << MONITOR_NO_CURVE |
                       1U << MONITOR_UNREACHABLE;
    int got = monitor_wait(&monitor, decided, PROBE_MS, &event, err);
    if (got < 0)
        return -1;
    if (!got)
        return err_set(err, ERR_UNAVAILABLE, "%s did not decide about a stranger in %d ms",
                       endpoint, PROBE_MS);
    if (event == MONITOR_UNREACHABLE)
        return err_set(err, ERR_UNAVAILABLE, "nobody listens at %s", endpoint);
    if (event == MONITOR_UP)
        return err_set(err, ERR_STATE, "%s lets in %s", endpoint,
                       server_key ? "an unknown key" : "a client without a key");
    return 0;
}

int probe_endpoint(void *context, enum net_kind server, const char *endpoint,
                   const char *server_key, struct err *err)
{
    int type = peer_type(server);
    if (probe_as(context, type, endpoint, server_key, err) ||
        probe_as(context, type, endpoint, NULL, err))
        return err_add(err, "probe");
    return 0;
}
