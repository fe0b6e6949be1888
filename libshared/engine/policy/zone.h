/* zone.h - what time it is somewhere, without the process's own time zone.
 *
 * Reads a TZif file (RFC 8536) once: the changes that it lists, and the rule behind the last one.
 * Then immutable; any number of threads may ask.
 */
#pragma once

#include "base/err.h"
#include "engine/shell/arena.h"

#include <stdbool.h>
#include <stdint.h>

enum { ZONE_MAX_CHANGES = 2048 };

/* A moment of a year at which a zone's rule changes: week 5 is the month's last. */
struct zone_day {
    int month, week, weekday; /* 1-12, 1-5, 0 is Sunday */
    int64_t second;           /* of that day, local */
};

struct zone {
    const int64_t *at;       /* when something changes, ascending */
    const int32_t *offset_s; /* east of Greenwich, from then on */
    size_t count;
    int32_t first_s;              /* before the first change */
    int32_t standard_s, summer_s; /* behind the last one */
    bool has_rule, has_summer;
    struct zone_day begins, ends; /* of summer time */
};

/* Reads "UTC", "+02:00", or the name of a file below /usr/share/zoneinfo such as "Europe/Berlin".
 * Memory is of the arena. ERR_CONFIG: no such zone, or its file is not understood; ERR_MEMORY. */
int zone_read(struct arena *arena, const char *name, struct zone *out, struct err *err);

/* Days from 1970-01-01 to a date. */
int64_t zone_days_of(int64_t year, int month, int day);

/* Seconds to add to universal time then. */
int32_t zone_offset_s(const struct zone *zone, int64_t time_s);
