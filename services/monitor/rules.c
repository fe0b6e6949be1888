/* rules.c - see rules.h. */
#include "monitor/rules.h"

#include <stdio.h>

const char *metric_name(enum metric metric)
{
    static const char *const names[METRICS] = {"cpu", "memory", "pids", "disk"};
    return names[metric];
}

void rule_name(char to[RULE_BYTES], enum metric metric, enum level level)
{
    static const char *const levels[LEVELS] = {"warning", "critical", "kill"};
    snprintf(to, RULE_BYTES, "%s.%s", metric_name(metric), levels[level]);
}

int64_t metric_shown(enum metric metric, int64_t value)
{
    return metric == METRIC_CPU ? value / 10 : value;
}

static void set_percent(int64_t percent[LEVELS], const struct thresholds *t)
{
    percent[LEVEL_WARNING] = t->warning_percent;
    percent[LEVEL_CRITICAL] = t->critical_percent;
    percent[LEVEL_KILL] = t->kill_percent;
}

struct rules rules_of(const struct lease *lease)
{
    struct rules rules = {.limit = {[METRIC_CPU] = lease->limits.cpu_millis,
                                    [METRIC_MEMORY] = lease->limits.memory_mb << 20,
                                    [METRIC_PIDS] = lease->limits.pids,
                                    [METRIC_DISK] = lease->limits.workspace_mb << 20}};
    set_percent(rules.percent[METRIC_CPU], &lease->cpu);
    set_percent(rules.percent[METRIC_MEMORY], &lease->memory);
    set_percent(rules.percent[METRIC_PIDS], &lease->processes);
    set_percent(rules.percent[METRIC_DISK], &lease->disk);
    return rules;
}

/* Microseconds of CPU per nanosecond of time, as 1/1000 of a core: double, since a counter of
 * years times 10^6 is past 64 bits. */
int64_t cpu_between(int64_t before_usec, int64_t before_ns, int64_t now_usec, int64_t now_ns)
{
    if (before_usec < 0 || now_usec < before_usec || now_ns <= before_ns)
        return -1;
    double cores = (double)(now_usec - before_usec) * 1000.0 / (double)(now_ns - before_ns);
    return cores < 1e12 ? (int64_t)(cores * 1000.0 + 0.5) : -1;
}

/* The value from which on a level is reached; 0: never. Double: a limit in bytes times a percentage
 * may be past 64 bits. */
static double threshold(const struct rules *rules, enum metric metric, enum level level)
{
    return (double)rules->limit[metric] * (double)rules->percent[metric][level] / 100.0;
}

static bool is_reached(const struct rules *rules, const struct look *look, enum metric metric,
                       enum level level)
{
    double from = threshold(rules, metric, level);
    return from > 0 && look->value[metric] >= 0 && (double)look->value[metric] >= from;
}

static bool is_well_below(const struct rules *rules, const struct look *look, enum metric metric,
                          enum level level)
{
    double from = threshold(rules, metric, level);
    if (from <= 0)
        return true; /* it was switched off while the alarm stood */
    return look->value[metric] >= 0 &&
           (double)look->value[metric] * 100.0 < from * (double)CLEAR_PERCENT;
}

static struct finding finding(const struct rules *rules, const struct look *look,
                              enum metric metric, enum level level)
{
    return (struct finding){.metric = metric,
                            .level = level,
                            .value = look->value[metric],
                            .limit = rules->limit[metric]};
}

size_t rules_judge(const struct rules *rules, const struct look *look, struct alarms *alarms,
                   struct finding out[FINDINGS_MAX])
{
    size_t count = 0;
    for (enum level level = LEVEL_WARNING; level < LEVEL_KILL; level++) {
        for (enum metric metric = 0; metric < METRICS; metric++) {
            bool *is_on = &alarms->is_on[metric][level];
            bool changes = *is_on ? is_well_below(rules, look, metric, level)
                                  : is_reached(rules, look, metric, level);
            if (!changes)
                continue;
            out[count] = finding(rules, look, metric, level);
            out[count++].is_cleared = *is_on;
            *is_on = !*is_on;
            alarms->raised += *is_on;
        }
    }
    return count;
}

bool rules_kill(const struct rules *rules, const struct look *look, struct finding *out)
{
    for (enum metric metric = 0; metric < METRICS; metric++) {
        if (!is_reached(rules, look, metric, LEVEL_KILL))
            continue;
        *out = finding(rules, look, metric, LEVEL_KILL);
        return true;
    }
    return false;
}
