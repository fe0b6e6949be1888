/* registry.c - snapshots of who may connect; see registry.h. */
#include "net/registry.h"

#include "base/mem.h"
#include "base/scope.h"
#include "base/text.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

struct registry {
    atomic_int references;
    int64_t generation;
    struct registry_row *rows; /* sorted by key */
    size_t row_count;
    struct registry_agent *agents; /* sorted by tenant, name */
    size_t agent_count;
};

struct registry_slot {
    pthread_mutex_t lock;
    struct registry *current;
};

static const char *const ROLE_NAMES[] = {"agent", "operator", "admin", "observer", "service"};

static int by_key(const void *a, const void *b)
{
    const struct registry_row *left = a, *right = b;
    return strcmp(left->public_key, right->public_key);
}

static int by_principal(const void *a, const void *b)
{
    const struct registry_row *left = *(struct registry_row *const *)a;
    const struct registry_row *right = *(struct registry_row *const *)b;
    int order = strcmp(left->tenant, right->tenant);
    return order ? order : strcmp(left->principal, right->principal);
}

static int by_agent(const void *a, const void *b)
{
    const struct registry_agent *left = a, *right = b;
    int order = strcmp(left->tenant, right->tenant);
    return order ? order : strcmp(left->name, right->name);
}

/* A name in which * may stand for any run of characters. */
static bool is_pattern(const char *text)
{
    for (const char *c = text; *c; c++)
        if (!strchr("*._-", *c) && !(*c >= '0' && *c <= '9') && !(*c >= 'a' && *c <= 'z') &&
            !(*c >= 'A' && *c <= 'Z'))
            return false;
    return *text && strlen(text) < NAME_BYTES;
}

static int check_row(const struct registry_row *row, struct err *err)
{
    if (keys_check_public(row->public_key, err))
        return err_add(err, "public_key");
    if (!text_is_name(row->tenant, NAME_BYTES - 1))
        return err_set(err, ERR_INVALID, "tenant is not a name");
    if (!text_is_name(row->principal, NAME_BYTES - 1))
        return err_set(err, ERR_INVALID, "principal is not a name");
    if (!strcmp(row->principal, "event"))
        return err_set(err, ERR_INVALID, "principal: event stands for events in topics");
    if (!row->roles || row->roles >> COUNT(ROLE_NAMES))
        return err_set(err, ERR_INVALID, "roles names none of the known ones");
    if (row->roles & ROLE_SERVICE ? !text_is_name(row->service, NAME_BYTES - 1) : *row->service)
        return err_set(err, ERR_INVALID, "roles: a service has a name, others have none");
    for (int i = 0; i < REGISTRY_MAX_PATTERNS && *row->agents[i]; i++)
        if (!is_pattern(row->agents[i]))
            return err_set(err, ERR_INVALID, "agents[%d] is not a name or pattern", i);
    if (*row->agents[0] && !(row->roles & ROLE_AGENT))
        return err_set(err, ERR_INVALID, "agents needs the role agent");
    if (row->not_before_s < 0 || row->not_after_s < 0 ||
        (row->not_after_s && row->not_after_s <= row->not_before_s))
        return err_set(err, ERR_INVALID, "not_after is not after not_before");
    return 0;
}

static bool same_rights(const struct registry_row *a, const struct registry_row *b)
{
    if (a->roles != b->roles || strcmp(a->service, b->service))
        return false;
    for (int i = 0; i < REGISTRY_MAX_PATTERNS; i++)
        if (strcmp(a->agents[i], b->agents[i]))
            return false;
    return true;
}

/* The rules about all keys of a principal; rows come sorted by principal. */
static int check_principals(struct registry_row *const *rows, size_t count, int64_t now_s,
                            struct err *err)
{
    int keys = 0;
    for (size_t i = 0; i < count; i++) {
        bool same = i && !by_principal(&rows[i - 1], &rows[i]);
        if (same && !same_rights(rows[i - 1], rows[i]))
            return err_set(err, ERR_INVALID, "the keys of %s/%s have different rights",
                           rows[i]->tenant, rows[i]->principal);
        keys = same ? keys : 0;
        if (!rows[i]->not_after_s || now_s < rows[i]->not_after_s)
            keys++;
        if (keys > REGISTRY_MAX_KEYS)
            return err_set(err, ERR_INVALID, "%s/%s has more than %d keys", rows[i]->tenant,
                           rows[i]->principal, REGISTRY_MAX_KEYS);
    }
    return 0;
}

static int check_rows(struct registry *registry, int64_t now_s, struct err *err)
{
    struct registry_row *rows = registry->rows;
    for (size_t i = 0; i < registry->row_count; i++)
        if (check_row(&rows[i], err))
            return err_add(err, "keys[%zu]", i);

    qsort(rows, registry->row_count, sizeof *rows, by_key);
    for (size_t i = 1; i < registry->row_count; i++)
        if (!by_key(&rows[i - 1], &rows[i]))
            return err_set(err, ERR_INVALID, "the key %s stands twice", rows[i].public_key);

    struct registry_row **sorted = mem_new(registry->row_count + 1, sizeof(struct registry_row *));
    if (!sorted)
        return err_set(err, ERR_MEMORY, "no memory to check the registry");
    for (size_t i = 0; i < registry->row_count; i++)
        sorted[i] = &rows[i];
    qsort(sorted, registry->row_count, sizeof *sorted, by_principal);
    int result = check_principals(sorted, registry->row_count, now_s, err);
    free(sorted);
    return result;
}

