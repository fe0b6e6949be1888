/* The lease directory: what is written is read back, what is not ours is not believed, the first
 * kill mark stays. */
#include "base/clock.h"
#include "base/file.h"
#include "base/scope.h"
#include "base/text.h"
#include "engine/lease/lease.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#define ID "sb_host1_abcdefghijklmnopqrstuvwxyz"

static struct err err;
static char directory[64];
static int dir;

static int open_directory(void **state)
{
    (void)state;
    strcpy(directory, "/tmp/test_lease.XXXXXX");
    return !mkdtemp(directory) || dir_open_private(directory, &dir, &err);
}

static int remove_directory(void **state)
{
    (void)state;
    fd_close(&dir);
    return dir_remove(AT_FDCWD, directory, &err);
}

static struct lease example(void)
{
    struct lease lease = {.sandbox_id = ID,
                          .tenant = "default",
                          .agent = "coder",
                          .runtime = "process",
                          .limits = {.memory_mb = 64}};
    text_copy(lease.boot_id, sizeof lease.boot_id, clock_boot_id());
    return lease;
}

static void a_lease_is_read_back_with_its_lists(void **state)
{
    (void)state;
    SCOPED(bytes_close) struct bytes paths = bytes_open(1000);
    struct lease lease = example();
    assert_int_equal(
        list_add_text(&paths, &lease.cgroups, view_of("unified /sys/fs/cgroup/x"), &err), 0);
    assert_int_equal(lease_write(dir, &lease, &err), 0);
    SCOPED(lease_close) struct lease_file read = {0};
    assert_int_equal(lease_read(dir, ID, &read, &err), 0);
    struct view path;
    assert_true(list_next_text(&read.lease.cgroups, &path));
    assert_true(view_equal(path, view_of("unified /sys/fs/cgroup/x")));
    assert_true(lease_is_of_this_boot(&read.lease));
    assert_int_equal(read.lease.limits.memory_mb, 64);
}

static void refuses_garbled_renamed_and_foreign_files(void **state)
{
    (void)state;
    struct lease_file read;
    assert_int_equal(file_replace(dir, ID, "garbage", 7, 0600, &err), 0);
    assert_int_equal(lease_read(dir, ID, &read, &err), -1);
    assert_int_equal(err.code, ERR_INVALID);

    const char *other = "sb_host1_bbcdefghijklmnopqrstuvwxyz";
    struct lease lease = example();
    assert_int_equal(lease_write(dir, &lease, &err), 0);
    assert_int_equal(renameat(dir, ID, dir, other), 0);
    assert_int_equal(lease_read(dir, other, &read, &err), -1);
    assert_int_equal(err.code, ERR_INVALID);

    assert_int_equal(lease_write(dir, &lease, &err), 0);
    assert_int_equal(fchmodat(dir, ID, 0666, 0), 0);
    assert_int_equal(lease_read(dir, ID, &read, &err), -1);
    assert_int_equal(err.code, ERR_INVALID);
}

static void only_sandbox_ids_name_leases(void **state)
{
    (void)state;
    assert_true(lease_is_id(ID));
    assert_false(lease_is_id(ID ".kill"));
    assert_false(lease_is_id("sb_host1_short"));
    assert_false(lease_is_id("sb_../x_abcdefghijklmnopqrstuvwxyz"));
    assert_false(lease_is_id(LEASE_MANAGER_ALIVE));
}

static void the_first_kill_mark_stays(void **state)
{
    (void)state;
    struct kill_mark first = {.cause = "killswitch", .rule = "memory.kill", .value = 9, .limit = 8};
    struct kill_mark second = {.cause = "timeout", .rule = "lifetime"}, read;
    assert_int_equal(lease_mark(dir, ID, &first, &err), 0);
    assert_int_equal(lease_mark(dir, ID, &second, &err), 0);
    assert_int_equal(lease_read_mark(dir, ID, &read, &err), 0);
    assert_string_equal(read.rule, "memory.kill");
    assert_int_equal(lease_remove(dir, ID, &err), 0);
    assert_int_equal(lease_read_mark(dir, ID, &read, &err), -1);
    assert_int_equal(err.code, ERR_NOT_FOUND);
}

static void count(void *context, const char *id)
{
    assert_string_equal(id, ID);
    ++*(int *)context;
}

static void lists_leases_and_nothing_else(void **state)
{
    (void)state;
    int found = 0;
    struct lease lease = example();
    struct kill_mark mark = {.cause = "timeout", .rule = "lifetime"};
    assert_int_equal(lease_write(dir, &lease, &err), 0);
    assert_int_equal(lease_mark(dir, ID, &mark, &err), 0);
    assert_int_equal(lease_beat(dir, LEASE_MANAGER_ALIVE, &err), 0);
    assert_int_equal(lease_each(dir, count, &found, &err), 0);
    assert_int_equal(found, 1);
}

static void a_heartbeat_has_an_age_and_its_absence_shows(void **state)
{
    (void)state;
    assert_int_equal(lease_beat_age_ms(dir, LEASE_MONITOR_ALIVE), -1);
    assert_int_equal(lease_beat(dir, LEASE_MONITOR_ALIVE, &err), 0);
    const struct timespec past[2] = {{.tv_sec = 1000}, {.tv_sec = 1000}};
    assert_true(lease_beat_age_ms(dir, LEASE_MONITOR_ALIVE) >= 0);
    assert_int_equal(utimensat(dir, LEASE_MONITOR_ALIVE, past, 0), 0);
    assert_true(lease_beat_age_ms(dir, LEASE_MONITOR_ALIVE) > 1000000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_lease_is_read_back_with_its_lists, open_directory,
                                        remove_directory),
        cmocka_unit_test_setup_teardown(refuses_garbled_renamed_and_foreign_files, open_directory,
                                        remove_directory),
        cmocka_unit_test(only_sandbox_ids_name_leases),
        cmocka_unit_test_setup_teardown(the_first_kill_mark_stays, open_directory,
                                        remove_directory),
        cmocka_unit_test_setup_teardown(lists_leases_and_nothing_else, open_directory,
                                        remove_directory),
        cmocka_unit_test_setup_teardown(a_heartbeat_has_an_age_and_its_absence_shows,
                                        open_directory, remove_directory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
