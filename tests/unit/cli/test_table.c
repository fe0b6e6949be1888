/* Tables: alignment, widths, cuts, and what strangers write into cells. */
#include "cli/table.h"

#include "base/scope.h"

#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static const struct column columns[] = {
    {.name = "NAME"}, {.name = "SIZE", .right = true}, {.name = "WHAT", .shrinks = true}};

/* A table of one row, printed. */
static struct bytes print(const struct screen *screen, const char *name, const char *size,
                          const char *what)
{
    struct err err;
    SCOPED(table_close) struct table table = table_open(columns, COUNT(columns));
    struct bytes text = bytes_open(65536);
    assert_int_equal(table_cell(&table, PLAIN, &err, "%s", name), 0);
    assert_int_equal(table_cell(&table, PLAIN, &err, "%s", size), 0);
    assert_int_equal(table_cell(&table, RED, &err, "%s", what), 0);
    assert_int_equal(table_print(&table, screen, &text, &err), 0);
    return text;
}

static void check(const struct screen *screen, const char *name, const char *size, const char *what,
                  const char *expected)
{
    SCOPED(bytes_close) struct bytes text = print(screen, name, size, what);
    assert_string_equal((const char *)text.data, expected);
}

static void aligns_columns_without_trailing_blanks(void **state)
{
    (void)state;
    struct screen screen = {0};
    check(&screen, "a-long-name", "7", "x", "NAME         SIZE  WHAT\na-long-name     7  x\n");
    check(&screen, "a", "123456", "", "NAME    SIZE  WHAT\na     123456  \n");
}

static void counts_columns_not_bytes(void **state)
{
    (void)state;
    struct screen screen = {0};
    check(&screen, "größer", "7", "x", "NAME    SIZE  WHAT\ngrößer     7  x\n");
    assert_int_equal(screen_width_of("日本"), 4);
    assert_int_equal(screen_width_of("e\xCC\x81"), 1); /* a combining accent */
}

static void cuts_what_may_shrink(void **state)
{
    (void)state;
    struct screen screen = {.width = 26};
    check(&screen, "name", "7", "a text that is too long",
          "NAME  SIZE  WHAT\nname     7  a text that i…\n");
    screen.width = 5; /* too narrow for anything: never below eight columns */
    check(&screen, "name", "7", "a text that is too long",
          "NAME  SIZE  WHAT\nname     7  a text …\n");
}

static void escapes_what_strangers_wrote(void **state)
{
    (void)state;
    struct screen screen = {0};
    SCOPED(bytes_close)
    struct bytes text = print(&screen, "\033[2J", "\xE2\x80\xAE", "two\nlines\r");
    const char *shown = (const char *)text.data;
    assert_null(strchr(shown, '\033'));
    assert_null(strstr(shown, "\xE2\x80\xAE"));
    assert_null(strchr(shown, '\r'));
    assert_non_null(strstr(shown, "\\x1b[2J"));
    assert_non_null(strstr(shown, "two\\nlines\\x0d"));
    assert_ptr_equal(strrchr(shown, '\n') + 1, shown + text.len);
}

static void colours_only_where_there_are_colours(void **state)
{
    (void)state;
    struct screen screen = {.colour = true};
    check(&screen, "a", "1", "x",
          "\033[1mNAME\033[0m  \033[1mSIZE\033[0m  \033[1mWHAT\033[0m\n"
          "a        1  \033[31mx\033[0m\n");
}

static void prints_only_the_header_of_an_empty_table(void **state)
{
    (void)state;
    struct err err;
    struct screen screen = {0};
    SCOPED(table_close) struct table table = table_open(columns, COUNT(columns));
    SCOPED(bytes_close) struct bytes text = bytes_open(65536);
    assert_int_equal(table_print(&table, &screen, &text, &err), 0);
    assert_string_equal((const char *)text.data, "NAME  SIZE  WHAT\n");
}

static void refuses_to_grow_without_end(void **state)
{
    (void)state;
    struct err err = {0};
    char big[65536];
    memset(big, 'x', sizeof big - 1);
    big[sizeof big - 1] = 0;
    SCOPED(table_close) struct table table = table_open(columns, COUNT(columns));
    int failed = 0;
    for (size_t i = 0; !failed && i <= TABLE_MAX_BYTES / sizeof big; i++)
        failed = table_cell(&table, PLAIN, &err, "%s", big);
    assert_int_equal(failed, -1);
    assert_int_equal(err.code, ERR_OVERLOADED);
}

int main(void)
{
    setlocale(LC_CTYPE, "C.UTF-8");
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(aligns_columns_without_trailing_blanks),
        cmocka_unit_test(counts_columns_not_bytes),
        cmocka_unit_test(cuts_what_may_shrink),
        cmocka_unit_test(escapes_what_strangers_wrote),
        cmocka_unit_test(colours_only_where_there_are_colours),
        cmocka_unit_test(prints_only_the_header_of_an_empty_table),
        cmocka_unit_test(refuses_to_grow_without_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
