/* policy_facts.h - what was seen of a command, as a person reads it. */
#pragma once

#include "cli/policy_room.h"
#include "cli/table.h"

/* Appends what the room saw in the last text that it judged: every command, at any depth, with what
 * is known of it and the rules that hold for it. Escaped. Errors as bytes_add. */
int policy_facts_show(struct policy_room *room, const struct policy_context *context,
                      const struct ruleset *set, const struct screen *screen, struct bytes *to,
                      struct err *err);
