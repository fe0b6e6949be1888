/* zap.h - the thread that libzmq asks at each CURVE handshake (ZAP, ZeroMQ RFC 27).
 *
 * It binds inproc://zeromq.zap.01 of a context, looks the client's key up in the current registry
 * and answers 200 with the public key as User-Id, or 400. Everything but a CURVE request for our
 * domain, with the frames RFC 27 asks for and nothing else, is refused. What it refused can be read
 * from a small queue behind a file descriptor, so that a service can record it.
 *
 * Start it before any server socket of the context is bound, stop it after they are closed.
 */
#pragma once

#include "base/bytes.h"
#include "base/err.h"
#include "net/registry.h"

#include <stdbool.h>
#include <stdint.h>

/* The ZAP domain of every socket of Corral. */
#define ZAP_DOMAIN_NAME "corral"

enum { ZAP_REFUSALS_KEPT = 64, ZAP_BLOCKED_KEPT = 256, ZAP_ADDRESS_BYTES = 64 };

struct zap; /* the running thread */

struct zap_counts {
    uint64_t accepted;
    uint64_t refused;   /* every 400 */
    uint64_t malformed; /* of these: no CURVE request for our domain */
};

/* A handshake that was refused. */
struct zap_refusal {
    char public_key[KEY_TEXT_BYTES]; /* "" when the request had none */
    char address[ZAP_ADDRESS_BYTES]; /* the peer as libzmq saw it, cut; not checked for UTF-8 */
    uint64_t unreported;             /* refusals before this one that found the queue full */
};

/* What a request says; views into its frames. */
struct zap_request {
    struct view id, address, key; /* key: 32 bytes */
};

/* Starts the thread. The slot is borrowed until zap_stop. ERR_IO, ERR_STATE the context has a
 * handler already, ERR_MEMORY. */
int zap_start(void *context, struct registry_slot *slot, struct zap **to, struct err *err);

/* Ends the thread and frees; NULL is fine. SCOPED works. */
void zap_stop(struct zap **zap);

/* Any thread. */
struct zap_counts zap_counts(struct zap *zap);

/* Refuses the key from now on whatever the registry says, until the handler is started anew or
 * ZAP_BLOCKED_KEPT others were blocked after it. For keys that break the protocol on purpose. Any
 * thread. */
void zap_block(struct zap *zap, const char *public_key);

/* Readable while refusals wait; lives as long as the thread. */
int zap_fd(const struct zap *zap);

/* Takes the oldest waiting refusal; false when there is none. Any thread. */
bool zap_next_refusal(struct zap *zap, struct zap_refusal *out);

/* Reads the frames of a request behind the delimiter: version, request id, domain, address, routing
 * id, mechanism, credentials. ERR_INVALID; out->id is set whenever the first two frames are sound,
 * so that the request can be answered. */
int zap_parse(const struct view *frames, size_t count, struct zap_request *out, struct err *err);
