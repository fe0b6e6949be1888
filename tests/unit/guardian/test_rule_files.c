/* The rule directory: whose rules lie where, and everything that makes it untrustworthy. Each test
 * has a fresh directory. */
#include "guardian/rule_files.h"

#include "base/file.h"
#include "base/scope.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char top[64];
static struct err err;

static int enter(void **state)
{
    (void)state;
    strcpy(top, "/tmp/corral-test-XXXXXX");
    return mkdtemp(top) ? chmod(top, 0755) : -1;
}

static int leave(void **state)
{
    (void)state;
    return dir_remove(AT_FDCWD, top, &err);
}

static const char *path_of(const char *name)
{
    static char path[4096];
    snprintf(path, sizeof path, "%s/%s", top, name);
    return path;
}

static void make(const char *name)
{
    assert_int_equal(dir_make(path_of(name), 0755, &err), 0);
}

static void write_text(const char *name, const char *text)
{
    assert_int_equal(file_replace(AT_FDCWD, path_of(name), text, strlen(text), 0644, &err), 0);
}

static void assert_refused(const char *why)
{
    struct rule_files files = {0};
    assert_int_equal(rule_files_find(top, NULL, NULL, &files, &err), -1);
    if (err.code != ERR_CONFIG || !strstr(err.text, why))
        fail_msg("%s: %s instead of %s", err_name(err.code), err.text, why);
    assert_ptr_equal(strstr(err.text, top), err.text);
}

static void finds_the_folders_of_tenants_and_agents_in_order(void **state)
{
    (void)state;
    static const struct {
        const char *tenant, *agent;
    } want[] = {{"acme", ""}, {"acme", "a"}, {"acme", "b"}, {"other", "z"}, {"zoo", ""}};
    SCOPED(rule_files_close) struct rule_files files = {0};
    make("agents/other/z");
    make("agents/acme/b");
    make("agents/acme/a");
    make("tenants/zoo");
    make("tenants/acme");
    make(".git/objects");
    write_text("generation", "17\n");
    write_text("tenants/acme/rules.toml", "not read here");
    assert_int_equal(rule_files_find(top, NULL, NULL, &files, &err), 0);
    assert_int_equal(files.generation, 17);
    assert_int_equal(files.count, COUNT(want));
    for (size_t i = 0; i < COUNT(want); i++) {
        assert_string_equal(files.folders[i].tenant, want[i].tenant);
        assert_string_equal(files.folders[i].agent, want[i].agent);
        assert_int_equal(access(files.folders[i].path, R_OK), 0);
    }
}

static void an_empty_directory_is_of_generation_0(void **state)
{
    (void)state;
    struct rule_files files = {.generation = 5, .count = 5};
    assert_int_equal(rule_files_find(top, NULL, NULL, &files, &err), 0);
    assert_int_equal(files.generation, 0);
    assert_int_equal(files.count, 0);
    rule_files_close(&files);
}

static void refuses_what_nobody_would_read(void **state)
{
    (void)state;
    write_text("rules.toml", "");
    assert_refused("rules.toml: here are only generation, tenants/ and agents/");
    unlink(path_of("rules.toml"));
    make("tenant");
    assert_refused("tenant: here are only");
    rmdir(path_of("tenant"));
    write_text("tenants", "");
    assert_refused("no directory");
    unlink(path_of("tenants"));
    make("tenants");
    write_text("tenants/rules.toml", "");
    assert_refused("no directory");
    unlink(path_of("tenants/rules.toml"));
    make("tenants/a b");
    assert_refused("is no tenant's name");
    rmdir(path_of("tenants/a b"));
    make("agents/acme/-x");
    assert_refused("is no agent's name");
}

static void refuses_a_generation_that_is_no_number(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "", "x", "-1", "1 ", "1\n2", "99999999999999999999", "0000000000000000000000001", " 1"};
    for (size_t i = 0; i < COUNT(texts); i++) {
        write_text("generation", texts[i]);
        assert_refused("generation: must hold one number");
    }
    write_text("generation", "9223372036854775807\n");
    struct rule_files files;
    assert_int_equal(rule_files_find(top, NULL, NULL, &files, &err), 0);
    assert_true(files.generation == INT64_MAX);
    rule_files_close(&files);
}

static void refuses_folders_that_others_may_change(void **state)
{
    (void)state;
    static const char *const names[] = {"",       "tenants",     "tenants/acme",
                                        "agents", "agents/acme", "agents/acme/a"};
    make("tenants/acme");
    make("agents/acme/a");
    for (size_t i = 0; i < COUNT(names); i++) {
        assert_int_equal(chmod(path_of(names[i]), 0775), 0);
        assert_refused("may write it (mode 775)");
        assert_int_equal(chmod(path_of(names[i]), 0755), 0);
    }
    write_text("generation", "1");
    assert_int_equal(chmod(path_of("generation"), 0666), 0);
    assert_refused("may write it");
    assert_int_equal(chmod(path_of("generation"), 0644), 0);
    if (geteuid())
        return;
    assert_int_equal(chown(path_of("agents/acme/a"), 12345, 0), 0);
    assert_refused("uid 12345");
}

static void refuses_symlinks(void **state)
{
    (void)state;
    make("tenants/acme");
    assert_int_equal(symlink("acme", path_of("tenants/other")), 0);
    assert_refused("other: a symlink");
    unlink(path_of("tenants/other"));
    write_text(".number", "1");
    assert_int_equal(symlink(".number", path_of("generation")), 0);
    assert_refused("generation: a symlink");
}

static void refuses_a_directory_that_is_not_there(void **state)
{
    (void)state;
    struct rule_files files;
    char none[80];
    snprintf(none, sizeof none, "%s/none", top);
    assert_int_equal(rule_files_find(none, NULL, NULL, &files, &err), -1);
    assert_int_equal(err.code, ERR_CONFIG);
    assert_non_null(strstr(err.text, "does not exist"));
}

static void note(void *context, const char *path)
{
    char *seen = context;
    strcat(strcat(seen, path + strlen(top)), " ");
}

static void tells_of_every_folder_before_it_is_read(void **state)
{
    (void)state;
    char seen[1024] = "";
    SCOPED(rule_files_close) struct rule_files files = {0};
    make("tenants/acme");
    make("agents/acme/a");
    assert_int_equal(rule_files_find(top, note, seen, &files, &err), 0);
    assert_string_equal(seen, " /agents /agents/acme /agents/acme/a /tenants /tenants/acme ");
    /* one that cannot be read is told of, too: it is mended there */
    assert_int_equal(chmod(path_of("tenants/acme"), 0777), 0);
    seen[0] = 0;
    struct rule_files none;
    assert_int_equal(rule_files_find(top, note, seen, &none, &err), -1);
    assert_non_null(strstr(seen, "/tenants/acme "));
}

#define IN_PLACE(test) cmocka_unit_test_setup_teardown(test, enter, leave)

int main(void)
{
    umask(022);
    const struct CMUnitTest tests[] = {
        IN_PLACE(finds_the_folders_of_tenants_and_agents_in_order),
        IN_PLACE(an_empty_directory_is_of_generation_0),
        IN_PLACE(refuses_what_nobody_would_read),
        IN_PLACE(refuses_a_generation_that_is_no_number),
        IN_PLACE(refuses_folders_that_others_may_change),
        IN_PLACE(refuses_symlinks),
        IN_PLACE(refuses_a_directory_that_is_not_there),
        IN_PLACE(tells_of_every_folder_before_it_is_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
