/* backoff.c - pauses between starts; see backoff.h. */
#include "cli/backoff.h"

bool backoff_next(struct backoff *backoff, int64_t now_ms, int64_t lived_ms, int64_t *pause_ms)
{
    backoff->exits_ms[backoff->count++ % BACKOFF_EXITS] = now_ms;
    int64_t oldest = backoff->exits_ms[backoff->count % BACKOFF_EXITS];
    if (backoff->count >= BACKOFF_EXITS && now_ms - oldest <= BACKOFF_WITHIN_MS)
        return false;
    int64_t pause = backoff->pause_ms * 2;
    if (!backoff->pause_ms || lived_ms >= BACKOFF_GOOD_LIFE_MS)
        pause = BACKOFF_FIRST_MS;
    backoff->pause_ms = pause < BACKOFF_LAST_MS ? pause : BACKOFF_LAST_MS;
    *pause_ms = backoff->pause_ms;
    return true;
}
