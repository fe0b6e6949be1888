/* TOML as a list of entries: every way of writing a key, positions, refusals, bounds. */
#include "base/scope.h"
#include "data/toml.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct toml_file *parsed(const char *text)
{
    struct toml_file *file = NULL;
    struct err err;
    if (toml_parse(view_of(text), "test.toml", &file, &err))
        fail_msg("%s", err.text);
    return file;
}

static const struct toml_entry *assert_entry(const struct toml_file *file, size_t i,
                                             const char *table, const char *key,
                                             enum toml_type type)
{
    assert_true(i < toml_count(file));
    const struct toml_entry *e = toml_at(file, i);
    assert_string_equal(e->table, table);
    assert_string_equal(e->key, key);
    assert_int_equal(e->type, type);
    return e;
}

static void assert_refused(struct view text, const char *where_and_what)
{
    struct err err = {0};
    struct toml_file *untouched = NULL;
    assert_int_equal(toml_parse(text, "test.toml", &untouched, &err), -1);
    assert_null(untouched);
    assert_int_equal(err.code, ERR_CONFIG);
    if (strncmp(err.text, where_and_what, strlen(where_and_what)))
        fail_msg("\"%s\", expected \"%s…\"", err.text, where_and_what);
}

static void gives_every_type_with_its_value(void **state)
{
    (void)state;
    SCOPED(toml_free)
    struct toml_file *file = parsed("text = 'a\\b'\nint = -32_767\nreal = 1.5\nyes = true\n"
                                    "texts = ['a', \"\\u00fc\"]\nnone = []\n");
    assert_int_equal(toml_count(file), 6);
    assert_string_equal(assert_entry(file, 0, "", "text", TOML_TEXT)->text, "a\\b");
    assert_true(assert_entry(file, 1, "", "int", TOML_INT)->integer == -32767);
    assert_true(assert_entry(file, 2, "", "real", TOML_REAL)->real == 1.5);
    assert_true(assert_entry(file, 3, "", "yes", TOML_BOOL)->boolean);
    const struct toml_entry *texts = assert_entry(file, 4, "", "texts", TOML_TEXTS);
    assert_int_equal(texts->texts.count, 2);
    assert_string_equal(texts->texts.items[0], "a");
    assert_string_equal(texts->texts.items[1], "\xc3\xbc");
    assert_int_equal(assert_entry(file, 5, "", "none", TOML_TEXTS)->texts.count, 0);
}

static void gives_integers_up_to_both_ends(void **state)
{
    (void)state;
    SCOPED(toml_free)
    struct toml_file *file =
        parsed("a = 9223372036854775807\nb = -9223372036854775808\nc = 0o17\nd = 1_000\n");
    assert_true(assert_entry(file, 0, "", "a", TOML_INT)->integer == INT64_MAX);
    assert_true(assert_entry(file, 1, "", "b", TOML_INT)->integer == INT64_MIN);
    assert_true(assert_entry(file, 2, "", "c", TOML_INT)->integer == 15);
    assert_true(assert_entry(file, 3, "", "d", TOML_INT)->integer == 1000);
    assert_refused(view_of("a = 9223372036854775808\n"), "test.toml:1:");
}

static void tells_what_it_has_no_value_for(void **state)
{
    (void)state;
    SCOPED(toml_free)
    struct toml_file *file =
        parsed("a = 2026-01-31T07:00:00\nb = 12:00:00\nc = nan\nd = -inf\ne = [1, 2]\n"
               "f = ['a', 1]\ng = [['a']]\nh = [{ x = 1 }, 2]\n");
    assert_int_equal(toml_count(file), 8);
    for (size_t i = 0; i < 8; i++) {
        char key[2] = {(char)('a' + (int)i), 0};
        const struct toml_entry *e = assert_entry(file, i, "", key, TOML_OTHER);
        assert_int_equal(e->line, (int)i + 1);
    }
}

