/* quota.c - what one agent may use at once; see quota.h. */
#include "manager/quota.h"

#include <string.h>

enum { MILLIS_PER_PERCENT = 10 };

struct use {
    int64_t sandboxes, memory_mb, cpu_millis;
};

static struct use use_of(const struct manager *m, const char *tenant, const char *agent)
{
    struct use use = {0};
    for (const struct sandbox *s = m->sandboxes; s; s = s->next) {
        if (strcmp(s->lease.tenant, tenant) != 0 || strcmp(s->lease.agent, agent) != 0)
            continue;
        use.sandboxes++;
        use.memory_mb += s->lease.limits.memory_mb;
        use.cpu_millis += s->lease.limits.cpu_millis;
    }
    return use;
}

static int64_t either(int64_t own, int64_t configured)
{
    return own ? own : configured;
}

/* The configuration's bounds are of a multiple of what one sandbox gets, so nothing overflows. */
int quota_check(const struct manager *m, const struct registry *registry, const char *tenant,
                const char *agent, const struct limits *limits, struct err *err)
{
    const struct config *config = &m->service->config;
    const struct registry_agent *row = registry_find_agent(registry, tenant, agent);
    struct agent_settings own = row ? row->settings : (struct agent_settings){0};
    struct use use = use_of(m, tenant, agent);
    int64_t sandboxes = either(own.max_sandboxes, config->agent_quotas.max_sandboxes);
    int64_t memory_mb = either(own.max_memory_mb, config->agent_quotas.max_memory_mb);
    int64_t cpu_percent = either(own.max_cpu_percent, config->agent_quotas.max_cpu_percent);
    if (use.sandboxes >= sandboxes)
        return err_set(
            err, ERR_QUOTA,
            "the agent %s has %lld of %lld sandboxes; end one, or have an operator raise it "
            "(corral approve-agent --no-key --max-sandboxes N)",
            agent, (long long)use.sandboxes, (long long)sandboxes);
    if (limits->memory_mb > memory_mb - use.memory_mb)
        return err_set(err, ERR_QUOTA,
                       "the sandboxes of %s have %lld of %lld MiB of memory, and this one asks for "
                       "%lld; end one, ask for less, or have an operator raise it (corral "
                       "approve-agent --no-key --max-memory N)",
                       agent, (long long)use.memory_mb, (long long)memory_mb,
                       (long long)limits->memory_mb);
    if (limits->cpu_millis > cpu_percent * MILLIS_PER_PERCENT - use.cpu_millis)
        return err_set(err, ERR_QUOTA,
                       "the sandboxes of %s have %lld of %lld %% of a core, and this one asks for "
                       "%lld; end one, ask for less, or have an operator raise it (corral "
                       "approve-agent --no-key --max-cpus N)",
                       agent, (long long)(use.cpu_millis / MILLIS_PER_PERCENT),
                       (long long)cpu_percent,
                       (long long)(limits->cpu_millis / MILLIS_PER_PERCENT));
    return 0;
}
