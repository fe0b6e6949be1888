/* fuzz_facts.c - any bytes as a shell text, without the rules, which cost most of the time of
 * fuzz_shell: lexer, parser and walk end, and their work is bounded by the length of the text.
 */
#include "engine/shell/facts.h"
#include "engine/shell/lexer.h"

#include <assert.h>

/* A text may cost a bounded sum, whatever its length (a loop that is walked again for each value),
 * and so many steps for each byte. */
enum { STEPS_OF_ANY_TEXT = 4 * 1024 * 1024, STEPS_OF_A_BYTE = 128 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void check_record(const struct facts *f, const struct command_fact *c)
{
    assert(c->argv.count || !c->name || !*c->name);
    for (size_t i = 0; i < c->argv.count; i++)
        assert(c->argv.items[i].text);
    for (const struct source_fact *s = c->sources; s; s = s->next)
        assert(s->from && s->from->index < f->count);
    assert(c->depth <= SHELL_MAX_DEPTH + FACTS_MAX_PEELED);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static const struct facts_setting setting = {"/workspace", "/home/agent"};
    static struct facts f;
    if (len > SHELL_MAX_BYTES)
        return 0;
    facts_read_shell(&f, &setting, (struct view){data, len});
    assert(f.count <= FACTS_MAX_COMMANDS);
    assert(f.arena.taken_bytes <= ARENA_MAX_BYTES);
    assert(f.arena.steps <= STEPS_OF_ANY_TEXT + STEPS_OF_A_BYTE * len);
    for (const struct command_fact *c = f.first; c; c = c->next)
        check_record(&f, c);
    return 0;
}
