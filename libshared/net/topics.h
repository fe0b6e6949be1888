/* topics.h - the guarded XPUB: subscribers get what they may read, and nothing else.
 *
 * Topics begin with who may read them (wire.h). A subscription is a prefix; it is granted only when
 * everything that begins with it may be read by the key that asked for it.
 *
 * Two properties of libzmq 4.3.4 shape this file:
 * - A grant goes to "the peer whose message was read last", and a peer that sends anything but a
 *   subscription upstream makes the library lose count of whose that was: the next grants would go
 *   to other peers. So after such a message nothing is granted, its key is blocked (zap_block), and
 *   the socket is opened anew; honest subscribers reconnect and subscribe again by themselves.
 * - A grant cannot be taken back while its connection lives. So when a key that holds one loses it
 *   by a change of the registry, the socket is opened anew as well.
 * Not bounded by libzmq: how many subscriptions a peer has. The service's memory limit is.
 */
#pragma once

#include "base/bytes.h"
#include "base/err.h"
#include "net/registry.h"
#include "net/socket.h"
#include "net/zap.h"

#include <stdbool.h>
#include <sys/types.h>

struct topics;

struct topics_options {
    void *context; /* all pointers are borrowed until topics_close */
    struct registry_slot *slot;
    struct zap *zap;
    struct net_options socket; /* kind NET_XPUB; the pair it points to is borrowed too */
    const char *endpoint;      /* as net_bind */
    mode_t mode;               /* as net_bind */
};

/* True when a key of this row may read everything that begins with `prefix`:
 * "<tenant>/<principal>/reply/…" its own replies; "<tenant>/event/…" operators and observers in
 * their tenant, admins in every one. The empty prefix is nobody's. */
bool topics_allows(const struct registry_row *row, struct view prefix);

/* Opens and binds. Errors as net_open and net_bind; ERR_MEMORY. */
int topics_open(const struct topics_options *options, struct topics **to, struct err *err);

/* Closes and frees; NULL is fine. SCOPED works. */
void topics_close(struct topics **topics);

/* The socket to poll for reading and to publish on with net_send. Another one after topics_read or
 * topics_check said that it was opened anew. */
void *topics_socket(const struct topics *topics);

/* Where it is bound, as clients reach it. */
const char *topics_endpoint(const struct topics *topics);

/* What one topics_read did. */
struct topics_read {
    unsigned granted, refused;
    bool reopened;                 /* the socket is another one now */
    char offender[KEY_TEXT_BYTES]; /* the key that made it so; "" if none */
};

/* Takes and decides all subscriptions that wait. now_s: seconds since 1970. ERR_IO also when the
 * socket could not be bound anew: then there is no socket (topics_socket is NULL) and the service
 * should end. */
int topics_read(struct topics *topics, int64_t now_s, struct topics_read *out, struct err *err);

/* To be called after the registry changed, and now and then because keys expire: opens the socket
 * anew if a key that holds a grant would not get it any more. Errors as topics_read. */
int topics_check(struct topics *topics, int64_t now_s, bool *reopened, struct err *err);
