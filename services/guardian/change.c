/* change.c - approving and revoking an agent, as changes of the registry; see change.h. */
#include "guardian/change.h"

#include "base/scope.h"
#include "base/text.h"

#include <string.h>

/* True for a row of the principal that has the agent's name. */
static bool is_namesake(const struct change *c, const struct registry_row *row)
{
    return !strcmp(row->tenant, c->tenant) && !strcmp(row->principal, c->agent);
}

/* True for a row that an approval of this agent made, or would make. */
static bool is_own(const struct change *c, const struct registry_row *row)
{
    return is_namesake(c, row) && row->roles == ROLE_AGENT && !strcmp(row->agents[0], c->agent) &&
           !row->agents[1][0];
}

static bool has_own_row(const struct change *c, const struct registry *registry)
{
    struct registry_parts parts = registry_parts(registry);
    for (size_t i = 0; i < parts.row_count; i++)
        if (is_own(c, &parts.rows[i]))
            return true;
    return false;
}

static int check_names(const struct change *c, struct err *err)
{
    if (!text_is_name(c->tenant, NAME_BYTES - 1))
        return err_set(err, ERR_INVALID, "tenant: letters, digits, . _ - only");
    if (!text_is_name(c->agent, NAME_BYTES - 1))
        return err_set(err, ERR_INVALID, "agent: letters, digits, . _ - only");
    if (!strcmp(c->agent, "event"))
        return err_set(err, ERR_INVALID, "agent: event stands for events in topics");
    return 0;
}

/* key=value, a comma between. */
static int check_tags(const char *tags, struct err *err)
{
    while (*tags) {
        size_t len = strcspn(tags, ","), key = strcspn(tags, "=");
        if (!key || key >= len)
            return err_set(err, ERR_INVALID, "settings.tags: key=value, a comma between two");
        tags += len;
        tags += *tags ? 1 : 0;
    }
    return 0;
}

static int check_key(const struct change *c, const struct registry *registry, struct err *err)
{
    if (keys_check_public(c->public_key, err))
        return err_add(err, "public_key");
    const struct registry_row *holder = registry_find_key(registry, c->public_key);
    if (holder && !is_own(c, holder))
        return err_set(err, ERR_STATE, "this key belongs to somebody else; make a fresh one");
    return 0;
}

/* The name is free or the agent's, and there is room for the key. */
static int check_principal(const struct change *c, const struct registry *registry, int64_t now_s,
                           struct err *err)
{
    int others = 0;
    struct registry_parts parts = registry_parts(registry);
    for (size_t i = 0; i < parts.row_count; i++) {
        const struct registry_row *row = &parts.rows[i];
        if (is_namesake(c, row) && !is_own(c, row))
            return err_set(err, ERR_STATE, "the name %s is taken by a principal that is no agent",
                           c->agent);
        bool has_expired = row->not_after_s && now_s >= row->not_after_s;
        others += is_own(c, row) && !has_expired && strcmp(row->public_key, c->public_key) != 0;
    }
    if (others >= REGISTRY_MAX_KEYS)
        return err_set(err, ERR_STATE,
                       "the agent %s has %d keys already; revoke-agent takes them away", c->agent,
                       others);
    return 0;
}

static int check_settings(const struct change *c, const struct registry *registry, struct err *err)
{
    if (!c->has_settings)
        return err_set(err, ERR_INVALID, "agent_approve: neither public_key nor settings");
    if (!registry_agent_is_approved(registry, c->tenant, c->agent))
        return err_set(err, ERR_NOT_FOUND, "no agent %s is approved in tenant %s", c->agent,
                       c->tenant);
    return 0;
}

int change_check(const struct change *c, const struct registry *registry, int64_t now_s,
                 struct err *err)
{
    if (check_names(c, err))
        return -1;
    if (c->has_settings && check_tags(c->settings.tags, err))
        return -1;
    if (c->is_approval && !c->public_key[0])
        return check_settings(c, registry, err);
    if (c->is_approval)
        return check_key(c, registry, err) || check_principal(c, registry, now_s, err) ? -1 : 0;
    if (change_holds(c, registry))
        return err_set(err, ERR_NOT_FOUND, "no agent %s is approved in tenant %s", c->agent,
                       c->tenant);
    return 0;
}

static bool same_settings(const struct agent_settings *a, const struct agent_settings *b)
{
    return !strcmp(a->version, b->version) && !strcmp(a->tags, b->tags) &&
           a->max_sandboxes == b->max_sandboxes && a->max_memory_mb == b->max_memory_mb &&
           a->max_cpu_percent == b->max_cpu_percent;
}

bool change_holds(const struct change *c, const struct registry *registry)
{
    const struct registry_agent *agent = registry_find_agent(registry, c->tenant, c->agent);
    if (!c->is_approval)
        return !agent && !has_own_row(c, registry);
    bool is_as_set = agent && (!c->has_settings || same_settings(&agent->settings, &c->settings));
    if (!is_as_set || !c->public_key[0])
        return is_as_set;
    const struct registry_row *row = registry_find_key(registry, c->public_key);
    return row && is_own(c, row);
}

static int add_agent(const struct change *c, const struct registry *old,
                     const struct registry_agent *agent, int64_t now_s, struct registry **to,
                     struct err *err)
{
    struct registry_row row = {.roles = ROLE_AGENT};
    if (!c->public_key[0])
        return registry_with_agent(old, agent, now_s, to, err);
    text_copy(row.public_key, sizeof row.public_key, c->public_key);
    text_copy(row.tenant, sizeof row.tenant, c->tenant);
    text_copy(row.principal, sizeof row.principal, c->agent);
    text_copy(row.agents[0], sizeof row.agents[0], c->agent);
    SCOPED(registry_release) struct registry *half = NULL;
    return registry_with_row(old, &row, now_s, &half, err) ||
                   registry_with_agent(half, agent, now_s, to, err)
               ? -1
               : 0;
}

static int take_away(const struct change *c, const struct registry *old,
                     const struct registry_agent *agent, int64_t now_s, struct registry **to,
                     struct err *err)
{
    SCOPED(registry_release) struct registry *half = NULL;
    if (!has_own_row(c, old))
        return registry_without_agent(old, agent, now_s, to, err);
    return registry_without_principal(old, c->tenant, c->agent, now_s, &half, err) ||
                   registry_without_agent(half, agent, now_s, to, err)
               ? -1
               : 0;
}

int change_apply(const struct change *c, const struct registry *old, int64_t now_s,
                 struct registry **to, struct err *err)
{
    if (change_check(c, old, now_s, err))
        return -1;
    struct registry_agent agent = {0};
    text_copy(agent.tenant, sizeof agent.tenant, c->tenant);
    text_copy(agent.name, sizeof agent.name, c->agent);
    const struct registry_agent *same = registry_find_agent(old, c->tenant, c->agent);
    if (c->has_settings)
        agent.settings = c->settings;
    else if (same)
        agent.settings = same->settings;
    return c->is_approval ? add_agent(c, old, &agent, now_s, to, err)
                          : take_away(c, old, &agent, now_s, to, err);
}
