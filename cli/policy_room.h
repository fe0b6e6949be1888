/* policy_room.h - judging for the `corral policy` commands: apart from their options, because a
 * shell's arguments and a command line's have the same name.
 */
#pragma once

#include "engine/policy/context.h"
#include "engine/policy/judgement.h"
#include "engine/policy/ruleset.h"

struct facts;
struct policy_room;

/* Room to judge in; NULL when there is no memory. Freed with policy_room_free. */
struct policy_room *policy_room_new(void);

/* Frees and nulls; fine on NULL. */
void policy_room_free(struct policy_room **room);

/* Judges a shell text. */
void policy_room_text(struct policy_room *room, struct policy_context *context,
                      const struct ruleset *set, struct view text, struct judgement *out);

/* Judges an argument vector that is run without a shell. */
void policy_room_argv(struct policy_room *room, struct policy_context *context,
                      const struct ruleset *set, const struct view *argv, size_t argc,
                      struct judgement *out);

/* What was seen in the last text or argument vector, until the next one. */
struct facts *policy_room_facts(struct policy_room *room);
