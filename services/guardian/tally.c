/* tally.c - how often the guardian said what, and how long it took; see tally.h. */
#include "guardian/tally.h"

#include "base/mem.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

void tally_close(struct tally *t)
{
    free(t->matches);
    *t = (struct tally){0};
}

/* Forgets the seconds that are longer ago than the ring is long. */
static void turn_to(struct tally *t, int64_t now_s)
{
    if (now_s - t->newest_s >= TALLY_SECONDS)
        memset(t->seconds, 0, sizeof t->seconds);
    else
        for (int64_t s = t->newest_s + 1; s <= now_s; s++)
            t->seconds[s % TALLY_SECONDS] = 0;
    t->newest_s = now_s;
}

void tally_add(struct tally *t, enum policy_decision decision, enum policy_risk risk,
               int64_t latency_us, int64_t now_s)
{
    if (now_s > t->newest_s)
        turn_to(t, now_s);
    t->seconds[t->newest_s % TALLY_SECONDS]++;
    t->decisions[decision]++;
    t->risks[risk]++;
    t->latencies_us[t->count++ % TALLY_LATENCIES] = latency_us;
}

int64_t tally_last_minute(const struct tally *t, int64_t now_s)
{
    int64_t sum = 0;
    for (int64_t s = now_s - TALLY_SECONDS + 1; s <= t->newest_s; s++)
        if (s >= 0 && s > t->newest_s - TALLY_SECONDS)
            sum += t->seconds[s % TALLY_SECONDS];
    return sum;
}

static int order(const struct tally_match *m, const char *rule, const char *tenant)
{
    int by_rule = strcmp(m->rule, rule);
    return by_rule ? by_rule : strcmp(m->tenant, tenant);
}

static bool make_room(struct tally *t)
{
    if (t->matches_count == TALLY_MATCHES)
        return false;
    if (t->matches_count < t->matches_room)
        return true;
    size_t room = t->matches_room ? 2 * t->matches_room : 64;
    struct tally_match *matches = mem_resize(t->matches, room * sizeof *matches);
    if (!matches)
        return false;
    t->matches = matches;
    t->matches_room = room;
    return true;
}

void tally_match(struct tally *t, const char *rule, const char *tenant)
{
    size_t low = 0, high = t->matches_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (order(&t->matches[middle], rule, tenant) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    bool is_there = low < t->matches_count && !order(&t->matches[low], rule, tenant);
    if (!is_there && !make_room(t))
        return;
    struct tally_match *at = &t->matches[low];
    if (!is_there) {
        memmove(at + 1, at, (t->matches_count++ - low) * sizeof *at);
        *at = (struct tally_match){0};
        text_copy(at->rule, sizeof at->rule, rule);
        text_copy(at->tenant, sizeof at->tenant, tenant);
    }
    at->count++;
}

/* Puts one where it belongs among the most frequent; the least of a full list falls out. */
static size_t rank(struct tally_match *to, size_t count, size_t room, const struct tally_match *m)
{
    size_t at = count;
    while (at && to[at - 1].count < m->count)
        at--;
    if (at == room)
        return count;
    size_t behind = (count < room ? count : room - 1) - at;
    memmove(to + at + 1, to + at, behind * sizeof *to);
    to[at] = *m;
    to[at].tenant[0] = 0;
    return count < room ? count + 1 : room;
}

size_t tally_most_matched(const struct tally *t, const char *tenant, struct tally_match *to,
                          size_t room)
{
    size_t count = 0;
    for (size_t i = 0, next; i < t->matches_count; i = next) {
        struct tally_match sum = t->matches[i];
        sum.count = 0;
        for (next = i; next < t->matches_count && !strcmp(t->matches[next].rule, sum.rule); next++)
            if (!tenant || !strcmp(t->matches[next].tenant, tenant))
                sum.count += t->matches[next].count;
        if (sum.count)
            count = rank(to, count, room, &sum);
    }
    return count;
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
