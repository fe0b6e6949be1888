/* Paths joined to directories: lexical, normal, bounded. */
#include "base/scope.h"
#include "engine/shell/cwds.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void joins_a_path_to_a_directory_however_that_is_written(void **state)
{
    (void)state;
    static const struct {
        const char *cwd, *path, *joined;
    } rows[] = {{"/", "", "/"},
                {"/", "a", "/a"},
                {"/a/b", "c", "/a/b/c"},
                {"/a/b", "../../../c", "/c"},
                {"/a/b", "./c//d/", "/a/b/c/d"},
                {"/a/b", "/c", "/c"},
                {"/a/", "b", "/a/b"},
                {"/a//b", "c", "/a/b/c"},
                {"/a/./b", "c", "/a/b/c"},
                {"/a/../b", "c", "/b/c"},
                {"/a/.", "", "/a"},
                {"/a/..", "", "/"},
                {"//a", "", "/a"},
                {"/.git/..x", "y", "/.git/..x/y"}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        char to[CWDS_PATH_MAX];
        assert_true(path_join(to, rows[i].cwd, rows[i].path, strlen(rows[i].path)));
        assert_string_equal(to, rows[i].joined);
    }
}

static void refuses_what_does_not_fit(void **state)
{
    (void)state;
    char to[CWDS_PATH_MAX], cwd[CWDS_PATH_MAX + 1];
    memset(cwd, 'a', sizeof cwd);
    cwd[0] = '/';
    cwd[CWDS_PATH_MAX - 1] = 0;
    assert_true(path_join(to, cwd, "", 0));
    assert_string_equal(to, cwd);
    assert_false(path_join(to, cwd, "b", 1));
    cwd[CWDS_PATH_MAX - 1] = 'a';
    cwd[CWDS_PATH_MAX] = 0;
    assert_false(path_join(to, cwd, "", 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(joins_a_path_to_a_directory_however_that_is_written),
        cmocka_unit_test(refuses_what_does_not_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
