/* The walk against bash itself: executed.jsonl holds random commands and what bash 5.2 ran for
 * each, as programs logged it that stood in for all names; flowed.jsonl holds random scripts whose
 * variables, loops, branches and functions decide what runs. Whatever bash ran must be a record. */
#include "base/scope.h"
#include "base/text.h"
#include "engine/shell/facts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

enum { LINE_MAX_BYTES = 16384 };

/* Appends an argument and its end. */
static void put(char *to, size_t size, const char *text)
{
    size_t len = strlen(to), n = strlen(text);
    assert_true(n + 2 <= size - len);
    memcpy(to + len, text, n);
    memcpy(to + len + n, "\x1f", 2);
}

/* The record as a pattern: a hole is any text, also none and also several arguments. */
static bool is_record(const struct command_fact *c, const char *ran)
{
    char pattern[LINE_MAX_BYTES] = "";
    for (size_t i = 0; i < c->argv.count; i++) {
        const struct arg *a = &c->argv.items[i];
        if (a->kind == ARG_DYNAMIC && a->splits) /* or no argument at all */
            strcat(pattern, (const char[]){HOLE, 0});
        else
            put(pattern, sizeof pattern, i ? a->text : c->name);
    }
    for (char *hole = pattern; (hole = strchr(hole, HOLE)); hole++)
        *hole = '*';
    return text_matches(pattern, ran);
}

static bool is_among(const struct facts *f, const json_t *argv)
{
    char ran[LINE_MAX_BYTES] = "";
    size_t i;
    json_t *arg;
    json_array_foreach(argv, i, arg) put(ran, sizeof ran, json_string_value(arg));
    for (const struct command_fact *c = f->first; c; c = c->next)
        if (c->argv.count && c->name && is_record(c, ran))
            return true;
    print_error("not recorded: %s\n", ran);
    return false;
}

/* Row: the text, then one array for each program that ran. */
static size_t check(const json_t *row)
{
    static const struct facts_setting setting = {.cwd = "/workspace", .home = "/home/agent"};
    SCOPED(facts_close) struct facts f = {0};
    const char *text = json_string_value(json_array_get(row, 0));
    facts_read_shell(&f, &setting, view_of(text));
    assert_int_equal(f.trouble.kinds, 0);
    for (size_t i = 1; i < json_array_size(row); i++) {
        bool found = is_among(&f, json_array_get(row, i));
        if (!found)
            print_error("in: %s\n", text);
        assert_true(found);
    }
    return json_array_size(row) - 1;
}

/* Checks each row; gives how many programs ran. */
static size_t check_file(const char *path)
{
    char line[LINE_MAX_BYTES];
    size_t ran = 0;
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    while (fgets(line, sizeof line, f)) {
        json_t *row = json_loads(line, 0, NULL);
        assert_non_null(row);
        ran += check(row);
        json_decref(row);
    }
    fclose(f);
    return ran;
}

static void records_whatever_bash_ran(void **state)
{
    (void)state;
    assert_true(check_file(SOURCE_DIR "/tests/unit/engine/shell/executed.jsonl") > 500);
}

static void follows_values_wherever_bash_did(void **state)
{
    (void)state;
    assert_true(check_file(SOURCE_DIR "/tests/unit/engine/shell/flowed.jsonl") > 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_whatever_bash_ran),
        cmocka_unit_test(follows_values_wherever_bash_did),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