static int check_agents(struct registry *registry, struct err *err)
{
    struct registry_agent *agents = registry->agents;
    for (size_t i = 0; i < registry->agent_count; i++)
        if (!text_is_name(agents[i].tenant, NAME_BYTES - 1) ||
            !text_is_name(agents[i].name, NAME_BYTES - 1))
            return err_set(err, ERR_INVALID, "agents[%zu]: tenant or name is not a name", i);
    qsort(agents, registry->agent_count, sizeof *agents, by_agent);
    for (size_t i = 1; i < registry->agent_count; i++)
        if (!by_agent(&agents[i - 1], &agents[i]))
            return err_set(err, ERR_INVALID, "the agent %s/%s stands twice", agents[i].tenant,
                           agents[i].name);
    return 0;
}

/* An unchecked copy of the parts with room for one more row and agent. */
static struct registry *copy_parts(const struct registry_parts *parts, struct err *err)
{
    SCOPED(registry_release) struct registry *registry = mem_new(1, sizeof *registry);
    if (registry) {
        atomic_init(&registry->references, 1);
        registry->rows = mem_new(parts->row_count + 1, sizeof *parts->rows);
        registry->agents = mem_new(parts->agent_count + 1, sizeof *parts->agents);
    }
    if (!registry || !registry->rows || !registry->agents) {
        err_set(err, ERR_MEMORY, "no memory for a registry of %zu keys", parts->row_count);
        return NULL;
    }
    registry->generation = parts->generation;
    registry->row_count = parts->row_count;
    registry->agent_count = parts->agent_count;
    for (size_t i = 0; i < parts->row_count; i++)
        registry->rows[i] = parts->rows[i];
    for (size_t i = 0; i < parts->agent_count; i++)
        registry->agents[i] = parts->agents[i];
    return TAKE(registry);
}

/* Checks a copy and hands it out; the copy is gone when it is refused. */
static int finish(struct registry *copy, int64_t now_s, struct registry **to, struct err *err)
{
    SCOPED(registry_release) struct registry *registry = copy;
    if (registry->generation < 0)
        return err_set(err, ERR_INVALID, "generation is negative");
    if (registry->row_count > REGISTRY_MAX_ROWS)
        return err_set(err, ERR_INVALID, "more than %d keys", REGISTRY_MAX_ROWS);
    if (registry->agent_count > REGISTRY_MAX_AGENTS)
        return err_set(err, ERR_INVALID, "more than %d agents", REGISTRY_MAX_AGENTS);
    if (check_rows(registry, now_s, err) || check_agents(registry, err))
        return -1;
    *to = TAKE(registry);
    return 0;
}

int registry_make(const struct registry_parts *parts, int64_t now_s, struct registry **to,
                  struct err *err)
{
    struct registry *copy = copy_parts(parts, err);
    return copy ? finish(copy, now_s, to, err) : -1;
}

void registry_release(struct registry **registry)
{
    struct registry *r = TAKE(*registry);
    if (!r || atomic_fetch_sub(&r->references, 1) != 1)
        return;
    free(r->rows);
    free(r->agents);
    free(r);
}

struct registry_parts registry_parts(const struct registry *registry)
{
    return (struct registry_parts){
        .generation = registry->generation,
        .rows = registry->rows,
        .row_count = registry->row_count,
        .agents = registry->agents,
        .agent_count = registry->agent_count,
    };
}

int64_t registry_generation(const struct registry *registry)
{
    return registry->generation;
}

const struct registry_row *registry_find_key(const struct registry *registry, const char *key)
{
    struct registry_row wanted = {0};
    if (!text_copy(wanted.public_key, sizeof wanted.public_key, key))
        return NULL;
    return bsearch(&wanted, registry->rows, registry->row_count, sizeof wanted, by_key);
}

const struct registry_row *registry_find_user(const struct registry *registry, const char *user_id,
                                              int64_t now_s)
{
    const struct registry_row *row = registry_find_key(registry, user_id);
    return row && registry_row_is_valid(row, now_s) ? row : NULL;
}

bool registry_row_is_valid(const struct registry_row *row, int64_t now_s)
{
    return row->not_before_s <= now_s && (!row->not_after_s || now_s < row->not_after_s);
}

bool registry_row_acts_for(const struct registry_row *row, const char *agent)
{
    for (int i = 0; i < REGISTRY_MAX_PATTERNS && *row->agents[i]; i++)
        if (text_matches(row->agents[i], agent))
            return true;
    return false;
}

bool registry_row_is_service(const struct registry_row *row, const char *service)
{
    return (row->roles & ROLE_SERVICE) && !strcmp(row->service, service);
}

