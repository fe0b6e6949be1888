/* strangers.h - refused handshakes in the record.
 *
 * Whoever reaches a socket can knock as often as it likes, and each record costs the journal a
 * place: so the first STRANGERS_BURST are told one by one, later ones at most one a second, and the
 * rest is counted. No refusal is left out of the counts. Loop thread only.
 */
#pragma once

#include "net/zap.h"

#include <stdint.h>

enum { STRANGERS_BURST = 16, STRANGERS_MS = 1000 };

struct service;

/* Zeroed: nobody has knocked. */
struct strangers {
    int64_t told_until_boot_ms; /* the time that those told so far would take at one a second */
    uint64_t untold;            /* refusals that no event speaks of yet */
    bool is_waiting;            /* a timer will tell of them */
};

/* Records a refusal, or counts it. */
void strangers_refused(struct service *service, const struct zap_refusal *refusal);