static void all_ways_to_write_a_table_end_in_one_path(void **state)
{
    (void)state;
    const char *const ways[] = {
        "[a.b]\nc = 1\n",    "a.b.c = 1\n",          "a = { b = { c = 1 } }\n",
        "[a]\nb.c = 1\n",    "[a]\nb = { c = 1 }\n", "[ 'a' . \"b\" ]\n'c' = 1\n",
        "a = { b.c = 1 }\n",
    };
    for (size_t i = 0; i < COUNT(ways); i++) {
        SCOPED(toml_free) struct toml_file *file = parsed(ways[i]);
        assert_int_equal(toml_count(file), 1);
        assert_true(assert_entry(file, 0, "a.b", "c", TOML_INT)->integer == 1);
    }
}

static void an_array_of_tables_puts_the_index_into_the_path(void **state)
{
    (void)state;
    const char *const ways[] = {
        "[[r]]\na = 1\n[r.m]\nb = 2\n[[r]]\n[[r.m]]\n[[r.m]]\nc = 3\n",
        "r = [{ a = 1, m = { b = 2 } }, { m = [{}, { c = 3 }] }]\n",
    };
    for (size_t i = 0; i < COUNT(ways); i++) {
        SCOPED(toml_free) struct toml_file *file = parsed(ways[i]);
        assert_int_equal(toml_count(file), 4);
        assert_entry(file, 0, "r[0]", "a", TOML_INT);
        assert_entry(file, 1, "r[0].m", "b", TOML_INT);
        assert_entry(file, 2, "r[1].m[0]", "", TOML_EMPTY);
        assert_entry(file, 3, "r[1].m[1]", "c", TOML_INT);
    }
    SCOPED(toml_free) struct toml_file *quoted = parsed("['r[0]']\na = 1\n[[r]]\n");
    assert_entry(quoted, 0, "\"r[0]\"", "a", TOML_INT);
    assert_int_equal(assert_entry(quoted, 1, "r[0]", "", TOML_EMPTY)->line, 3);
}

static void gives_a_date_that_exists(void **state)
{
    (void)state;
    SCOPED(toml_free) struct toml_file *file = parsed("d = 2028-02-29\n");
    const struct toml_entry *e = assert_entry(file, 0, "", "d", TOML_DATE);
    assert_int_equal(e->date.year, 2028);
    assert_int_equal(e->date.month, 2);
    assert_int_equal(e->date.day, 29);
    assert_refused(view_of("d = 2027-02-29\n"), "test.toml:1:");
    assert_refused(view_of("d = 2027-13-01\n"), "test.toml:1:");
}

static void quotes_keep_a_dot_in_a_key_apart_from_a_path(void **state)
{
    (void)state;
    SCOPED(toml_free)
    struct toml_file *file = parsed("'a.b' = 1\n['c.d'.\"e\\\"f\"]\ng = 2\n['']\nh = 3\n");
    assert_entry(file, 0, "", "a.b", TOML_INT);
    assert_entry(file, 1, "\"c.d\".\"e\\\"f\"", "g", TOML_INT);
    assert_entry(file, 2, "\"\"", "h", TOML_INT);
}

static void keeps_the_order_and_tells_line_and_column(void **state)
{
    (void)state;
    SCOPED(toml_free)
    struct toml_file *file = parsed(
        "z = 1\n# \xc3\xbc\n\n  a = 2\n[t]\nm = { y = 3, x = 4 }\nq.r = 5\n\n[t.u]\r\nk = 6\n");
    static const struct {
        const char *table, *key;
        int line, column;
    } expected[] = {
        {"", "z", 1, 1},     {"", "a", 4, 3},    {"t.m", "y", 6, 7},
        {"t.m", "x", 6, 14}, {"t.q", "r", 7, 3}, {"t.u", "k", 10, 1},
    };
    assert_int_equal(toml_count(file), COUNT(expected));
    for (size_t i = 0; i < COUNT(expected); i++) {
        const struct toml_entry *e =
            assert_entry(file, i, expected[i].table, expected[i].key, TOML_INT);
        assert_int_equal(e->line, expected[i].line);
        assert_int_equal(e->column, expected[i].column);
    }
}

