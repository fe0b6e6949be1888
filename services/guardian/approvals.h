/* approvals.h - the approvals in memory: what the loop needs to know of guardian.db's table.
 *
 *     pending ──▶ allowed ──▶ used | expired | denied | void
 *             ──▶ denied | expired | void
 *
 * An approval is bound to {tenant, agent, principal, hash of the act, hash of the policy}; of one
 * binding at most one stands: is pending, allowed, or denied and not yet lapsed. The hash is that
 * of the act itself, but of a create without its sandbox_id, which is new each time and names
 * nothing yet. What no longer stands is kept for those who ask, the newest APPROVALS_KEPT of it.
 *
 * Plain structures: nothing here writes, waits or answers. Loop thread only.
 */
#pragma once

#include "engine/record/act.h"
#include "service/call.h"

enum { APPROVALS_KEPT = 256, APPROVAL_ACT_BYTES = 32768 /* event.act's own bound */ };

struct approval_item {
    struct approval shown;         /* its views and lists point into the buffers below */
    struct bytes act, tags, rules; /* act: encoded */
    uint8_t hash[ACT_HASH_BYTES], policy[ACT_HASH_BYTES];
    int64_t lapses_boot_ms; /* pending: expires; allowed: ends; denied: may be asked again */
    bool is_redacted;       /* read back from the record: without the act's secrets */
    bool is_deciding;       /* a decision is on its way to the disk */
    struct approval_item *next;
};

/* A zeroed one is empty. */
struct approvals {
    struct approval_item *first, *last; /* in the order of filing */
};

void approvals_close(struct approvals *approvals);

/* The hash that an approval of this act is bound to. Errors as act_hash. */
int approval_hash(const struct act *act, uint8_t hash[ACT_HASH_BYTES], struct err *err);

/* Adds a pending one, made of its record (kind approval_requested), and drops what is kept too
 * long. ERR_INVALID the record is none; ERR_MEMORY. */
int approvals_add(struct approvals *approvals, const struct event *requested, int64_t wall_ns,
                  int64_t lapses_boot_ms, struct approval_item **item, struct err *err);

/* NULL when there is none. */
struct approval_item *approvals_find(const struct approvals *approvals, const char *id);

/* The one that the caller may see. ERR_NOT_FOUND it does not exist, or is not the caller's. */
struct approval_item *approvals_find_for(const struct approvals *approvals, const struct call *call,
                                         const char *id, struct err *err);

/* The one that stands for this binding, whatever its policy; NULL when there is none. */
struct approval_item *approvals_match(const struct approvals *approvals, const struct act *act,
                                      const char *principal, const uint8_t hash[ACT_HASH_BYTES],
                                      int64_t now_boot_ms);

/* Pending or allowed. */
bool approval_is_open(const struct approval_item *item);

/* Open, or denied and not lapsed. */
bool approval_stands(const struct approval_item *item, int64_t now_boot_ms);

bool approval_is(const struct approval_item *item, const char *state);

/* Counts the open ones, and those of one agent among them. */
size_t approvals_open(const struct approvals *approvals, const char *tenant, const char *agent,
                      size_t *of_agent);

/* The message for a caller: `shown` with the time that is left. */
struct approval approval_now(const struct approval_item *item, int64_t now_boot_ms);

/* The same at a glance; `command` holds what out->command points to. ERR_MEMORY. */
int approval_row_now(const struct approval_item *item, int64_t now_boot_ms, struct bytes *command,
                     struct approval_row *out, struct err *err);
