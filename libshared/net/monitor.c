/* monitor.c - connection events; see monitor.h. */
#include "net/monitor.h"

#include "base/clock.h"
#include "base/rand.h"
#include "base/scope.h"
#include "net/socket.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

int monitor_open(void *context, void *socket, struct monitor *monitor, struct err *err)
{
    char endpoint[64], id[27]; /* the socket's address may be in use again before libzmq is done */
    rand_id(id);
    snprintf(endpoint, sizeof endpoint, "inproc://monitor-%s", id);
    int unbounded = 0;
    SCOPED(net_close) void *reader = zmq_socket(context, ZMQ_PAIR);
    if (!reader || zmq_setsockopt(reader, ZMQ_RCVHWM, &unbounded, sizeof unbounded))
        return err_sys(err, "opening a monitor");
    if (zmq_socket_monitor(socket, endpoint, ZMQ_EVENT_ALL))
        return err_sys(err, "monitoring a socket");
    if (zmq_connect(reader, endpoint)) {
        err_sys(err, "connecting a monitor");
        zmq_socket_monitor(socket, NULL, 0);
        return -1;
    }
    *monitor = (struct monitor){socket, TAKE(reader)};
    return 0;
}

void monitor_close(struct monitor *monitor)
{
    if (monitor->socket)
        zmq_socket_monitor(monitor->socket, NULL, 0);
    monitor->socket = NULL;
    net_close(&monitor->reader);
}

static enum monitor_event translate(uint16_t event)
{
    switch (event) {
    case ZMQ_EVENT_HANDSHAKE_SUCCEEDED:
        return MONITOR_UP;
    case ZMQ_EVENT_DISCONNECTED:
        return MONITOR_DOWN;
    case ZMQ_EVENT_HANDSHAKE_FAILED_AUTH:
        return MONITOR_UNWELCOME;
    case ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL:
    case ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL:
        return MONITOR_NO_CURVE;
    case ZMQ_EVENT_CLOSED:
    case ZMQ_EVENT_CLOSE_FAILED: /* the descriptor is closed even so */
        return MONITOR_UNBOUND;
    case ZMQ_EVENT_CONNECT_RETRIED:
        return MONITOR_UNREACHABLE;
    default:
        return MONITOR_OTHER;
    }
}

int monitor_next(const struct monitor *monitor, enum monitor_event *event, struct err *err)
{
    SCOPED(net_message_close) struct net_message message = {0};
    int got = net_recv_unnamed(monitor->reader, &message, err);
    if (got <= 0)
        return got;
    uint16_t number = 0; /* the first frame: u16 event, u32 value */
    if (message.frames[0].len >= sizeof number)
        memcpy(&number, message.frames[0].data, sizeof number);
    *event = translate(number);
    return 1;
}

int monitor_wait(const struct monitor *monitor, unsigned events, int ms, enum monitor_event *event,
                 struct err *err)
{
    int64_t until_ms = clock_boot_ms() + ms;
    zmq_pollitem_t item = {.socket = monitor->reader, .events = ZMQ_POLLIN};
    for (int64_t left = ms; left >= 0; left = until_ms - clock_boot_ms()) {
        if (zmq_poll(&item, 1, (long)left) < 0 && errno != EINTR)
            return err_sys(err, "waiting for a connection");
        enum monitor_event next;
        int got;
        while ((got = monitor_next(monitor, &next, err)) > 0)
            if (events & 1U << next) {
                *event = next;
                return 1;
            }
        if (got < 0)
            return -1;
    }
    return 0;
}
