/* tally.h - how often the guardian said what, and how long it took. Loop thread only. */
#pragma once

#include "engine/policy/judge.h"

#include <stddef.h>
#include <stdint.h>

enum {
    TALLY_DECISIONS = DECISION_DENY + 1,
    TALLY_RISKS = RISK_CRITICAL + 1,
    TALLY_LATENCIES = 1024
};

struct tally {
    int64_t decisions[TALLY_DECISIONS]; /* by enum policy_decision */
    int64_t risks[TALLY_RISKS];         /* by enum policy_risk */
    int64_t latencies_us[TALLY_LATENCIES];
    size_t count; /* of all decisions; the newest TALLY_LATENCIES have their latency kept */
};

/* Counts one decision. */
void tally_add(struct tally *t, enum policy_decision decision, enum policy_risk risk,
               int64_t latency_us);

/* The latency that `percent` (1 to 100) of the kept decisions did not exceed (nearest rank); 0 when
 * there are none. */
int64_t tally_latency_us(const struct tally *t, int percent);
