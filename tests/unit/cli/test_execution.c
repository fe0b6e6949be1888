/* What runs, and how it ended: arguments, exit codes, output. */
#include "cli/execute.h"

#include "base/scope.h"
#include "base/text.h"
#include "cli/output.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static int take(int before, int count, const char *command, int own, struct err *err)
{
    static char *words[] = {"one", "two", "three"};
    struct args args = {.items = words, .before = before, .count = count};
    struct execution execution = {.command = command};
    return execution_take(&execution, &args, own, err);
}

static void takes_argv_or_a_shell_string_never_both(void **state)
{
    (void)state;
    struct err err;
    assert_int_equal(take(1, 3, NULL, 1, &err), 0);
    assert_int_equal(take(0, 2, NULL, 0, &err), 0);
    assert_int_equal(take(1, 1, "ls", 1, &err), 0);
    assert_int_equal(take(1, 3, "ls", 1, &err), -1);
    assert_int_equal(take(1, 1, NULL, 1, &err), -1);
    assert_int_equal(take(0, 2, NULL, 1, &err), -1);
    assert_int_equal(take(2, 3, NULL, 1, &err), -1);
    assert_non_null(strstr(err.text, "write -- before"));
    assert_int_equal(err.code, ERR_INVALID);
}

static void every_cause_has_its_exit_code(void **state)
{
    (void)state;
    static const struct {
        const char *cause;
        int64_t code, signal;
        int expected;
    } rows[] = {
        {"exited", 0, 0, 0},      {"exited", 77, 0, 77},         {"signal", 0, 9, 137},
        {"signal", 0, 15, 143},   {"timeout", 0, 0, 124},        {"timeout", 0, 9, 124},
        {"oom", 0, 9, 137},       {"killswitch", 0, 0, 137},     {"revoked", 0, 0, 137},
        {"cancelled", 0, 0, 130}, {"sandbox_gone", 0, 0, 137},   {"not_found", 0, 0, 127},
        {"lost", 0, 0, 125},      {"not_executable", 0, 0, 126},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct exec_result result = {.exit_code = rows[i].code, .signal = rows[i].signal};
        text_copy(result.cause, sizeof result.cause, rows[i].cause);
        assert_int_equal(execution_exit_code(&result), rows[i].expected);
        assert_int_equal(!*execution_cause(&result), !strcmp(rows[i].cause, "exited"));
    }
}

static void feed(struct output *output, const char *stream, int64_t offset, const char *data)
{
    struct err err;
    struct exec_chunk chunk = {.offset = offset, .data = view_of(data)};
    text_copy(chunk.stream, sizeof chunk.stream, stream);
    assert_int_equal(output_take(output, &chunk, &err), 0);
}

static void keeps_each_byte_once(void **state)
{
    (void)state;
    SCOPED(output_close) struct output output = output_open(true);
    struct exec_result result = {0};
    feed(&output, "stdout", 0, "hello ");
    feed(&output, "stderr", 0, "oh");
    feed(&output, "stdout", 0, "hello ");   /* the same again */
    feed(&output, "stdout", 3, "lo world"); /* begins with what is known */
    feed(&output, "stdout", 20, "!");       /* bytes between were dropped by the sandbox */
    output_fill(&output, &result);
    assert_true(view_equal(result.stdout, view_of("hello world!")));
    assert_true(view_equal(result.stderr, view_of("oh")));
    assert_int_equal(result.dropped_bytes, 0);
}

static void keeps_the_newest_bytes_and_counts_the_others(void **state)
{
    (void)state;
    SCOPED(output_close) struct output output = output_open(true);
    struct exec_result result = {.dropped_bytes = 5};
    char block[4097];
    memset(block, 'x', sizeof block - 1);
    block[sizeof block - 1] = 0;
    for (int64_t i = 0; i < 20; i++)
        feed(&output, "stdout", i * 4096, block);
    feed(&output, "stdout", 20 * 4096, "the end");
    output_fill(&output, &result);
    assert_int_equal(result.stdout.len, OUTPUT_KEPT_BYTES);
    assert_memory_equal(result.stdout.data + OUTPUT_KEPT_BYTES - 7, "the end", 7);
    assert_int_equal(result.dropped_bytes, 5 + 20 * 4096 + 7 - OUTPUT_KEPT_BYTES);
}

static void refuses_an_impossible_offset(void **state)
{
    (void)state;
    struct err err;
    SCOPED(output_close) struct output output = output_open(true);
    struct exec_chunk chunk = {.offset = INT64_MAX, .data = view_of("x")};
    assert_int_equal(output_take(&output, &chunk, &err), -1);
    assert_int_equal(err.code, ERR_PEER);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_argv_or_a_shell_string_never_both),
        cmocka_unit_test(every_cause_has_its_exit_code),
        cmocka_unit_test(keeps_each_byte_once),
        cmocka_unit_test(keeps_the_newest_bytes_and_counts_the_others),
        cmocka_unit_test(refuses_an_impossible_offset),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
