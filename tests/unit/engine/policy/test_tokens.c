/* What a text costs, from its characters to the decision by the default rules, grows with its
 * length and not with its square: tests/lib/tokens.def again and again, to a length and to twice
 * that. Counted in steps of the arena, for a machine that is busy has no say in it; the lengths are
 * such that the bound for records is not met, which would hide what grows. bench/tokens.c takes the
 * time of texts as long as may be. */
#include "engine/policy/subject.h"
#include "engine/shell/lexer.h"
#include "tests/unit/engine/policy/rules.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    HALF = 4096,
    STEPS_OF_ANY_TEXT = 1 << 18,
    BYTES_OF_ANY_TEXT = 1 << 20,
    STEPS_OF_BOUNDED = 1 << 23
};

static const char *const tokens[] = {
#define TOKEN(text) text,
#include "tests/lib/tokens.def"
#undef TOKEN
};

/* Each of these looks at what all before it did: values grow, directories and sources add up. What
 * bounds them is EXPAND_MAX_WORK, FACTS_MAX_COMMANDS and ARENA_MAX_BYTES, whatever the length. */
static const char *const bounded[] = {"a+=b ", "cd a;", "cp a b;", "ln -s a b;"};

static bool is_bounded(const char *token)
{
    for (size_t i = 0; i < COUNT(bounded); i++)
        if (!strcmp(bounded[i], token))
            return true;
    return false;
}

static struct err err;
static struct ruleset *rules;
static struct facts facts;
static char text[2 * HALF];

static int open_rules(void **state)
{
    (void)state;
    return ruleset_load(&(struct ruleset_options){0}, &rules, &err);
}

static int close_rules(void **state)
{
    (void)state;
    ruleset_free(&rules);
    facts_close(&facts);
    return 0;
}

struct cost {
    uint64_t steps, bytes;
};

static struct cost cost_of(const char *first, const char *second, size_t len)
{
    struct judgement j;
    struct policy_context context = rules_context();
    size_t at = 0, n;
    for (bool odd = false; at < len; odd = !odd, at += n) {
        const char *token = odd ? second : first;
        n = strlen(token) < len - at ? strlen(token) : len - at;
        memcpy(text + at, token, n);
    }
    context.text = (struct view){(const uint8_t *)text, len};
    facts_read_shell(&facts, &(struct facts_setting){context.cwd, context.home}, context.text);
    policy_judge(&facts, &context, rules, &j);
    return (struct cost){facts.arena.steps, facts.arena.given_bytes};
}

/* Twice the text may cost 2.2 times the work; what any text may cost counts once. */
static bool grows_with_length(const char *first, const char *second)
{
    struct cost half = cost_of(first, second, HALF), whole = cost_of(first, second, 2 * HALF);
    bool linear = whole.steps <= half.steps * 22 / 10 + STEPS_OF_ANY_TEXT &&
                  whole.bytes <= half.bytes * 22 / 10 + BYTES_OF_ANY_TEXT;
    bool fine = linear || (is_bounded(first) && whole.steps <= STEPS_OF_BOUNDED);
    if (!fine)
        print_error("\"%s%s\": %llu steps, then %llu; %llu bytes\n", first,
                    first == second ? "" : second, (unsigned long long)half.steps,
                    (unsigned long long)whole.steps, (unsigned long long)whole.bytes);
    return fine;
}

static void one_token_again_and_again(void **state)
{
    (void)state;
    bool fine = true;
    for (size_t i = 0; i < COUNT(tokens); i++)
        fine &= grows_with_length(tokens[i], tokens[i]);
    assert_true(fine);
}

/* On a line of its own each is a command, if it can be one. */
static void one_token_a_line(void **state)
{
    (void)state;
    bool fine = true;
    for (size_t i = 0; i < COUNT(tokens); i++)
        fine &= grows_with_length(tokens[i], "\n");
    assert_true(fine);
}

/* Each is a pattern that has to be held against every pattern of every rule. */
static void what_costs_too_much_is_not_understood_and_not_tried_on(void **state)
{
    (void)state;
    static char many[SHELL_MAX_BYTES];
    struct judgement j;
    size_t len = (size_t)snprintf(many, sizeof many, "rm -rf /etc\n: ");
    while (len + 8 < sizeof many)
        len += (size_t)snprintf(many + len, sizeof many - len, "<>? <>* ");
    struct policy_context context = rules_context();
    for (int with_rm = 1; with_rm >= 0; with_rm--) {
        size_t from = with_rm ? 0 : strlen("rm -rf /etc\n");
        context.text = (struct view){(const uint8_t *)many + from, len - from};
        facts_read_shell(&facts, &(struct facts_setting){context.cwd, context.home}, context.text);
        uint64_t before = facts.arena.steps;
        policy_judge(&facts, &context, rules, &j);
        assert_true(facts.arena.steps - before < 2 * SUBJECT_STEPS_MAX);
        assert_true(j.unanalysable);
        assert_int_equal(j.decision, with_rm ? DECISION_DENY : DECISION_REQUIRE_APPROVAL);
    }
}

/* A file of 20 KiB that the same text wrote, run so many times. */
static bool is_understood(int times)
{
    static char many[SHELL_MAX_BYTES];
    size_t len = (size_t)snprintf(many, sizeof many, "cat > a.py <<'E'\n");
    while (len < 20 * 1024)
        len += (size_t)snprintf(many + len, sizeof many - len, "print(%zu)\n", len);
    len += (size_t)snprintf(many + len, sizeof many - len, "E\n");
    while (times--)
        len += (size_t)snprintf(many + len, sizeof many - len, "python3 a.py\n");
    facts_read_shell(&facts, &(struct facts_setting){"/workspace", "/home/agent"},
                     (struct view){(uint8_t *)many, len});
    assert_false(facts.trouble.kinds & ~(unsigned)TROUBLE_TOO_LARGE);
    return !facts.trouble.kinds;
}

static void what_a_text_runs_of_the_code_that_it_writes_is_bounded(void **state)
{
    (void)state;
    assert_true(is_understood(2));
    assert_false(is_understood(200));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_token_again_and_again),
        cmocka_unit_test(one_token_a_line),
        cmocka_unit_test(what_costs_too_much_is_not_understood_and_not_tried_on),
        cmocka_unit_test(what_a_text_runs_of_the_code_that_it_writes_is_bounded),
    };
    return cmocka_run_group_tests(tests, open_rules, close_rules);
}
