/* on_agent_list.c - approved agents and what is set for them, a page at a time. */
#include "guardian/guardian.h"

#include "base/clock.h"
#include "base/text.h"

#include <stdio.h>
#include <string.h>

enum { PAGE_AGENTS = 256 /* agent_rows.agents' own bound */ };

static int64_t count_keys(const struct registry_parts *parts, const struct registry_agent *agent)
{
    int64_t count = 0, now_s = clock_wall_ns() / S_NS;
    for (size_t i = 0; i < parts->row_count; i++) {
        const struct registry_row *row = &parts->rows[i];
        count += registry_row_is_valid(row, now_s) && row->roles == ROLE_AGENT &&
                 !strcmp(row->tenant, agent->tenant) && !strcmp(row->agents[0], agent->name) &&
                 !row->agents[1][0];
    }
    return count;
}

/* The registry is sorted by tenant and name, and so are the pages. */
static bool is_behind(const struct registry_agent *agent, const char *after)
{
    size_t len = strcspn(after, "/");
    int order = strncmp(agent->tenant, after, len);
    if (!order && agent->tenant[len])
        order = 1;
    return order > 0 || (!order && strcmp(agent->name, after[len] ? after + len + 1 : "") > 0);
}

int on_agent_list(void *state, const struct call *call, const void *in, void *out, struct err *err)
{
    (void)state;
    const struct agent_list *q = in;
    struct agent_rows rows = {0};
    struct registry_parts parts = registry_parts(call->registry);
    char last[sizeof rows.next] = "";
    for (size_t i = 0; i < parts.agent_count; i++) {
        const struct registry_agent *agent = &parts.agents[i];
        if (!call_sees(call, agent->tenant, agent->name) || !is_behind(agent, q->after))
            continue;
        if (rows.agents.count == PAGE_AGENTS) {
            text_copy(rows.next, sizeof rows.next, last);
            break;
        }
        struct agent_row row = {.keys = count_keys(&parts, agent), .settings = agent->settings};
        text_copy(row.tenant, sizeof row.tenant, agent->tenant);
        text_copy(row.agent, sizeof row.agent, agent->name);
        schema_mark(&message_agent_row, &row, "settings");
        if (list_add(call->scratch, &rows.agents, &message_agent_row, &row, err))
            return -1;
        snprintf(last, sizeof last, "%s/%s", agent->tenant, agent->name);
    }
    *(struct agent_rows *)out = rows;
    return 0;
}
