/* match.h - does a rule hold for a record? */
#pragma once

#include "engine/policy/ruleset_own.h"
#include "engine/policy/subject.h"

/* True when every key of the match holds for the subject's record. */
bool match_holds(const struct rule_match *m, struct subject *s);

/* True when one of the rule's matches does, and the rule is about the subject's operation. */
bool rule_holds(const struct rule *rule, struct subject *s);

/* True when a match is about the whole text, not about one command of it: it asks why that could
 * not be understood. */
bool match_asks_text(const struct rule_match *m);

/* Calls `found` for each match of the set that holds for the record; the index tells which ones
 * may. s->match is then that match. */
void rules_try(const struct ruleset *set, struct subject *s,
               void (*found)(void *context, const struct rule *rule), void *context);
