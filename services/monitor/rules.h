/* rules.h - what is measured of a sandbox, and what follows from it: alarms and the kill switch.
 *
 * Pure functions on structs: no clock, no file, no memory. CPU is counted in 1/1000 of a core over
 * the time between two looks, memory and disk in bytes, pids in processes and threads. What could
 * not be measured is -1 and neither raises nor clears anything.
 */
#pragma once

#include "schema/message.h"

#include <stdbool.h>
#include <stdint.h>

enum metric { METRIC_CPU, METRIC_MEMORY, METRIC_PIDS, METRIC_DISK, METRICS };

enum level { LEVEL_WARNING, LEVEL_CRITICAL, LEVEL_KILL, LEVELS };

enum { RULE_BYTES = 32, CLEAR_PERCENT = 95 };

/* One look at a sandbox. */
struct look {
    int64_t boot_ns;
    int64_t value[METRICS]; /* -1: not measured, a gap */
};

/* When to speak up and when to kill: percent of the limit; 0 is off. */
struct rules {
    int64_t limit[METRICS]; /* in the metric's unit; 0: none, nothing is held against it */
    int64_t percent[METRICS][LEVELS];
};

/* Alarms that stand. A zeroed struct is quiet. */
struct alarms {
    bool is_on[METRICS][LEVEL_KILL];
    int64_t raised; /* since the sandbox was first seen */
};

/* Something to tell, or to do. */
struct finding {
    enum metric metric;
    enum level level;
    bool is_cleared; /* below CLEAR_PERCENT of the threshold again */
    int64_t value, limit;
};

enum { FINDINGS_MAX = METRICS * LEVEL_KILL };

/* "cpu", "memory", "pids" or "disk". Static. */
const char *metric_name(enum metric metric);

/* "memory.warning", "cpu.kill" and so on. */
void rule_name(char to[RULE_BYTES], enum metric metric, enum level level);

/* A value or limit as events and marks show it: CPU in percent of a core, the rest as it is. */
int64_t metric_shown(enum metric metric, int64_t value);

struct rules rules_of(const struct lease *lease);

/* CPU use between two readings of a counter that only grows. -1 where one of them is -1, the
 * counter went back (another cgroup of the same name) or no time has passed. */
int64_t cpu_between(int64_t before_usec, int64_t before_ns, int64_t now_usec, int64_t now_ns);

/* Raises and clears alarms; `out` gets what changed, most important last. Returns how many. An
 * alarm that stands is cleared only below CLEAR_PERCENT of its threshold, so that a value at the
 * edge does not flap. */
size_t rules_judge(const struct rules *rules, const struct look *look, struct alarms *alarms,
                   struct finding out[FINDINGS_MAX]);

/* True when a metric has reached its kill threshold; *out says which, the first one in the order of
 * enum metric. */
bool rules_kill(const struct rules *rules, const struct look *look, struct finding *out);
