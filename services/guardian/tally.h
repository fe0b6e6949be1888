/* tally.h - how often the guardian said what, and how long it took. Loop thread only. */
#pragma once

#include "engine/policy/judge.h"

#include <stddef.h>
#include <stdint.h>

enum {
    TALLY_DECISIONS = DECISION_DENY + 1,
    TALLY_RISKS = RISK_CRITICAL + 1,
    TALLY_LATENCIES = 1024,
    TALLY_SECONDS = 60,
    TALLY_MATCHES = 4096
};

/* How often a rule matched in a tenant. */
struct tally_match {
    char rule[65], tenant[65];
    int64_t count;
};

struct tally {
    int64_t decisions[TALLY_DECISIONS]; /* by enum policy_decision */
    int64_t risks[TALLY_RISKS];         /* by enum policy_risk */
    int64_t latencies_us[TALLY_LATENCIES];
    size_t count; /* of all decisions; the newest TALLY_LATENCIES have their latency kept */
    int64_t
        seconds[TALLY_SECONDS];  /* decisions of each of the last seconds, by the second's number */
    int64_t newest_s;            /* the newest of them */
    struct tally_match *matches; /* by rule, then tenant */
    size_t matches_count, matches_room;
};

/* Releases what tally_match took; fine on a zeroed one. */
void tally_close(struct tally *t);

/* Counts one decision, made in second `now_s` since boot. */
void tally_add(struct tally *t, enum policy_decision decision, enum policy_risk risk,
               int64_t latency_us, int64_t now_s);

/* Decisions of the last TALLY_SECONDS seconds, this one included. */
int64_t tally_last_minute(const struct tally *t, int64_t now_s);

/* Counts a rule that matched. There is room for TALLY_MATCHES rules in tenants; others are not
 * counted. */
void tally_match(struct tally *t, const char *rule, const char *tenant);

/* The rules that matched most, the most frequent first: of one tenant, or (NULL) of all together.
 * Returns how many, at most `room`; their `tenant` is "". */
size_t tally_most_matched(const struct tally *t, const char *tenant, struct tally_match *to,
                          size_t room);

/* The latency that `percent` (1 to 100) of the kept decisions did not exceed (nearest rank); 0 when
 * there are none. */
int64_t tally_latency_us(const struct tally *t, int percent);