static void reports_a_table_without_entries(void **state)
{
    (void)state;
    SCOPED(toml_free) struct toml_file *file = parsed("[limts]\n[a.b]\n[c]\nd = {}\n");
    assert_int_equal(toml_count(file), 3);
    assert_int_equal(assert_entry(file, 0, "limts", "", TOML_EMPTY)->line, 1);
    assert_int_equal(assert_entry(file, 1, "a.b", "", TOML_EMPTY)->line, 2);
    assert_int_equal(assert_entry(file, 2, "c.d", "", TOML_EMPTY)->line, 4);
}

static void an_empty_text_has_no_entries(void **state)
{
    (void)state;
    SCOPED(toml_free) struct toml_file *file = parsed("");
    assert_int_equal(toml_count(file), 0);
    SCOPED(toml_free) struct toml_file *comment = parsed("# nothing .......... here\n");
    assert_int_equal(toml_count(comment), 0);
}

static void refuses_bad_toml_with_its_place(void **state)
{
    (void)state;
    assert_refused(view_of("a = 1\nb = \n"), "test.toml:2:");
    assert_refused(view_of("a = 1\na = 2\n"), "test.toml:2:");
    assert_refused(view_of("[a]\n[a]\n"), "test.toml:2:");
    assert_refused(view_of("a.b = 1\n[a]\nb = 2\n"), "test.toml:2:");
    assert_refused(view_of("a = 'open\n"), "test.toml:1:");
    assert_refused(view_of("a = 1 b = 2\n"), "test.toml:1:");
    assert_refused(view_of("a = '\xff'\n"), "test.toml:1:");
    assert_refused(view_of("{\"a\": 1}"), "test.toml:1:1: ");
}

/* toml++ 3.3 asserts on these. */
static void refuses_a_bad_table_header_with_its_place(void **state)
{
    (void)state;
    assert_refused(view_of("a = 1\n\n[=]\n"), "test.toml:3:2: unexpected character");
    assert_refused(view_of("a = [\n[ [1] ]\n]\n\t[.b]\n"), "test.toml:4:3: unexpected character");
    assert_refused(view_of("[[[a]]]\n"), "test.toml:1:3: unexpected character");
    assert_refused(view_of("# \xc3\xbc\n[ \xc3\xa4pfel]\n"), "test.toml:2:3: unexpected character");
    assert_refused(view_of("[\n"), "test.toml:1:2: unexpected character");
}

static void refuses_a_nul(void **state)
{
    (void)state;
    assert_refused(view_of("\n\na = \"x\\u0000y\"\n"), "test.toml:3:5: a NUL");
    assert_refused(view_of("a = ['', \"\\u0000\"]\n"), "test.toml:1:10: a NUL");
    assert_refused(view_of("\"a\\u0000b\" = 1\n"), "test.toml:1:1: a NUL");
    assert_refused(view_of("[\"a\\u0000b\"]\n"), "test.toml:1:2: a NUL");
    assert_refused((struct view){(const uint8_t *)"a\0 = 1", 6}, "test.toml:1:2: ");
}

/* A text of `count` times `piece`, then `end`. */
static struct bytes repeated(const char *piece, size_t count, const char *end)
{
    struct err err;
    struct bytes text = bytes_open(1 << 20);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(bytes_add(&text, piece, strlen(piece), &err), 0);
    assert_int_equal(bytes_add(&text, end, strlen(end), &err), 0);
    return text;
}

