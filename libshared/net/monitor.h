/* monitor.h - what libzmq tells about the connections of a socket (zmq_socket_monitor(3)). */
#pragma once

#include "base/err.h"

enum monitor_event {
    MONITOR_UP,          /* the handshake is done: the peer is who we want, and we are welcome */
    MONITOR_DOWN,        /* a connection that was up or was being made has ended */
    MONITOR_UNWELCOME,   /* the server's ZAP handler refused our key; libzmq does not try again */
    MONITOR_NO_CURVE,    /* the handshake failed otherwise: wrong server key or mechanism */
    MONITOR_UNREACHABLE, /* nobody took the connection; libzmq will try again */
    MONITOR_UNBOUND, /* a listener has closed: its address is free (also an attempt to connect) */
    MONITOR_OTHER
};

/* Starts telling, to be called before the socket connects. The result is read with zmq_poll and
 * monitor_next by the socket's thread and closed by net_close, before the context is. ERR_IO. */
int monitor_open(void *context, void *socket, void **monitor, struct err *err);

/* Takes the next event without waiting: 1, 0 nothing there, -1 ERR_IO. */
int monitor_next(void *monitor, enum monitor_event *event, struct err *err);

/* Waits at most `ms` for an event whose bit (1 << event) is in `events`; others are dropped. 1, 0
 * there was none, -1 ERR_IO. */
int monitor_wait(void *monitor, unsigned events, int ms, enum monitor_event *event,
                 struct err *err);
