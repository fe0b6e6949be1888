/* approvals.c - the approvals in memory; see approvals.h. */
#include "guardian/approvals.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/scope.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

enum { LIST_BYTES = 8 * 1024, ROW_COMMAND_BYTES = 256 };

static void item_free(struct approval_item **item)
{
    if (!*item)
        return;
    bytes_close(&(*item)->act);
    bytes_close(&(*item)->tags);
    bytes_close(&(*item)->rules);
    free(*item);
    *item = NULL;
}

void approvals_close(struct approvals *a)
{
    while (a->first) {
        struct approval_item *item = a->first;
        a->first = item->next;
        item_free(&item);
    }
    a->last = NULL;
}

int approval_hash(const struct act *act, uint8_t hash[ACT_HASH_BYTES], struct err *err)
{
    struct act bound = *act;
    if (!strcmp(act->operation, "sandbox_create"))
        bound.sandbox_id[0] = 0;
    return act_hash(&bound, hash, err);
}

bool approval_is(const struct approval_item *item, const char *state)
{
    return !strcmp(item->shown.state, state);
}

bool approval_is_open(const struct approval_item *item)
{
    return approval_is(item, "pending") || approval_is(item, "allowed");
}

bool approval_stands(const struct approval_item *item, int64_t now_boot_ms)
{
    return approval_is_open(item) ||
           (approval_is(item, "denied") && now_boot_ms < item->lapses_boot_ms);
}

/* Makes a copy of a list of texts. */
static int copy_texts(struct list from, struct bytes *store, struct list *to, struct err *err)
{
    *store = bytes_open(LIST_BYTES);
    for (struct view text; list_next_text(&from, &text);)
        if (list_add_text(store, to, text, err))
            return -1;
    return 0;
}

/* Its binding is to the act itself, whose secrets the record does not have. */
static int bind(struct approval_item *item, const struct event *e, struct err *err)
{
    if (approval_hash(&item->shown.act, item->hash, err))
        return -1;
    if (e->act_hash.len != sizeof item->hash ||
        !memcmp(item->hash, e->act_hash.data, sizeof item->hash))
        return 0;
    memcpy(item->hash, e->act_hash.data, sizeof item->hash);
    item->is_redacted = true;
    return 0;
}

static int fill(struct approval_item *item, const struct event *e, int64_t wall_ns, struct err *err)
{
    struct approval *a = &item->shown;
    const struct verdict *v = &e->verdict;
    item->act = bytes_open(APPROVAL_ACT_BYTES);
    if (bytes_add(&item->act, e->act.data, e->act.len, err) ||
        schema_decode(&message_act, bytes_view(&item->act), SCHEMA_LENIENT, &a->act, err) ||
        bind(item, e, err) || copy_texts(e->tags, &item->tags, &a->tags, err) ||
        copy_texts(v->rules, &item->rules, &a->rules, err))
        return -1;
    if (!e->approval_id[0] || v->policy.len != sizeof item->policy)
        return err_set(err, ERR_INVALID, "no record of a request for approval");
    memcpy(item->policy, v->policy.data, sizeof item->policy);
    a->hash = (struct view){item->hash, sizeof item->hash};
    a->policy = (struct view){item->policy, sizeof item->policy};
    a->created_ns = wall_ns;
    text_copy(a->approval_id, sizeof a->approval_id, e->approval_id);
    text_copy(a->state, sizeof a->state, "pending");
    text_copy(a->principal, sizeof a->principal, e->principal);
    text_copy(a->risk, sizeof a->risk, v->risk);
    text_copy(a->reason, sizeof a->reason, v->reason);
    text_copy(a->hint, sizeof a->hint, v->hint);
    return 0;
}

/* What stands is never dropped. */
static void drop_old(struct approvals *a, int64_t now_boot_ms)
{
    size_t kept = 0;
    for (const struct approval_item *i = a->first; i; i = i->next)
        kept += !approval_stands(i, now_boot_ms);
    struct approval_item *before = NULL;
    for (struct approval_item *i = a->first, *next; i; i = next) {
        next = i->next;
        if (kept <= APPROVALS_KEPT || approval_stands(i, now_boot_ms)) {
            before = i;
            continue;
        }
        *(before ? &before->next : &a->first) = next;
        a->last = a->last == i ? before : a->last;
        item_free(&i);
        kept--;
    }
}

