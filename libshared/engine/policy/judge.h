/* judge.h - the decision on one command: every rule on every record, the most severe action wins.
 *
 * deny > require_approval > flag > allow; the risk is the highest of all that matched. Facts with
 * trouble (shell/trouble.h) are at least require_approval. File order of the rules means nothing.
 * Any number of threads may judge by one set, each with its own facts.
 */
#pragma once

#include "engine/policy/context.h"
#include "engine/policy/judgement.h"
#include "engine/policy/ruleset.h"
#include "engine/shell/facts.h"

/* Judges what facts.h found, with the facts' own memory. */
void policy_judge(struct facts *f, const struct policy_context *context, const struct ruleset *set,
                  struct judgement *out);
