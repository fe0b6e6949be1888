/* probe.h - proves, before a service says that it is ready, that strangers cannot connect.
 *
 * Why it is needed: libzmq 4.3.4 fails open in several settings, silently. A probe costs a few
 * milliseconds and leaves refused handshakes in the ZAP handler's queue (zap_next_refusal), which
 * the caller empties.
 */
#pragma once

#include "base/err.h"
#include "net/socket.h"

/* How long one stranger waits for a decision, which comes within milliseconds unless the machine is
 * very busy. */
enum { PROBE_MS = 5000 };

/* Connects to a bound endpoint with a fresh random key, then without security. Both must be refused
 * at the handshake. Opens sockets of its own; needs no one to read the server socket.
 *
 *   server      kind of the bound socket: a peer of the fitting type is refused for its key alone
 *   endpoint    as net_bind gave it
 *   server_key  public key of the service, Z85
 *   err         ERR_STATE a stranger was let in; ERR_UNAVAILABLE nobody listens, or nobody decided
 * within PROBE_MS
 */
int probe_endpoint(void *context, enum net_kind server, const char *endpoint,
                   const char *server_key, struct err *err);