int approvals_add(struct approvals *a, const struct event *requested, int64_t wall_ns,
                  int64_t lapses_boot_ms, struct approval_item **out, struct err *err)
{
    SCOPED(item_free) struct approval_item *item = mem_new(1, sizeof *item);
    if (!item)
        return err_set(err, ERR_MEMORY, "no memory for an approval");
    if (fill(item, requested, wall_ns, err))
        return -1;
    item->lapses_boot_ms = lapses_boot_ms;
    drop_old(a, clock_boot_ms());
    *(a->last ? &a->last->next : &a->first) = item;
    a->last = item;
    *out = TAKE(item);
    return 0;
}

struct approval_item *approvals_find(const struct approvals *a, const char *id)
{
    struct approval_item *item = a->first;
    while (item && strcmp(item->shown.approval_id, id) != 0)
        item = item->next;
    return item;
}

struct approval_item *approvals_find_for(const struct approvals *a, const struct call *call,
                                         const char *id, struct err *err)
{
    struct approval_item *item = approvals_find(a, id);
    if (item && call_sees(call, item->shown.act.tenant, item->shown.act.agent))
        return item;
    err_set(err, ERR_NOT_FOUND, "no approval %s", id);
    return NULL;
}

struct approval_item *approvals_match(const struct approvals *a, const struct act *act,
                                      const char *principal, const uint8_t hash[ACT_HASH_BYTES],
                                      int64_t now_boot_ms)
{
    struct approval_item *item = a->first;
    while (item &&
           (memcmp(item->hash, hash, ACT_HASH_BYTES) != 0 ||
            strcmp(item->shown.act.tenant, act->tenant) != 0 ||
            strcmp(item->shown.act.agent, act->agent) != 0 ||
            strcmp(item->shown.principal, principal) != 0 || !approval_stands(item, now_boot_ms)))
        item = item->next;
    return item;
}

size_t approvals_open(const struct approvals *a, const char *tenant, const char *agent,
                      size_t *of_agent)
{
    size_t all = 0;
    *of_agent = 0;
    for (const struct approval_item *i = a->first; i; i = i->next) {
        bool is_open = approval_is_open(i);
        all += is_open;
        *of_agent +=
            is_open && !strcmp(i->shown.act.tenant, tenant) && !strcmp(i->shown.act.agent, agent);
    }
    return all;
}

static int64_t left_ms(const struct approval_item *item, int64_t now_boot_ms)
{
    int64_t left = item->lapses_boot_ms - now_boot_ms;
    return approval_stands(item, now_boot_ms) && left > 0 ? left : 0;
}

struct approval approval_now(const struct approval_item *item, int64_t now_boot_ms)
{
    struct approval now = item->shown;
    now.left_ms = left_ms(item, now_boot_ms);
    return now;
}

int approval_row_now(const struct approval_item *item, int64_t now_boot_ms, struct bytes *command,
                     struct approval_row *out, struct err *err)
{
    const struct approval *a = &item->shown;
    struct approval_row row = {.created_ns = a->created_ns, .left_ms = left_ms(item, now_boot_ms)};
    int64_t full_bytes;
    bytes_clear(command);
    if (act_show(&a->act, command, &full_bytes, err))
        return -1;
    char brief[ROW_COMMAND_BYTES + 1] = "";
    if (command->len)
        text_copy(brief, sizeof brief, (const char *)command->data);
    bytes_cut(command, strlen(brief)); /* the same bytes, cut where a character begins */
    row.command = bytes_view(command);
    text_copy(row.approval_id, sizeof row.approval_id, a->approval_id);
    text_copy(row.state, sizeof row.state, a->state);
    text_copy(row.scope, sizeof row.scope, a->scope);
    text_copy(row.tenant, sizeof row.tenant, a->act.tenant);
    text_copy(row.agent, sizeof row.agent, a->act.agent);
    text_copy(row.principal, sizeof row.principal, a->principal);
    text_copy(row.operation, sizeof row.operation, a->act.operation);
    if (!strcmp(a->act.operation, "command_execute"))
        text_copy(row.sandbox_id, sizeof row.sandbox_id, a->act.sandbox_id);
    text_copy(row.risk, sizeof row.risk, a->risk);
    text_copy(row.reason, sizeof row.reason, a->reason);
    text_copy(row.approver, sizeof row.approver, a->approver);
    *out = row;
    return 0;
}
