/* Which hosts need systemd's help, and the command that asks for it. */
#include "engine/cgroup/delegate.h"

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
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static void decides_each_kind_of_host(void **state)
{
    (void)state;
    static const struct {
        struct delegate_facts facts;
        enum delegate_answer answer;
    } rows[] = {
        {{.cgroup_v2 = false, .systemd = true}, DELEGATE_NOT_NEEDED},
        {{.cgroup_v2 = true, .systemd = true, .delegated = true}, DELEGATE_NOT_NEEDED},
        {{.cgroup_v2 = true, .systemd = true, .already_tried = true}, DELEGATE_NOT_NEEDED},
        {{.cgroup_v2 = true, .systemd = true}, DELEGATE_REEXEC},
        {{.cgroup_v2 = true, .systemd = true, .uid = 1000, .user_manager = true}, DELEGATE_REEXEC},
        {{.cgroup_v2 = true, .systemd = true, .uid = 1000}, DELEGATE_IMPOSSIBLE},
        {{.cgroup_v2 = true, .systemd = false, .uid = 1000}, DELEGATE_IMPOSSIBLE},
        {{.cgroup_v2 = true, .systemd = false}, DELEGATE_NOT_NEEDED},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        const char *why = NULL;
        assert_int_equal(delegate_decide(&rows[i].facts, &why), rows[i].answer);
        assert_non_null(why);
    }
}

static void asks_the_system_manager_as_root_and_the_users_own_otherwise(void **state)
{
    (void)state;
    struct err err;
    char *argv[] = {"/usr/bin/corral", "up", NULL};
    const char *to[16];
    struct delegate_facts facts = {.uid = 0};
    assert_int_equal(delegate_argv(&facts, 2, argv, to, COUNT(to), &err), 0);
    static const char *const expected[] = {"systemd-run",
                                           "--system",
                                           "--scope",
                                           "--quiet",
                                           "--collect",
                                           "--property=Delegate=yes",
                                           "--",
                                           "/usr/bin/env",
                                           "CORRAL_DELEGATED=1",
                                           "/usr/bin/corral",
                                           "up"};
    for (size_t i = 0; i < COUNT(expected); i++)
        assert_string_equal(to[i], expected[i]);
    assert_null(to[COUNT(expected)]);
    facts.uid = 1000;
    assert_int_equal(delegate_argv(&facts, 2, argv, to, COUNT(to), &err), 0);
    assert_string_equal(to[1], "--user");
}

static void tells_systemd_run_where_the_users_systemd_is(void **state)
{
    (void)state;
    struct err err;
    char *argv[] = {"/usr/bin/corral", NULL};
    const char *to[16];
    struct delegate_facts facts = {.uid = 1000, .runtime = "XDG_RUNTIME_DIR=/run/user/1000"};
    assert_int_equal(delegate_argv(&facts, 1, argv, to, COUNT(to), &err), 0);
    assert_string_equal(to[0], "/usr/bin/env");
    assert_string_equal(to[1], "XDG_RUNTIME_DIR=/run/user/1000");
    assert_string_equal(to[2], "systemd-run");
    assert_string_equal(to[3], "--user");
    assert_string_equal(to[11], "/usr/bin/corral");
    assert_null(to[12]);
}

/* As a user, since root has no systemd of its own to look for. */
static void finds_a_users_systemd_by_the_variable_only_where_one_is(void **state)
{
    (void)state;
    struct err err;
    char dir[] = "/tmp/delegate-XXXXXX", path[64];
    struct delegate_facts facts;
    assert_non_null(mkdtemp(dir));
    pid_t pid = fork();
    if (!pid) {
        if (!geteuid() && (chown(dir, 54321, 54321) || setresuid(54321, 54321, 54321)))
            _exit(1);
        if (setenv("XDG_RUNTIME_DIR", dir, 1) || delegate_look(&facts, &err) ||
            facts.user_manager != (facts.runtime[0] != 0))
            _exit(2);
        snprintf(path, sizeof path, "%s/systemd", dir);
        if (mkdir(path, 0700))
            _exit(3);
        snprintf(path, sizeof path, "%s/systemd/private", dir);
        if (close(creat(path, 0600)) || delegate_look(&facts, &err))
            _exit(4);
        _exit(facts.user_manager && !facts.runtime[0] ? 0 : 5);
    }
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(dir_remove(AT_FDCWD, dir, &err), 0);
    assert_int_equal(status, 0);
}

static void refuses_more_arguments_than_there_is_room(void **state)
{
    (void)state;
    struct err err;
    char *argv[] = {"a", "b", NULL};
    const char *to[12];
    struct delegate_facts facts = {0};
    assert_int_equal(delegate_argv(&facts, 2, argv, to, 12, &err), 0);
    assert_int_equal(delegate_argv(&facts, 2, argv, to, 11, &err), -1);
    assert_int_equal(err.code, ERR_INVALID);
}

static void looks_at_the_host_without_failing(void **state)
{
    (void)state;
    struct err err;
    struct delegate_facts facts = {.uid = (uid_t)-1};
    assert_int_equal(delegate_look(&facts, &err), 0);
    assert_int_equal(facts.uid, geteuid());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decides_each_kind_of_host),
        cmocka_unit_test(asks_the_system_manager_as_root_and_the_users_own_otherwise),
        cmocka_unit_test(tells_systemd_run_where_the_users_systemd_is),
        cmocka_unit_test(finds_a_users_systemd_by_the_variable_only_where_one_is),
        cmocka_unit_test(refuses_more_arguments_than_there_is_room),
        cmocka_unit_test(looks_at_the_host_without_failing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
