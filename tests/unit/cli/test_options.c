/* Command lines: what is taken, what is refused and with which words. */
#include "cli/options.h"

#include "base/scope.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

/* A command line like those of exec and list. */
struct line {
    const char *agent, *format;
    bool force, quiet;
    struct texts env;
    struct option rows[6], common[2];
    struct args args;
    struct err err;
    char *words[16];
    char text[16][64];
};

static int parse_until(struct line *l, bool stop, const char *words)
{
    const struct option rows[] = {
        {"agent", 0, "NAME", option_text, &l->agent, "Whose."},
        {"force", 'f', NULL, option_flag, &l->force, "Do not ask."},
        {"quiet", 'q', NULL, option_flag, &l->quiet, "Say less."},
        {"env", 'e', "K=V", option_list, &l->env, "For the command."},
        {.name = "timeout", .doc = "did you mean --exec-timeout?"},
        {0},
    };
    const struct option common[] = {{"output", 'o', "FORMAT", option_text, &l->format, "How."},
                                    {0}};
    char all[256];
    int count = 0;
    strcpy(all, words);
    for (char *word = strtok(all, " "); word; word = strtok(NULL, " ")) {
        strcpy(l->text[count], word);
        l->words[count] = l->text[count];
        count++;
    }
    memcpy(l->rows, rows, sizeof rows);
    memcpy(l->common, common, sizeof common);
    return options_parse(l->rows, l->common, stop, count, l->words, &l->args, &l->err);
}

static int parse(struct line *l, const char *words)
{
    return parse_until(l, false, words);
}

static void takes_every_form_of_a_value(void **state)
{
    (void)state;
    const char *const forms[] = {"--agent bot -o json", "--agent=bot -ojson",
                                 "-o json --agent bot"};
    for (size_t i = 0; i < COUNT(forms); i++) {
        struct line l = {0};
        assert_int_equal(parse(&l, forms[i]), 0);
        assert_string_equal(l.agent, "bot");
        assert_string_equal(l.format, "json");
        assert_int_equal(l.args.count, 0);
    }
}

static void takes_joined_flags_and_repeated_values(void **state)
{
    (void)state;
    struct line l = {0};
    assert_int_equal(parse(&l, "-qf -e A=1 --env=B= -eC=3"), 0);
    assert_true(l.quiet && l.force);
    assert_int_equal(l.env.count, 3);
    assert_string_equal(l.env.items[1], "B=");
    assert_string_equal(l.env.items[2], "C=3");
}

static void keeps_arguments_among_options(void **state)
{
    (void)state;
    struct line l = {0};
    assert_int_equal(parse(&l, "sb_1 --force - -- ls --agent -q"), 0);
    assert_true(l.force && l.args.ended);
    assert_null(l.agent);
    assert_false(l.quiet);
    assert_int_equal(l.args.before, 2);
    assert_int_equal(l.args.count, 5);
    assert_string_equal(l.args.items[0], "sb_1");
    assert_string_equal(l.args.items[1], "-");
    assert_string_equal(l.args.items[3], "--agent");
}

static void stops_at_the_first_argument_when_told(void **state)
{
    (void)state;
    struct line l = {0};
    assert_int_equal(parse_until(&l, true, "-o json list --unheard --agent x"), 0);
    assert_string_equal(l.format, "json");
    assert_int_equal(l.args.count, 4);
    assert_string_equal(l.args.items[0], "list");
    assert_null(l.agent);
}

static void ends_at_help(void **state)
{
    (void)state;
    const char *const lines[] = {"--help --nonsense", "-h --nonsense", "-qh", "x --help"};
    for (size_t i = 0; i < COUNT(lines); i++) {
        struct line l = {0};
        assert_int_equal(parse(&l, lines[i]), 0);
        assert_true(l.args.help);
    }
}

static void refuses_with_words_that_help(void **state)
{
    (void)state;
    static const struct {
        const char *line, *says;
    } rows[] = {
        {"--agnet x", "did you mean --agent?"},
        {"--ag x", "unknown option --ag"},
        {"--forse", "did you mean --force?"},
        {"--outptu json", "did you mean --output?"},
        {"--hlep", "did you mean --help?"},
        {"--completely-else", "unknown option --completely-else; see --help"},
        {"-z", "unknown option -z"},
        {"--agent", "--agent needs a value: --agent NAME"},
        {"-e", "--env needs a value"},
        {"--force=yes", "--force takes no value"},
        {"--timeout 5s", "no option --timeout here: did you mean --exec-timeout?"},
        {"--=x", "unknown option --"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct line l = {0};
        assert_int_equal(parse(&l, rows[i].line), -1);
        assert_int_equal(l.err.code, ERR_INVALID);
        if (!strstr(l.err.text, rows[i].says))
            fail_msg("%s: says \"%s\", not \"%s\"", rows[i].line, l.err.text, rows[i].says);
    }
}

static void refuses_more_values_than_it_can_keep(void **state)
{
    (void)state;
    struct err err;
    struct texts texts = {0};
    for (size_t i = 0; i < TEXTS_MAX; i++)
        assert_int_equal(option_list("a", &texts, &err), 0);
    assert_int_equal(option_list("a", &texts, &err), -1);
    assert_int_equal(texts.count, TEXTS_MAX);
}

static const char *word_at(const void *context, size_t at)
{
    (void)context;
    static const char *const words[] = {"up", "down", "status", "list", "inspect", NULL};
    return words[at];
}

static void finds_the_nearest_word_and_no_far_one(void **state)
{
    (void)state;
    assert_string_equal(options_nearest("lsit", word_at, NULL), "list");
    assert_string_equal(options_nearest("statsu", word_at, NULL), "status");
    assert_string_equal(options_nearest("insp", word_at, NULL), "inspect");
    assert_null(options_nearest("x", word_at, NULL));
    assert_null(options_nearest("approve", word_at, NULL));
    assert_null(options_nearest("a-word-that-is-longer-than-any-option-ever-was", word_at, NULL));
}

static void prints_help_from_the_same_rows(void **state)
{
    (void)state;
    struct line l = {0};
    SCOPED(bytes_close) struct bytes text = bytes_open(4096);
    assert_int_equal(parse(&l, ""), 0);
    assert_int_equal(options_help(l.rows, &text, &l.err), 0);
    const char *help = (const char *)text.data;
    assert_non_null(strstr(help, "  -f, --force                 Do not ask.\n"));
    assert_non_null(strstr(help, "      --agent NAME            Whose.\n"));
    assert_null(strstr(help, "timeout")); /* a refused word is no option */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_every_form_of_a_value),
        cmocka_unit_test(takes_joined_flags_and_repeated_values),
        cmocka_unit_test(keeps_arguments_among_options),
        cmocka_unit_test(stops_at_the_first_argument_when_told),
        cmocka_unit_test(ends_at_help),
        cmocka_unit_test(refuses_with_words_that_help),
        cmocka_unit_test(refuses_more_values_than_it_can_keep),
        cmocka_unit_test(finds_the_nearest_word_and_no_far_one),
        cmocka_unit_test(prints_help_from_the_same_rows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
