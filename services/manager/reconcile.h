/* reconcile.h - what should live against what lives: at start from leases and intents, then every
 * reconcile_ms.
 *
 *   a lease of this boot       init dials again and proves its token: the sandbox is ours as before
 *   a lease of another boot    gone with that boot: recorded, removed
 *   an intent without result   a command: its result is "lost"; a create: the sandbox that came of
 *                              it, or "lost"
 *   a trace without a lease    an orphan: killed and recorded; nothing that is not ours is touched
 *   a sandbox without a trace  ended from outside: recorded
 */
#pragma once

#include "manager/manager.h"

/* At start, before clients are served. What needs time goes on in workers. ERR_STORE, ERR_IO. */
int reconcile_start(struct manager *m, struct err *err);

/* One comparison; a timer's callback. */
void reconcile_look(void *manager);

/* Releases what the last comparison left for the next. */
void reconcile_free_look(struct manager *m);
