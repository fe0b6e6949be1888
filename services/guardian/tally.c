/* tally.c - how often the guardian said what, and how long it took; see tally.h. */
#include "guardian/tally.h"

#include <stdlib.h>
#include <string.h>

void tally_add(struct tally *t, enum policy_decision decision, enum policy_risk risk,
               int64_t latency_us)
{
    t->decisions[decision]++;
    t->risks[risk]++;
    t->latencies_us[t->count++ % TALLY_LATENCIES] = latency_us;
}

static int by_size(const void *a, const void *b)
{
    int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;
    return (left > right) - (left < right);
}

int64_t tally_latency_us(const struct tally *t, int percent)
{
    int64_t sorted[TALLY_LATENCIES];
    size_t n = t->count < TALLY_LATENCIES ? t->count : TALLY_LATENCIES;
    if (!n)
        return 0;
    memcpy(sorted, t->latencies_us, n * sizeof sorted[0]);
    qsort(sorted, n, sizeof sorted[0], by_size);
    return sorted[(n * (size_t)percent + 99) / 100 - 1];
}
