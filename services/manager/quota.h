/* quota.h - what one agent may use at once: sandboxes, their memory and CPU together.
 *
 * The bounds are the agent's own, as its approval set them, or those of the configuration.
 * Sandboxes that start or end count as long as they are in the table. Loop thread only, so a check
 * and the sandbox_new behind it are one step.
 */
#pragma once

#include "manager/sandbox.h"

/* Whether an agent may have one more sandbox with these limits.
 *
 *   registry   the current one; an agent that it lacks has the configured bounds
 *   err        ERR_QUOTA has the bound, the use, and what would help
 */
int quota_check(const struct manager *m, const struct registry *registry, const char *tenant,
                const char *agent, const struct limits *limits, struct err *err);
