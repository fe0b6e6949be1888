/* change.h - approving and revoking an agent, as changes of the registry. Plain functions on
 * snapshots: nothing here writes.
 *
 * An approved agent has an entry among the registry's agents and a principal of its own name: role
 * agent, one pattern, which is exactly that name, and one key or, while it is being replaced, two.
 * Rows of that form are the agent's own; no other row is ever touched.
 */
#pragma once

#include "net/registry.h"

struct change {
    bool is_approval; /* otherwise a revocation */
    char tenant[NAME_BYTES];
    char agent[NAME_BYTES];
    char public_key[KEY_TEXT_BYTES]; /* of an approval; "": only settings change */
    bool has_settings;               /* otherwise they stay as they are */
    struct agent_settings settings;
};

/* Says whether the change can be made.
 *
 *   err   ERR_INVALID a name or the key; ERR_STATE the key or the name belongs to somebody else, or
 *         the agent has two other keys; ERR_NOT_FOUND nothing to revoke
 */
int change_check(const struct change *c, const struct registry *registry, int64_t now_s,
                 struct err *err);

/* True when the registry is already as the change wants it. */
bool change_holds(const struct change *c, const struct registry *registry);

/* Makes a snapshot of a later generation with the change; the caller gets the reference. Errors as
 * change_check and registry_make. */
int change_apply(const struct change *c, const struct registry *old, int64_t now_s,
                 struct registry **to, struct err *err);
