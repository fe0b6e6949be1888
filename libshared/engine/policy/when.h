/* when.h - does a rule's context hold, or an override's? */
#pragma once

#include "engine/policy/rule.h"

/* True when all that is asked for holds. */
bool when_holds(const struct rule_when *when, const struct policy_context *context);

/* True when an override holds now and for this asker; its `only` is not looked at. */
bool override_holds(const struct rule_override *override, const struct policy_context *context);

/* True when both name the same in the same order. */
bool when_same_globs(const struct rule_globs *a, const struct rule_globs *b);
