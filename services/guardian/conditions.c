/* conditions.c - see conditions.h. */
#include "guardian/conditions.h"

enum { MILLIS_PER_PERCENT = 10, MS_PER_S = 1000 };

int conditions_fill(const struct act *act, const struct config *config, struct bytes *store,
                    struct verdict *v, struct err *err)
{
    const struct limits *l = &act->limits;
    int64_t most_ms = config->guardian.max_timeout_seconds * MS_PER_S;
    const struct {
        const char *name;
        bool holds;
    } rows[] = {
        {"high_cpu", l->cpu_millis > config->guardian.high_cpu_percent * MILLIS_PER_PERCENT},
        {"high_memory", l->memory_mb > config->guardian.high_memory_mb},
        {"timeout_limited", l->exec_timeout_ms > most_ms},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (rows[i].holds && list_add_text(store, &v->conditions, view_of(rows[i].name), err))
            return -1;
    if (l->exec_timeout_ms > most_ms)
        v->timeout_override_ms = most_ms;
    return 0;
}
