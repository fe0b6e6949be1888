/* policy_room.c - see policy_room.h. */
#include "cli/policy_room.h"

#include "base/mem.h"
#include "engine/policy/judge.h"

#include <stdlib.h>

struct policy_room {
    struct facts facts;
};

struct policy_room *policy_room_new(void)
{
    return mem_new(1, sizeof(struct policy_room));
}

void policy_room_free(struct policy_room **room)
{
    if (*room)
        facts_close(&(*room)->facts);
    free(*room);
    *room = NULL;
}

void policy_room_text(struct policy_room *room, struct policy_context *context,
                      const struct ruleset *set, struct view text, struct judgement *out)
{
    const struct facts_setting setting = {context->cwd, context->home};
    context->text = text;
    facts_read_shell(&room->facts, &setting, text);
    policy_judge(&room->facts, context, set, out);
}

void policy_room_argv(struct policy_room *room, struct policy_context *context,
                      const struct ruleset *set, const struct view *argv, size_t argc,
                      struct judgement *out)
{
    const struct facts_setting setting = {context->cwd, context->home};
    context->text = (struct view){0};
    facts_read_argv(&room->facts, &setting, argv, argc);
    policy_judge(&room->facts, context, set, out);
}

struct facts *policy_room_facts(struct policy_room *room)
{
    return &room->facts;
}
