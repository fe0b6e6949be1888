/* workspaces.h - sandboxes' own rules, read: layers on the rules that their agents are judged by.
 *
 * A sandbox's rules come with each question about it; what was read is kept for the next one, the
 * last WORKSPACES_KEPT of them. Everything is dropped when other rules take force. Loop thread
 * only.
 */
#pragma once

#include "engine/policy/ruleset.h"

enum { WORKSPACES_KEPT = 64 };

/* Zeroed: none. */
struct workspaces {
    struct workspace {
        const struct ruleset *base;
        uint8_t hash[32]; /* of the text */
        struct ruleset *set;
        uint64_t used; /* when, counted in questions */
    } kept[WORKSPACES_KEPT];
    uint64_t questions;
};

/* The layer that a text makes on `base`; lives until the next call. ERR_CONFIG
 * "sandbox rules:line:column: what"; ERR_MEMORY. */
int workspaces_find(struct workspaces *w, const struct ruleset *base, struct view text,
                    const struct ruleset **out, struct err *err);

/* Drops all; before their bases go. */
void workspaces_close(struct workspaces *w);
