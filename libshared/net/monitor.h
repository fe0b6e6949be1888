/* monitor.h - what libzmq tells about the connections of a socket (zmq_socket_monitor(3)).
 *
 * libzmq's one I/O thread writes the events and waits when they cannot be written: a monitor whose
 * reader is gone or full would halt every socket of the context. So the queue is unbounded, and
 * monitor_close ends the telling before it closes the reader. Whoever keeps a monitor reads it.
 * Loop thread only, the socket's.
 */
#pragma once

#include "base/err.h"

enum monitor_event {
    MONITOR_UP,          /* the handshake is done: the peer is who we want, and we are welcome */
    MONITOR_DOWN,        /* a connection that was up or was being made has ended */
    MONITOR_UNWELCOME,   /* the server's ZAP handler refused our key; libzmq does not try again */
    MONITOR_NO_CURVE,    /* the handshake failed otherwise: wrong server key or mechanism */
    MONITOR_UNREACHABLE, /* nobody took the connection; libzmq will try again */
    MONITOR_UNBOUND,     /* a listener has closed: its address is free (also a failed attempt) */
    MONITOR_OTHER
};

/* A zeroed struct is a closed monitor. */
struct monitor {
    void *socket; /* watched, borrowed */
    void *reader; /* for zmq_poll */
};

/* Starts telling, to be called before the socket connects if no event is to be missed. ERR_IO. */
int monitor_open(void *context, void *socket, struct monitor *monitor, struct err *err);

/* Ends it. Must come before the socket is closed. Fine on a closed one. SCOPED works. */
void monitor_close(struct monitor *monitor);

/* Takes the next event without waiting: 1, 0 nothing there, -1 ERR_IO. */
int monitor_next(const struct monitor *monitor, enum monitor_event *event, struct err *err);

/* Waits at most `ms` for an event whose bit (1 << event) is in `events`; others are dropped. 1, 0
 * there was none, -1 ERR_IO. */
int monitor_wait(const struct monitor *monitor, unsigned events, int ms, enum monitor_event *event,
                 struct err *err);
