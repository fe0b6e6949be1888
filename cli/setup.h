/* setup.h - what a Corral needs before its services start: keys, registry, connection files.
 *
 * Below the state directory (service.h says who reads what):
 *   <service>/service.key    each service's CURVE pair, owned by its uid
 *   guardian/signing.key     the Ed25519 pair that signs verdicts
 *   public/registry.json     the services, and the principal "admin"; then the guardian's to change
 *   public/services.json     where the services are
 *   admin.json               0600: the connection file of this host's administrator
 *   leases/                  for manager and monitor
 * Everything that is missing is made, what is there is kept; endpoints are written anew.
 */
#pragma once

#include "base/err.h"
#include "cli/place.h"
#include "schema/config.h"

/* Makes what is missing. No service of this place may run. ERR_INVALID a file is not what it should
 * be; ERR_IO. */
int setup_make(const struct place *place, const struct config *config, struct err *err);
