/* Any bytes as a command: the parser, the walk and the judge end, within their bounds, and allow
 * nothing that was not understood. */
#include "engine/policy/judge.h"
#include "engine/shell/lexer.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static const struct policy_context context = {
        .cwd = "/workspace", .home = "/home/agent", .workspace = "/workspace"};
    static struct facts f;
    static struct ruleset *rules;
    struct err err;
    struct judgement j;
    if (!rules)
        assert(!ruleset_load(&(struct ruleset_options){0}, &rules, &err));
    if (len > SHELL_MAX_BYTES)
        return 0;
    facts_read_shell(&f, &(struct facts_setting){context.cwd, context.home},
                     (struct view){data, len});
    assert(f.count <= FACTS_MAX_COMMANDS);
    assert(f.arena.taken_bytes <= ARENA_MAX_BYTES);
    assert(f.arena.steps <= 128 * SHELL_MAX_BYTES);
    policy_judge(&f, &context, rules, &j);
    assert(!f.trouble.kinds || (j.unanalysable && j.decision != DECISION_ALLOW));
    struct view argv[2] = {{data, len / 2}, {data + len / 2, len - len / 2}};
    facts_read_argv(&f, &(struct facts_setting){context.cwd, context.home}, argv, 2);
    policy_judge(&f, &context, rules, &j);
    assert(!f.trouble.kinds || j.decision != DECISION_ALLOW);
    return 0;
}
