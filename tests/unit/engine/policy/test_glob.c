/* Patterns of paths against paths, and against paths that bash still expands. */
#include "base/scope.h"
#include "engine/policy/glob.h"

#include <fnmatch.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void a_star_stays_in_one_name_and_two_do_not(void **state)
{
    (void)state;
    static const struct {
        const char *pattern, *path;
        bool matches;
    } cases[] = {
        {"/etc/*", "/etc/x", true},
        {"/etc/*", "/etc/x/y", false},
        {"/etc/*", "/etc", false},
        {"/etc/**", "/etc/x/y", true},
        {"/etc/**", "/etc", true},
        {"/etc/**", "/etcetera", false},
        {"/**", "/", true},
        {"/", "/", true},
        {"/", "/x", false},
        {"**/.env", "/a/b/.env", true},
        {"**/.env", "/.env", true},
        {"**/.env", ".env", true},
        {"**/.env", "/a/x.env", false},
        {"**/.ssh/**", "/home/a/.ssh", true},
        {"**/.ssh/**", "/home/a/.ssh/b/c", true},
        {"/lib*/**", "/lib64/x/y", true},
        {"/lib*/**", "/lib", true},
        {"/a*b*c", "/a1b2b3c", true},
        {"/a*b*c", "/a1b2b3", false},
        {"/**/a/*/c", "/x/a/a/b/c", true},
        {"/**/a/*/c", "/x/a/b/d/c", false},
        {"/x?", "/xy", false},
    };
    for (size_t i = 0; i < COUNT(cases); i++)
        if (glob_matches_path(cases[i].pattern, cases[i].path) != cases[i].matches)
            fail_msg("%s and %s", cases[i].pattern, cases[i].path);
}

static void two_patterns_meet_when_some_path_is_of_both(void **state)
{
    (void)state;
    static const struct {
        const char *pattern, *path;
        bool meet;
    } cases[] = {
        {"/etc/shadow", "/etc/sh*", true},
        {"/etc/shadow", "/etc/sh?dow", true},
        {"/etc/shadow", "/etc/sh?ow", false},
        {"/etc/shadow", "/etc/[a-z]hadow", true},
        {"/etc/shadow", "/*/shadow", true},
        {"/etc/shadow", "/*", false},
        {"/etc/**", "/e*", true},
        {"/etc/**", "/e*/x/y", true},
        {"/etc/**", "/et?", true},
        {"/etc/**", "/etc*", true},
        {"/etc/**", "/etcx*", false},
        {"/etc/x/**", "/var/x*", false},
        {"/etc/*.d", "/etc/cron*", true},
        {"/a/.x", "/a/*", false},
        {"/a/.x", "/a/.*", true},
        {"/a/b.x", "/a/*", true},
        {"/a/b.x", "/a/???", true},
        {"/a/b", "/a/*b*", true},
        {"/a/b", "/a/*c", false},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        size_t glob_at = strcspn(cases[i].path, "*?[");
        if (glob_meets_path(cases[i].pattern, cases[i].path, glob_at) != cases[i].meet)
            fail_msg("%s and %s", cases[i].pattern, cases[i].path);
    }
}

/* Writes the text that has this number: 1 to 4 letters of "/a.*" behind a slash. */
static void short_text(char text[8], unsigned number)
{
    char *to = text;
    *to++ = '/';
    for (; number; number /= 5)
        if (number % 5)
            *to++ = "/a.*"[number % 5 - 1];
    *to = 0;
}

/* The definition, one letter after the other and every length of a star. */
static bool is_of(const char *pattern, const char *path)
{
    if (!*pattern)
        return !*path;
    if (!*path && !strcmp(pattern, "/**"))
        return true;
    if (*pattern != '*')
        return *pattern == *path && is_of(pattern + 1, path + 1);
    bool across = pattern[1] == '*';
    for (;; path++) {
        if (is_of(pattern + 1 + across, path))
            return true;
        if (!*path || (*path == '/' && !across))
            return false;
    }
}

static void every_short_pattern_matches_as_defined(void **state)
{
    (void)state;
    char pattern[8], path[8];
    for (unsigned i = 0; i < 625; i++)
        for (unsigned k = 0; k < 625; k++) {
            short_text(pattern, i);
            short_text(path, k);
            if (glob_matches_path(pattern, path) != is_of(pattern, path))
                fail_msg("%s and %s", pattern, path);
        }
}

/* What bash makes of a path's wildcards is never missed. */
static void every_short_path_of_two_patterns_makes_them_meet(void **state)
{
    (void)state;
    char pattern[8], wild[8], path[8];
    for (unsigned w = 0; w < 625; w++)
        for (unsigned k = 0; k < 625; k++) {
            short_text(wild, w);
            short_text(path, k);
            if (!strchr(wild, '*') || strchr(path, '*') ||
                fnmatch(wild, path, FNM_PATHNAME | FNM_PERIOD) != 0)
                continue;
            for (unsigned i = 0; i < 625; i++) {
                short_text(pattern, i);
                if (glob_matches_path(pattern, path) &&
                    !glob_meets_path(pattern, wild, strcspn(wild, "*")))
                    fail_msg("%s and %s both match %s", pattern, wild, path);
            }
        }
}

static void what_is_quoted_is_no_wildcard(void **state)
{
    (void)state;
    assert_false(glob_meets_path("/a/bc", "/a/*c", SIZE_MAX));
    assert_true(glob_meets_path("/a/*c", "/a/*c", SIZE_MAX));
}

static void a_path_without_end_meets_everything(void **state)
{
    (void)state;
    char path[GLOB_MAX_PATH + 2];
    memset(path, 'a', sizeof path - 1);
    path[sizeof path - 1] = 0;
    assert_true(glob_meets_path("/x", path, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_star_stays_in_one_name_and_two_do_not),
        cmocka_unit_test(two_patterns_meet_when_some_path_is_of_both),
        cmocka_unit_test(every_short_pattern_matches_as_defined),
        cmocka_unit_test(every_short_path_of_two_patterns_makes_them_meet),
        cmocka_unit_test(what_is_quoted_is_no_wildcard),
        cmocka_unit_test(a_path_without_end_meets_everything),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
