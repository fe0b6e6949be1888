/* The lease directory as a table: what is in it is watched, what cannot be believed is told of
 * once.
 */
#include "monitor/table.h"

#include "base/clock.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/scope.h"
#include "base/text.h"
#include "engine/process/pid.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define FIRST "sb_host1_abcdefghijklmnopqrstuvwxya"
#define SECOND "sb_host1_abcdefghijklmnopqrstuvwxyb"
#define THIRD "sb_host1_abcdefghijklmnopqrstuvwxyc"

static struct err err;
static char directory[64];
static int dir;
static struct table table;
static size_t told;
static char told_id[41], told_why[256];

static void on_ignored(void *context, const char *sandbox_id, const char *why)
{
    assert_ptr_equal(context, &table);
    told++;
    text_copy(told_id, sizeof told_id, sandbox_id);
    text_copy(told_why, sizeof told_why, why);
}

static int open_table(void **state)
{
    (void)state;
    told = 0;
    strcpy(directory, "/tmp/test_table.XXXXXX");
    if (!mkdtemp(directory) || dir_open_private(directory, &dir, &err))
        return -1;
    table = (struct table){.leases = dir, .history = 4, .ignored = on_ignored, .context = &table};
    return 0;
}

static int close_table(void **state)
{
    (void)state;
    table_close(&table);
    fd_close(&dir);
    return dir_remove(AT_FDCWD, directory, &err);
}

/* A sandbox without cgroups whose init is this process. */
static struct lease example(const char *id)
{
    uint64_t start;
    assert_int_equal(pid_start_ticks(getpid(), &start, &err), 0);
    struct lease lease = {.tenant = "default",
                          .agent = "coder",
                          .runtime = "process",
                          .deadline_boot_ns = INT64_MAX,
                          .init_pid = getpid(),
                          .init_start = (int64_t)start,
                          .cgroup_mode = "none",
                          .limits = {.memory_mb = 64}};
    text_copy(lease.sandbox_id, sizeof lease.sandbox_id, id);
    text_copy(lease.boot_id, sizeof lease.boot_id, clock_boot_id());
    return lease;
}

static void write_lease(const struct lease *lease)
{
    assert_int_equal(lease_write(dir, lease, &err), 0);
}

static void sync_table(void)
{
    assert_int_equal(table_sync(&table, &err), 0);
}

static void leases_are_watched_by_id_and_forgotten_when_they_go(void **state)
{
    (void)state;
    static const char *const ids[] = {SECOND, FIRST, THIRD};
    for (size_t i = 0; i < COUNT(ids); i++) {
        struct lease lease = example(ids[i]);
        write_lease(&lease);
    }
    sync_table();
    assert_int_equal(table.count, 3);
    assert_int_equal(table_live(&table), 3);
    assert_string_equal(table.rows[0]->sandbox_id, FIRST);
    assert_string_equal(table.rows[2]->sandbox_id, THIRD);
    assert_string_equal(table_find(&table, SECOND)->agent, "coder");
    assert_int_equal(lease_remove(dir, SECOND, &err), 0);
    sync_table();
    assert_int_equal(table.count, 2);
    assert_null(table_find(&table, SECOND));
    assert_non_null(table_find(&table, THIRD));
    assert_int_equal(told, 0);
}

static void a_lease_without_init_waits_until_it_names_one(void **state)
{
    (void)state;
    struct lease lease = example(FIRST);
    lease.init_pid = 0;
    lease.cgroup_mode[0] = 0;
    write_lease(&lease);
    sync_table();
    assert_int_equal(table_find(&table, FIRST)->state, WATCHED_STARTING);
    assert_int_equal(table_live(&table), 0);
    lease = example(FIRST);
    write_lease(&lease);
    sync_table();
    assert_int_equal(table_find(&table, FIRST)->state, WATCHED_LIVE);
    assert_int_equal(told, 0);
}

static void an_unchanged_lease_is_not_read_again(void **state)
{
    (void)state;
    struct lease lease = example(FIRST);
    write_lease(&lease);
    sync_table();
    table_find(&table, FIRST)->deadline_boot_ns = 7;
    sync_table();
    assert_int_equal(table_find(&table, FIRST)->deadline_boot_ns, 7);
    lease.deadline_boot_ns = 8;
    write_lease(&lease);
    sync_table();
    assert_int_equal(table_find(&table, FIRST)->deadline_boot_ns, 8);
}

static void write_bytes(const char *name, const void *data, size_t len)
{
    assert_int_equal(file_replace_volatile(dir, name, data, len, 0600, &err), 0);
}