static void refuses_nesting_beyond_the_bound(void **state)
{
    (void)state;
    SCOPED(bytes_close) struct bytes fits = repeated("a.", TOML_FILE_MAX_DEPTH, "a = 1\n");
    SCOPED(bytes_close) struct bytes deep = repeated("a.", TOML_FILE_MAX_DEPTH + 1, "a = 1\n");
    SCOPED(bytes_close) struct bytes deeper = repeated("a.", 100000, "a = 1\n");
    SCOPED(bytes_close) struct bytes arrays = repeated("[", 100000, "\n");
    SCOPED(bytes_close) struct bytes values = repeated("a=[{", 50000, "\n");
    SCOPED(toml_free) struct toml_file *file = parsed((const char *)fits.data);
    assert_int_equal(toml_count(file), 1);
    SCOPED(bytes_close) struct bytes lists = repeated("a.", TOML_FILE_MAX_DEPTH, "a = [{ b = 1 }]");
    assert_refused(bytes_view(&lists), "test.toml:1:38: tables nested deeper than 16");
    assert_refused(bytes_view(&deep), "test.toml:1:33: tables nested deeper than 16");
    assert_refused(bytes_view(&deeper), "test.toml:1:258: more than 128 dots in one line");
    assert_refused(bytes_view(&arrays), "test.toml:1:");
    assert_refused(bytes_view(&values), "test.toml:1:");
}

static void refuses_what_is_too_large(void **state)
{
    (void)state;
    SCOPED(bytes_close) struct bytes fits = repeated("#", TOML_FILE_MAX_BYTES - 1, "\n");
    SCOPED(bytes_close) struct bytes large = repeated("#", TOML_FILE_MAX_BYTES, "\n");
    SCOPED(toml_free) struct toml_file *file = parsed((const char *)fits.data);
    assert_int_equal(toml_count(file), 0);
    assert_refused(bytes_view(&large), "test.toml: 262145 bytes; at most 262144");
}

static void refuses_more_entries_than_the_bound(void **state)
{
    (void)state;
    struct err err;
    SCOPED(bytes_close) struct bytes text = bytes_open(TOML_FILE_MAX_BYTES);
    for (int i = 0; i < TOML_FILE_MAX_ENTRIES; i++)
        assert_int_equal(bytes_addf(&text, &err, "k%d = 1\n", i), 0);
    SCOPED(toml_free) struct toml_file *file = parsed((const char *)text.data);
    assert_int_equal(toml_count(file), TOML_FILE_MAX_ENTRIES);
    assert_int_equal(bytes_addf(&text, &err, "z = 1\n"), 0);
    assert_refused(bytes_view(&text), "test.toml:4097:1: more than 4096 entries");
}

static void frees_nothing_gladly(void **state)
{
    (void)state;
    struct toml_file *file = NULL;
    toml_free(&file);
    assert_null(file);
    file = parsed("a = 1\n");
    toml_free(&file);
    assert_null(file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gives_every_type_with_its_value),
        cmocka_unit_test(gives_integers_up_to_both_ends),
        cmocka_unit_test(tells_what_it_has_no_value_for),
        cmocka_unit_test(all_ways_to_write_a_table_end_in_one_path),
        cmocka_unit_test(an_array_of_tables_puts_the_index_into_the_path),
        cmocka_unit_test(gives_a_date_that_exists),
        cmocka_unit_test(quotes_keep_a_dot_in_a_key_apart_from_a_path),
        cmocka_unit_test(keeps_the_order_and_tells_line_and_column),
        cmocka_unit_test(reports_a_table_without_entries),
        cmocka_unit_test(an_empty_text_has_no_entries),
        cmocka_unit_test(refuses_bad_toml_with_its_place),
        cmocka_unit_test(refuses_a_bad_table_header_with_its_place),
        cmocka_unit_test(refuses_a_nul),
        cmocka_unit_test(refuses_nesting_beyond_the_bound),
        cmocka_unit_test(refuses_what_is_too_large),
        cmocka_unit_test(refuses_more_entries_than_the_bound),
        cmocka_unit_test(frees_nothing_gladly),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
