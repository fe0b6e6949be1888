/* clock.h - times. Deadlines and everything persisted use (boot id, CLOCK_BOOTTIME); wall time is
 * for people.
 *
 * The hook lets a test move the clocks; it is one of the two globals of Corral (the other is the
 * log level).
 */
#pragma once

#include <stdint.h>

enum { MS_NS = 1000000, S_NS = 1000000000 };

/* Nanoseconds since boot, counting suspend; never goes back. */
int64_t clock_boot_ns(void);

/* Milliseconds since boot. */
int64_t clock_boot_ms(void);

/* Nanoseconds since 1970 UTC; may jump. */
int64_t clock_wall_ns(void);

/* The kernel's boot id, 36 characters; "" if /proc does not show it. Static, read once. */
const char *clock_boot_id(void);

/* RFC 3339 in UTC with milliseconds, "2026-01-31T12:00:00.000Z"; `to` has 32 bytes. */
void clock_show(char to[32], int64_t wall_ns);

/* Replaces the clocks in tests; NULL restores. The function gets the clockid_t. */
void clock_hook(int64_t (*ns)(int clock));