static void expect_ignored(const char *why)
{
    for (int look = 0; look < 3; look++)
        sync_table();
    assert_int_equal(told, 1);
    assert_string_equal(told_id, FIRST);
    if (!strstr(told_why, why))
        fail_msg("%s", told_why);
    assert_int_equal(table_live(&table), 0);
    assert_int_equal(table_find(&table, FIRST)->state, WATCHED_IGNORED);
}

static void garbage_is_told_of_once_for_each_version(void **state)
{
    (void)state;
    write_bytes(FIRST, "\x81\xa1x", 3);
    expect_ignored("lease " FIRST);
    write_bytes(FIRST, "", 0);
    sync_table();
    sync_table();
    assert_int_equal(told, 2);
    struct lease lease = example(FIRST);
    write_lease(&lease);
    sync_table();
    assert_int_equal(told, 2);
    assert_int_equal(table_live(&table), 1);
}

static void a_lease_of_another_boot_is_told_of_once(void **state)
{
    (void)state;
    struct lease lease = example(FIRST);
    strcpy(lease.boot_id, "00000000-0000-0000-0000-000000000000");
    write_lease(&lease);
    expect_ignored("another boot");
}

static void a_lease_of_another_sandbox_is_told_of_once(void **state)
{
    (void)state;
    struct lease lease = example(SECOND);
    write_lease(&lease);
    assert_int_equal(renameat(dir, SECOND, dir, FIRST), 0);
    expect_ignored("another sandbox");
}

static void a_lease_that_others_may_write_is_told_of_once(void **state)
{
    (void)state;
    struct lease lease = example(FIRST);
    write_lease(&lease);
    assert_int_equal(fchmodat(dir, FIRST, 0622, 0), 0);
    expect_ignored("owner alone");
}

static void a_lease_that_names_other_directories_is_told_of_once(void **state)
{
    (void)state;
    SCOPED(bytes_close) struct bytes paths = bytes_open(1000);
    struct lease lease = example(FIRST);
    strcpy(lease.cgroup_mode, "v2");
    assert_int_equal(list_add_text(&paths, &lease.cgroups, view_of("unified /etc"), &err), 0);
    write_lease(&lease);
    expect_ignored("no cgroup of Corral");
}

static void a_watch_goes_on_when_its_lease_turns_to_garbage(void **state)
{
    (void)state;
    struct lease lease = example(FIRST);
    write_lease(&lease);
    sync_table();
    write_bytes(FIRST, "garbage", 7);
    sync_table();
    sync_table();
    assert_int_equal(told, 1);
    assert_int_equal(table_live(&table), 1);
    assert_string_equal(table_find(&table, FIRST)->agent, "coder");
}

static void a_sandbox_whose_cgroup_is_gone_is_no_news(void **state)
{
    (void)state;
    SCOPED(bytes_close) struct bytes paths = bytes_open(1000);
    struct lease lease = example(FIRST);
    strcpy(lease.cgroup_mode, "v2");
    assert_int_equal(list_add_text(&paths, &lease.cgroups,
                                   view_of("unified /sys/fs/cgroup/corral-none/gone"), &err),
                     0);
    write_lease(&lease);
    sync_table();
    sync_table();
    assert_int_equal(told, 0);
    assert_true(table_find(&table, FIRST)->is_stale);
    assert_int_equal(table_live(&table), 0);
}

static void without_memory_the_rest_is_watched_and_the_next_pass_mends_it(void **state)
{
    (void)state;
    struct lease first = example(FIRST), second = example(SECOND);
    write_lease(&first);
    sync_table();
    write_lease(&second);
    fault_set(FAULT_ALLOC, 1, true);
    int failed = table_sync(&table, &err);
    fault_set(FAULT_ALLOC, 0, false);
    assert_int_equal(failed, -1);
    assert_int_equal(err.code, ERR_MEMORY);
    assert_int_equal(table_live(&table), 1);
    sync_table();
    assert_int_equal(table_live(&table), 2);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, open_table, close_table)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(leases_are_watched_by_id_and_forgotten_when_they_go),
        CASE(a_lease_without_init_waits_until_it_names_one),
        CASE(an_unchanged_lease_is_not_read_again),
        CASE(garbage_is_told_of_once_for_each_version),
        CASE(a_lease_of_another_boot_is_told_of_once),
        CASE(a_lease_of_another_sandbox_is_told_of_once),
        CASE(a_lease_that_others_may_write_is_told_of_once),
        CASE(a_lease_that_names_other_directories_is_told_of_once),
        CASE(a_watch_goes_on_when_its_lease_turns_to_garbage),
        CASE(a_sandbox_whose_cgroup_is_gone_is_no_news),
        CASE(without_memory_the_rest_is_watched_and_the_next_pass_mends_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