static struct registry_agent *find_agent(const struct registry *registry,
                                         const struct registry_agent *agent)
{
    return bsearch(agent, registry->agents, registry->agent_count, sizeof *agent, by_agent);
}

const struct registry_agent *registry_find_agent(const struct registry *registry,
                                                 const char *tenant, const char *name)
{
    struct registry_agent wanted;
    if (!text_copy(wanted.tenant, sizeof wanted.tenant, tenant) ||
        !text_copy(wanted.name, sizeof wanted.name, name))
        return NULL;
    return find_agent(registry, &wanted);
}

bool registry_agent_is_approved(const struct registry *registry, const char *tenant,
                                const char *name)
{
    return registry_find_agent(registry, tenant, name) != NULL;
}

/* The start of every change: a copy that is one generation on. */
static struct registry *next_generation(const struct registry *old, struct err *err)
{
    struct registry_parts parts = registry_parts(old);
    parts.generation++;
    return copy_parts(&parts, err);
}

int registry_with_row(const struct registry *old, const struct registry_row *row, int64_t now_s,
                      struct registry **to, struct err *err)
{
    struct registry *next = next_generation(old, err);
    if (!next)
        return -1;
    const struct registry_row *same = registry_find_key(old, row->public_key);
    next->rows[same ? (size_t)(same - old->rows) : next->row_count++] = *row;
    return finish(next, now_s, to, err);
}

int registry_without_principal(const struct registry *old, const char *tenant,
                               const char *principal, int64_t now_s, struct registry **to,
                               struct err *err)
{
    struct registry *next = next_generation(old, err);
    if (!next)
        return -1;
    next->row_count = 0;
    for (size_t i = 0; i < old->row_count; i++)
        if (strcmp(old->rows[i].tenant, tenant) || strcmp(old->rows[i].principal, principal))
            next->rows[next->row_count++] = old->rows[i];
    return finish(next, now_s, to, err);
}

int registry_with_agent(const struct registry *old, const struct registry_agent *agent,
                        int64_t now_s, struct registry **to, struct err *err)
{
    struct registry *next = next_generation(old, err);
    if (!next)
        return -1;
    const struct registry_agent *same = find_agent(old, agent);
    next->agents[same ? (size_t)(same - old->agents) : next->agent_count++] = *agent;
    return finish(next, now_s, to, err);
}

int registry_without_agent(const struct registry *old, const struct registry_agent *agent,
                           int64_t now_s, struct registry **to, struct err *err)
{
    struct registry *next = next_generation(old, err);
    if (!next)
        return -1;
    next->agent_count = 0;
    for (size_t i = 0; i < old->agent_count; i++)
        if (by_agent(&old->agents[i], agent))
            next->agents[next->agent_count++] = old->agents[i];
    return finish(next, now_s, to, err);
}

const char *registry_role_name(enum role role)
{
    for (size_t i = 0; i < COUNT(ROLE_NAMES); i++)
        if (role == 1U << i)
            return ROLE_NAMES[i];
    return NULL;
}

int registry_row_add_role(struct registry_row *row, const char *text, struct err *err)
{
    const char *service = strncmp(text, "service:", 8) ? NULL : text + 8;
    if (service) {
        if ((row->roles & ROLE_SERVICE) || !text_is_name(service, NAME_BYTES - 1))
            return err_set(err, ERR_INVALID, "a key is of one service, written service:<name>");
        text_copy(row->service, sizeof row->service, service);
        row->roles |= ROLE_SERVICE;
        return 0;
    }
    for (size_t i = 0; 1U << i != ROLE_SERVICE; i++)
        if (!strcmp(text, ROLE_NAMES[i])) {
            row->roles |= 1U << i;
            return 0;
        }
    return err_set(err, ERR_INVALID,
                   "a role is agent, operator, admin, observer or service:<name>");
}

int registry_slot_new(struct registry *first, struct registry_slot **to, struct err *err)
{
    struct registry_slot *slot = mem_new(1, sizeof *slot);
    if (!slot)
        return err_set(err, ERR_MEMORY, "no memory for a registry slot");
    pthread_mutex_init(&slot->lock, NULL);
    slot->current = first;
    *to = slot;
    return 0;
}

void registry_slot_free(struct registry_slot **slot)
{
    struct registry_slot *s = TAKE(*slot);
    if (!s)
        return;
    pthread_mutex_destroy(&s->lock);
    registry_release(&s->current);
    free(s);
}

struct registry *registry_hold(struct registry_slot *slot)
{
    pthread_mutex_lock(&slot->lock);
    struct registry *current = slot->current;
    atomic_fetch_add(&current->references, 1);
    pthread_mutex_unlock(&slot->lock);
    return current;
}

void registry_swap(struct registry_slot *slot, struct registry *next)
{
    pthread_mutex_lock(&slot->lock);
    struct registry *old = slot->current;
    slot->current = next;
    pthread_mutex_unlock(&slot->lock);
    registry_release(&old);
}
