/* socket.h - the one place that opens ZeroMQ sockets, sets their options, sends and receives.
 *
 * Sockets are raw libzmq pointers for the loop above (zmq_poll). A socket belongs to one
 * thread. Every socket speaks CURVE, ipc included, and asks our ZAP handler (zap.h): libzmq 4.3.4
 * accepts every key unless a ZAP domain is set *and* ZMQ_ZAP_ENFORCE_DOMAIN, which its header
 * calls draft but the library obeys. Both are read back, and a socket that lacks them is not
 * opened.
 *
 * Fixed for all: no routing ids, ROUTER_HANDOVER 0 and ROUTER_MANDATORY 1 (a peer that is gone is
 * an error), HANDSHAKE_IVL 2 s (1,000 idle connections must not lock out a client), heartbeats
 * every 5 s with 15 s patience, TCP keepalive, IMMEDIATE 1 on DEALER (nothing queues for a server
 * that is not there), XPUB_MANUAL 1.
 */
#pragma once

#include "base/bytes.h"
#include "base/err.h"
#include "net/context.h"
#include "net/keys.h"

#include <stdint.h>
#include <sys/types.h>
#include <zmq.h>

enum {
    NET_CLIENT_FRAME_BYTES = 256 * 1024,    /* frame_max_bytes of sockets that clients reach */
    NET_SERVICE_FRAME_BYTES = 1024 * 1024,  /* frame_max_bytes between services */
    NET_MESSAGE_BYTES = 1024 * 1024 + 4096, /* all frames of a message together */
    NET_FRAMES = 10,                        /* frames of a message */
    NET_ENDPOINT_BYTES = 256,
    NET_IPC_PATH_BYTES = 107, /* unix(7): sun_path without its NUL */
    NET_LINGER_NONE_MS = 0,   /* replies */
    NET_LINGER_LAST_MS = 1000 /* last events */
};

/* Servers bind, clients connect. */
enum net_kind {
    NET_ROUTER, /* server: requests in, answers out */
    NET_XPUB,   /* server: topics out, subscriptions in; see topics.h */
    NET_SUB_IN, /* server: published messages in */
    NET_DEALER, /* client of NET_ROUTER */
    NET_SUB,    /* client of NET_XPUB */
    NET_PUB     /* client of NET_SUB_IN */
};

struct net_options {
    enum net_kind kind;
    const struct key_pair *own; /* copied by libzmq */
    const char *server_key;     /* clients: the server's public key, Z85; servers: NULL */
    int64_t frame_max_bytes;    /* 1 or more; the peer that sends a larger frame is cut off */
    int queue_messages;         /* high-water mark of each direction and peer, 1 or more */
    int linger_ms;              /* how long unsent messages outlive net_close, 0 or more */
};

/* Opens a socket with every option set and read back. ERR_STATE libzmq does not honour an option
 * that safety needs; ERR_INVALID a key; ERR_IO. */
int net_open(void *context, const struct net_options *options, void **socket, struct err *err);

/* Closes and nulls; NULL is fine. SCOPED works. */
void net_close(void **socket);

/* Binds a server socket.
 *
 *   endpoint  "ipc:///<path>" or "tcp://<address>:<port>", port * picks a free one
 *   mode      of the ipc socket file, 0600 for one's own uid, 0666 where CURVE alone decides; its
 *             directory must not be writable for others
 *   bound     out: the endpoint as clients reach it
 *   err       ERR_INVALID too long or of another transport; ERR_IO
 *
 * Changes the umask for a moment, so other threads must not make files meanwhile. */
int net_bind(void *socket, const char *endpoint, mode_t mode, char bound[NET_ENDPOINT_BYTES],
             struct err *err);

/* Connects a client socket; returns at once, libzmq connects and reconnects behind it. Errors as
 * net_bind. */
int net_connect(void *socket, const char *endpoint, struct err *err);

/* A received message. It owns its frames, and small ones lie inside the struct: do not copy it. */
struct net_message {
    zmq_msg_t parts[NET_FRAMES];
    struct view frames[NET_FRAMES]; /* into parts, until net_message_close */
    size_t count;
    char user_id[KEY_TEXT_BYTES]; /* public key of the sender; "" from net_recv_unnamed */
};

/* Takes one whole message off a server socket without waiting: 1 received, 0 nothing there, -1 a
 * message was there and was dropped (ERR_PEER: go on with the next one) or the socket failed. The
 * first frame of a ROUTER is the routing id. After 1 the caller closes the message. The User-Id is
 * read from a frame behind the first (4.3.4 does not have it on the first frame of a polled
 * message), so messages of one frame are refused. ERR_PEER more than NET_FRAMES frames or
 * NET_MESSAGE_BYTES, or no User-Id; ERR_IO. */
int net_recv(void *socket, struct net_message *message, struct err *err);

/* The same for sockets whose peer was not asked for by ZAP: client sockets (the peer is the server
 * whose key we have) and inproc. */
int net_recv_unnamed(void *socket, struct net_message *message, struct err *err);

/* Frees the frames. Fine on a zeroed struct. SCOPED works. */
void net_message_close(struct net_message *message);

/* Sends the frames as one message without waiting: all of them or none.
 * ERR_OVERLOADED the peer's queue is full, or a client socket has no connection; ERR_UNAVAILABLE a
 * ROUTER's peer is gone; ERR_IO. */
int net_send(void *socket, const struct view *frames, size_t count, struct err *err);
