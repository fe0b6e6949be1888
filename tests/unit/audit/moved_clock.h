/* moved_clock.h - the real clocks, moved by as much as a test says. */
#pragma once

#include "base/clock.h"

#include <time.h>

static int64_t moved_ns;

static inline int64_t moved_clock(int clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * S_NS + now.tv_nsec + moved_ns;
}

/* A teardown. */
static inline int restore_clock(void **state)
{
    (void)state;
    moved_ns = 0;
    clock_hook(NULL);
    return 0;
}
