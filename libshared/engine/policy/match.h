/* match.h - does a rule match a record? */
#pragma once

#include "engine/policy/path.h"

/* True when every key of the match that is set holds for the command. */
bool match_rule(const struct rule_match *m, const struct policy_context *context,
                const struct command_fact *c);
