/* registry.h - who may connect: keys, their principals, and the agents that were approved.
 *
 * A registry is an immutable snapshot with a generation number; references to it are counted. The
 * current one sits in a slot that the loop thread swaps while the ZAP thread reads: whoever took a
 * reference keeps reading the old snapshot until it lets go. Nothing is ever changed in place.
 *
 * The User-Id of a connection is its public key, not its principal: so a message is refused as soon
 * as its own key left the registry, even while the principal has another one (registry_find_user).
 *
 * On one host the registry is a JSON file (registry_file.h).
 */
#pragma once

#include "base/err.h"
#include "net/keys.h"
#include "schema/message.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    REGISTRY_MAX_ROWS = 10000,
    REGISTRY_MAX_AGENTS = 10000,
    REGISTRY_MAX_PATTERNS = 8,
    REGISTRY_MAX_KEYS = 2, /* keys of one principal that have not expired: old and new one */
    NAME_BYTES = 65        /* tenant, principal, agent: text_is_name, up to 64 characters */
};

enum role {
    ROLE_AGENT = 1 << 0,    /* acts as the agents of its patterns */
    ROLE_OPERATOR = 1 << 1, /* everything in one tenant */
    ROLE_ADMIN = 1 << 2,    /* every tenant */
    ROLE_OBSERVER = 1 << 3, /* reads one tenant */
    ROLE_SERVICE = 1 << 4,  /* a part of Corral; `service` says which */
};

struct registry_row {
    char public_key[KEY_TEXT_BYTES]; /* Z85 */
    char tenant[NAME_BYTES];
    char principal[NAME_BYTES]; /* unique in its tenant; not "event" (see topics.h) */
    unsigned roles;             /* of enum role, at least one */
    char service[NAME_BYTES];   /* "" unless ROLE_SERVICE */
    char agents[REGISTRY_MAX_PATTERNS][NAME_BYTES]; /* with *, text_matches; "" ends the list */
    int64_t not_before_s, not_after_s;              /* seconds since 1970; 0: no such bound */
};

/* An agent that may have sandboxes at all. */
struct registry_agent {
    char tenant[NAME_BYTES];
    char name[NAME_BYTES];
    struct agent_settings settings;
};

struct registry; /* a snapshot */

/* What a registry is made of; arrays are copied. */
struct registry_parts {
    int64_t generation; /* 0 or more; grows with every change */
    const struct registry_row *rows;
    size_t row_count;
    const struct registry_agent *agents;
    size_t agent_count;
};

/* Checks everything and makes a snapshot with one reference. All or nothing.
 *
 *   now_s   seconds since 1970: keys that have expired do not count against REGISTRY_MAX_KEYS
 *   err     ERR_INVALID names the row: too many rows or patterns, a bad name, role or key, a key
 *           twice, a third key of a principal, keys of one principal with different rights;
 *           ERR_MEMORY
 */
int registry_make(const struct registry_parts *parts, int64_t now_s, struct registry **to,
                  struct err *err);

/* Lets go of a reference and nulls it; NULL is fine. SCOPED works. Any thread. */
void registry_release(struct registry **registry);

/* The parts of a snapshot, rows sorted by key, agents by tenant and name; they live as long as the
 * reference. */
struct registry_parts registry_parts(const struct registry *registry);

int64_t registry_generation(const struct registry *registry);

/* The row of a public key whether or not it is valid now; NULL if there is none. Lives as long as
 * the reference. */
const struct registry_row *registry_find_key(const struct registry *registry, const char *key);

/* The row behind the User-Id of a message, if it may still speak now; otherwise NULL and the
 * message is refused. To be asked for each message: a session outlives the removal of its key. */
const struct registry_row *registry_find_user(const struct registry *registry, const char *user_id,
                                              int64_t now_s);

/* True between not_before_s and not_after_s (the latter excluded). */
bool registry_row_is_valid(const struct registry_row *row, int64_t now_s);

/* True when the row has ROLE_AGENT and one of its patterns matches. */
bool registry_row_acts_for(const struct registry_row *row, const char *agent);

/* True for the row of the named service. */
bool registry_row_is_service(const struct registry_row *row, const char *service);

/* NULL when it is not approved. Lives as long as the reference. */
const struct registry_agent *registry_find_agent(const struct registry *registry,
                                                 const char *tenant, const char *name);

bool registry_agent_is_approved(const struct registry *registry, const char *tenant,
                                const char *name);

/* Changes make a new snapshot of the next generation; the old one stays as it is. now_s and errors
 * as registry_make. Adding what is there replaces it, removing what is not there is fine, and both
 * make a new generation. */
int registry_with_row(const struct registry *old, const struct registry_row *row, int64_t now_s,
                      struct registry **to, struct err *err);
int registry_without_principal(const struct registry *old, const char *tenant,
                               const char *principal, int64_t now_s, struct registry **to,
                               struct err *err);
int registry_with_agent(const struct registry *old, const struct registry_agent *agent,
                        int64_t now_s, struct registry **to, struct err *err);
int registry_without_agent(const struct registry *old, const struct registry_agent *agent,
                           int64_t now_s, struct registry **to, struct err *err);

/* A role's name without its service part ("agent" … "service"); NULL for anything but one bit. */
const char *registry_role_name(enum role role);

/* Reads "agent", "operator", "admin", "observer" or "service:<name>" into a row. ERR_INVALID. */
int registry_row_add_role(struct registry_row *row, const char *text, struct err *err);

/* Where the current registry is found. */
struct registry_slot;

/* A slot that takes over the caller's reference. ERR_MEMORY. */
int registry_slot_new(struct registry *first, struct registry_slot **to, struct err *err);

/* Frees the slot and lets go of what is in it; no thread may still use it. */
void registry_slot_free(struct registry_slot **slot);

/* A reference of the caller's own to the current registry. Any thread. */
struct registry *registry_hold(struct registry_slot *slot);

/* Makes `next` current, taking over the caller's reference. Any thread. */
void registry_swap(struct registry_slot *slot, struct registry *next);
