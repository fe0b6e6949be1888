/* client.h - requests to a service, one at a time, for programs without a loop: CLI and tests.
 *
 * A client has one connection that libzmq makes and makes again. A request whose connection was
 * lost is sent again with the same id until its deadline: the service attaches it to what it has
 * started, or gives the stored answer, so nothing is done twice.
 * One thread. Needs no ZAP handler: the client knows the server by its key.
 */
#pragma once

#include "base/bytes.h"
#include "base/err.h"
#include "net/context.h"
#include "net/keys.h"
#include "net/wire.h"

#include <stddef.h>
#include <stdint.h>

struct client;

struct client_options {
    void *context;              /* net_context_open; borrowed until client_close */
    const char *endpoint;       /* of the service's ROUTER */
    const char *server_key;     /* Z85 */
    const struct key_pair *own; /* copied by libzmq */
    int connect_ms;             /* how long to wait for a connection, the first one and each one
                                 * that is to replace a lost one; 1 or more */
};

/* Something else that a running call waits for: the program's stdin, a signalfd. */
struct client_watch {
    int fd; /* below 0: not watched; `ready` may change it */
    /* Called while fd is readable; -1 with err ends the call with that error. */
    int (*ready)(void *arg, struct client *client, struct err *err);
    void *arg;
};

enum { CLIENT_MAX_WATCHES = 4 };

struct client_call {
    const char *operation;
    struct view body;    /* one msgpack map */
    const uint8_t *id;   /* WIRE_ID_BYTES, to repeat an earlier request; NULL: a fresh id */
    int64_t deadline_ms; /* from now, 1 or more */
    /* Gets the body of each "data" answer, which lives until it returns; -1 with err ends the call
     * with that error. NULL: the request does not stream, and a data answer is ERR_PEER. */
    int (*on_data)(void *arg, struct client *client, struct view body, struct err *err);
    void *arg;
    struct client_watch *watches;
    size_t watch_count; /* CLIENT_MAX_WATCHES at most */
};

struct client_answer {
    enum wire_status status; /* WIRE_OK, or WIRE_ERROR with a `failure` as body */
    struct bytes body;       /* the caller's to close */
};

/* Opens and starts to connect; whether anybody is there is found out by the first call.
 * ERR_INVALID the endpoint or a key; ERR_IO; ERR_MEMORY. */
int client_open(const struct client_options *options, struct client **to, struct err *err);

/* Closes and frees; NULL is fine. SCOPED works. */
void client_close(struct client **client);

/* Sends a request and waits for its answer. A refusal by the service is an answer too.
 *
 *   err   ERR_UNAVAILABLE nobody took the connection within connect_ms, or something that is not
 *         this service; nothing was done. ERR_FORBIDDEN the service does not know our key, nothing
 *         was done. ERR_LOST the request was sent, but no answer came before the deadline.
 *         ERR_PEER an answer against the protocol. What on_data and watches say.
 */
int client_call(struct client *client, const struct client_call *call, struct client_answer *answer,
                struct err *err);

/* Sends a request whose answer nobody waits for, such as op.credit from on_data.
 * ERR_OVERLOADED there is no connection now; ERR_IO. */
int client_tell(struct client *client, const char *operation, struct view body, struct err *err);

/* Turns a WIRE_ERROR answer into the error that it tells of; -1. A body that cannot be understood
 * is ERR_PEER. */
int client_refusal(const struct client_answer *answer, struct err *err);
