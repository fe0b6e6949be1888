/* hits.h - which rule holds for which command of a text, for people who want to see why. A judge
 * (judge.h) keeps only what decides.
 */
#pragma once

#include "engine/policy/context.h"
#include "engine/policy/ruleset.h"
#include "engine/shell/facts.h"

enum { HITS_MAX = 32 };

/* A rule that holds. */
struct policy_hit {
    const struct rule *rule;
    bool is_of_text;   /* it asks why the text was not understood, so it holds for all of it */
    char message[160]; /* to the agent, with what it names filled in; "" none */
};

/* Fills `out` with the rules that hold for one record of the facts, those that stop it first, the
 * worst in front; also shadow rules and those that an override softens. A layer's rules follow its
 * base's. Returns how many, HITS_MAX at most. */
size_t policy_hits(struct facts *f, const struct command_fact *c,
                   const struct policy_context *context, const struct ruleset *set,
                   struct policy_hit out[HITS_MAX]);
