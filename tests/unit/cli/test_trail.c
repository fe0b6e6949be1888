/* Log lines of a service: kept, written, rotated, made safe. */
#include "cli/trail.h"

#include "base/file.h"
#include "base/scope.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

struct folder {
    char path[64];
    struct trail trail;
};

static int enter(void **state)
{
    struct folder *folder = calloc(1, sizeof *folder);
    struct err err;
    strcpy(folder->path, "/tmp/corral-test-XXXXXX");
    *state = folder;
    return !mkdtemp(folder->path) || trail_open(&folder->trail, "audit", folder->path, &err);
}

static int leave(void **state)
{
    struct folder *folder = *state;
    struct err err;
    trail_close(&folder->trail);
    int failed = dir_remove(AT_FDCWD, folder->path, &err);
    free(folder);
    return failed;
}

static void feed(struct folder *folder, const char *data)
{
    trail_take(&folder->trail, data, strlen(data));
}

static const char *newest(const struct folder *folder)
{
    return folder->trail.lines[(folder->trail.count - 1) % TRAIL_LINES];
}

static struct bytes content(const struct folder *folder, const char *name)
{
    struct err err;
    char path[96];
    struct bytes all = {0};
    snprintf(path, sizeof path, "%s/%s", folder->path, name);
    assert_int_equal(file_read(AT_FDCWD, path, 4 * TRAIL_FILE_BYTES, &all, &err), 0);
    return all;
}

static void makes_lines_of_pieces(void **state)
{
    struct folder *folder = *state;
    feed(folder, "one\ntw");
    assert_int_equal(folder->trail.count, 1);
    feed(folder, "o\n\nthr");
    assert_int_equal(folder->trail.count, 3);
    feed(folder, "ee\n");
    assert_string_equal(newest(folder), "three");
    SCOPED(bytes_close) struct bytes all = content(folder, "audit.log");
    assert_string_equal((const char *)all.data, "one\ntwo\n\nthree\n");
}

static void keeps_the_newest_lines(void **state)
{
    struct folder *folder = *state;
    char line[32];
    for (int i = 0; i < 3 * TRAIL_LINES + 1; i++) {
        snprintf(line, sizeof line, "line %d\n", i);
        feed(folder, line);
    }
    assert_int_equal(folder->trail.count, 3 * TRAIL_LINES + 1);
    assert_string_equal(newest(folder), "line 60");
    assert_string_equal(folder->trail.lines[(folder->trail.count) % TRAIL_LINES], "line 41");
}

static void cuts_a_line_without_end(void **state)
{
    struct folder *folder = *state;
    char block[TRAIL_LINE_BYTES];
    memset(block, 'x', sizeof block - 1);
    block[sizeof block - 1] = 0;
    feed(folder, block);
    assert_int_equal(folder->trail.count, 1);
    assert_int_equal(strlen(newest(folder)), TRAIL_LINE_BYTES - 1);
    feed(folder, "y\n");
    assert_string_equal(newest(folder), "y");
}

static void escapes_what_would_move_a_cursor(void **state)
{
    struct folder *folder = *state;
    feed(folder, "evil \033[2J line\n");
    assert_string_equal(newest(folder), "evil \\x1b[2J line");
    feed(folder, "a path C:\\x and größe\n"); /* nothing to escape: stays as it is */
    assert_string_equal(newest(folder), "a path C:\\x and größe");
    feed(folder, "broken \xFF\n");
    assert_string_equal(newest(folder), "broken \\xff");
}

static void a_nul_does_not_hide_the_rest(void **state)
{
    struct folder *folder = *state;
    trail_take(&folder->trail, "a\0b\n", 4);
    assert_string_equal(newest(folder), "a b");
}

static void rotates_once_and_goes_on(void **state)
{
    struct folder *folder = *state;
    char line[1025];
    memset(line, 'x', sizeof line - 2);
    line[sizeof line - 2] = '\n';
    line[sizeof line - 1] = 0;
    for (int i = 0; i < 1024; i++)
        feed(folder, line);
    SCOPED(bytes_close) struct bytes full = content(folder, "audit.log");
    assert_int_equal(full.len, TRAIL_FILE_BYTES);
    feed(folder, "the next file\n");
    SCOPED(bytes_close) struct bytes fresh = content(folder, "audit.log");
    SCOPED(bytes_close) struct bytes old = content(folder, "audit.log.1");
    assert_string_equal((const char *)fresh.data, "the next file\n");
    assert_int_equal(old.len, TRAIL_FILE_BYTES);
}

static void continues_an_old_file(void **state)
{
    struct folder *folder = *state;
    struct err err;
    feed(folder, "before\n");
    trail_close(&folder->trail);
    assert_int_equal(trail_open(&folder->trail, "audit", folder->path, &err), 0);
    assert_int_equal(folder->trail.file_bytes, 7);
    trail_say(&folder->trail, "up: %s", "after");
    SCOPED(bytes_close) struct bytes all = content(folder, "audit.log");
    assert_string_equal((const char *)all.data, "before\nup: after\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(makes_lines_of_pieces, enter, leave),
        cmocka_unit_test_setup_teardown(keeps_the_newest_lines, enter, leave),
        cmocka_unit_test_setup_teardown(cuts_a_line_without_end, enter, leave),
        cmocka_unit_test_setup_teardown(escapes_what_would_move_a_cursor, enter, leave),
        cmocka_unit_test_setup_teardown(a_nul_does_not_hide_the_rest, enter, leave),
        cmocka_unit_test_setup_teardown(rotates_once_and_goes_on, enter, leave),
        cmocka_unit_test_setup_teardown(continues_an_old_file, enter, leave),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
