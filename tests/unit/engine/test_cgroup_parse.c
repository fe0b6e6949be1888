/* The texts of /proc and cgroupfs, recorded from v1, hybrid and v2 hosts and from liars. */
#include "engine/cgroup/cgroup_parse.h"

#include "base/file.h"
#include "base/scope.h"
#include "engine/cgroup/cgroup_usage.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define TREES SOURCE_DIR "/tests/unit/engine/cgroup_trees/"

static struct cgroup_places read_tree(const char *name)
{
    struct err err;
    char path[512];
    struct cgroup_places places;
    SCOPED(bytes_close) struct bytes mounts = {0};
    SCOPED(bytes_close) struct bytes members = {0};
    snprintf(path, sizeof path, TREES "%s/mountinfo", name);
    assert_int_equal(file_read(AT_FDCWD, path, 65536, &mounts, &err), 0);
    snprintf(path, sizeof path, TREES "%s/cgroup", name);
    assert_int_equal(file_read(AT_FDCWD, path, 65536, &members, &err), 0);
    assert_int_equal(cgroup_parse_places(bytes_view(&mounts), bytes_view(&members), &places, &err),
                     0);
    return places;
}

static int parse(const char *mounts, const char *members, struct cgroup_places *places,
                 struct err *err)
{
    return cgroup_parse_places(view_of(mounts), view_of(members), places, err);
}

static void finds_v1_controllers_beside_a_v2_mount(void **state)
{
    (void)state;
    struct cgroup_places places = read_tree("hybrid");
    assert_int_equal(places.mode, CGROUP_HYBRID);
    assert_string_equal(places.own[CGROUP_TREE_UNIFIED], "/sys/fs/cgroup/unified");
    assert_string_equal(places.own[CGROUP_TREE_MEMORY], "/sys/fs/cgroup/memory/agents/host");
    assert_string_equal(places.own[CGROUP_TREE_CPU], "/sys/fs/cgroup/cpu");
    assert_string_equal(places.own[CGROUP_TREE_CPUACCT], "/sys/fs/cgroup/cpuacct");
}

static void takes_a_containers_mount_root_off_the_path(void **state)
{
    (void)state;
    struct cgroup_places places = read_tree("v1");
    assert_int_equal(places.mode, CGROUP_V1);
    assert_string_equal(places.own[CGROUP_TREE_MEMORY], "/sys/fs/cgroup/memory");
    assert_string_equal(places.own[CGROUP_TREE_CPU], "/sys/fs/cgroup/cpu,cpuacct");
    assert_string_equal(places.own[CGROUP_TREE_CPUACCT], "/sys/fs/cgroup/cpu,cpuacct");
    assert_string_equal(places.own[CGROUP_TREE_UNIFIED], "");
}

static void finds_the_only_tree_of_v2(void **state)
{
    (void)state;
    struct cgroup_places places = read_tree("v2");
    assert_int_equal(places.mode, CGROUP_V2);
    assert_string_equal(places.own[CGROUP_TREE_UNIFIED],
                        "/sys/fs/cgroup/user.slice/user-1000.slice/user@1000.service/app.slice/"
                        "run-r1d2.scope");
    assert_string_equal(places.own[CGROUP_TREE_MEMORY], "");
}

static void leaves_out_a_hierarchy_that_does_not_show_our_cgroup(void **state)
{
    (void)state;
    struct err err;
    struct cgroup_places places;
    const char *mount = "30 25 0:26 /docker/4f /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n";
    assert_int_equal(parse(mount, "0::/docker/4f0c\n", &places, &err), 0);
    assert_int_equal(places.mode, CGROUP_NONE);
    assert_int_equal(parse(mount, "0::/docker/4f/../../etc\n", &places, &err), 0);
    assert_int_equal(places.mode, CGROUP_NONE);
    assert_int_equal(parse(mount, "0::/../other\n", &places, &err), 0);
    assert_int_equal(places.mode, CGROUP_NONE);
    assert_int_equal(parse(mount, "0::/docker/4f/x\n", &places, &err), 0);
    assert_string_equal(places.own[CGROUP_TREE_UNIFIED], "/sys/fs/cgroup/x");
}

static void prefers_a_writable_mount(void **state)
{
    (void)state;
    struct err err;
    struct cgroup_places places;
    const char *mounts = "30 25 0:26 / /ro ro - cgroup2 cgroup2 rw\n"
                         "31 25 0:26 / /rw rw - cgroup2 cgroup2 rw\n"
                         "32 25 0:26 / /later rw - cgroup2 cgroup2 rw\n";
    assert_int_equal(parse(mounts, "0::/\n", &places, &err), 0);
    assert_string_equal(places.own[CGROUP_TREE_UNIFIED], "/rw");
}

static void undoes_the_octal_escapes_of_a_mount_point(void **state)
{
    (void)state;
    struct err err;
    struct cgroup_places places;
    assert_int_equal(
        parse("30 25 0:26 / /a\\040b\\134 rw - cgroup2 none rw\n", "0::/s\n", &places, &err), 0);
    assert_string_equal(places.own[CGROUP_TREE_UNIFIED], "/a b\\/s");
    assert_int_equal(
        parse("30 25 0:26 / /a\\000b rw - cgroup2 none rw\n", "0::/s\n", &places, &err), 0);
    assert_int_equal(places.mode, CGROUP_NONE);
}

static void names_the_line_that_no_kernel_writes(void **state)
{
    (void)state;
    struct err err;
    struct cgroup_places places;
    const char *good = "30 25 0:26 / /c rw - cgroup2 cgroup2 rw\n";
    assert_int_equal(
        parse("30 25 0:26 / /c rw - cgroup2 cgroup2 rw\nnonsense\n", "0::/\n", &places, &err), -1);
    assert_int_equal(err.code, ERR_INVALID);
    assert_non_null(strstr(err.text, "line 2"));
    assert_int_equal(parse("30 25 0:26 / /c rw shared:1\n", "0::/\n", &places, &err), -1);
    assert_int_equal(parse(good, "0:/\n", &places, &err), -1);
    assert_int_equal(parse(good, "\n", &places, &err), -1);
    assert_int_equal(parse(good, ":::\n", &places, &err), -1);
}

static void leaves_out_a_path_that_is_too_long(void **state)
{
    (void)state;
    struct err err;
    struct cgroup_places places;
    char member[CGROUP_PATH_BYTES + 64] = "0::/";
    memset(member + 4, 'a', CGROUP_PATH_BYTES);
    assert_int_equal(parse("30 25 0:26 / /c rw - cgroup2 cgroup2 rw\n", member, &places, &err), 0);
    assert_int_equal(places.mode, CGROUP_NONE);
}

static void survives_every_cut_of_a_real_text(void **state)
{
    (void)state;
    struct err err;
    SCOPED(bytes_close) struct bytes mounts = {0};
    assert_int_equal(file_read(AT_FDCWD, TREES "v1/mountinfo", 65536, &mounts, &err), 0);
    for (size_t len = 0; len <= mounts.len; len++) {
        struct cgroup_places places;
        cgroup_parse_places((struct view){mounts.data, len}, view_of("4:memory:/docker/4f0c\n"),
                            &places, &err);
    }
}

static void reads_whole_numbers_only(void **state)
{
    (void)state;
    struct err err;
    int64_t value = 0;
    assert_int_equal(cgroup_parse_number(view_of("42\n"), &value, &err), 0);
    assert_int_equal(value, 42);
    assert_int_equal(cgroup_parse_number(view_of("max\n"), &value, &err), 0);
    assert_true(value == INT64_MAX);
    assert_int_equal(cgroup_parse_number(view_of("9223372036854771712\n"), &value, &err), 0);
    assert_true(value == INT64_MAX);
    static const char *const bad[] = {
        "", "\n", "-1\n", " 1\n", "1 \n", "1\n\n", "0x1\n", "99999999999999999999\n", "maximum\n"};
    for (size_t i = 0; i < COUNT(bad); i++)
        assert_int_equal(cgroup_parse_number(view_of(bad[i]), &value, &err), -1);
}

static void finds_a_key_at_the_start_of_a_line_only(void **state)
{
    (void)state;
    struct err err;
    int64_t value = 0;
    const char *text = "oom_kill_disable 1\nno oom_kill 5\noom_kill 2\n";
    assert_int_equal(cgroup_parse_keyed(view_of(text), "oom_kill", &value, &err), 0);
    assert_int_equal(value, 2);
    assert_int_equal(cgroup_parse_keyed(view_of(text), "absent", &value, &err), -1);
    assert_int_equal(err.code, ERR_NOT_FOUND);
    assert_int_equal(cgroup_parse_keyed(view_of("a x\n"), "a", &value, &err), -1);
    assert_int_equal(err.code, ERR_INVALID);
}

static void takes_pids_until_the_end_and_refuses_anything_else(void **state)
{
    (void)state;
    struct err err;
    struct view cursor = view_of("12\n0\n2147483647\n");
    bool more = false;
    pid_t pid = 0;
    assert_int_equal(cgroup_parse_pid(&cursor, &more, &pid, &err), 0);
    assert_true(more && pid == 12);
    assert_int_equal(cgroup_parse_pid(&cursor, &more, &pid, &err), 0);
    assert_true(more && pid == 0);
    assert_int_equal(cgroup_parse_pid(&cursor, &more, &pid, &err), 0);
    assert_true(more && pid == INT32_MAX);
    assert_int_equal(cgroup_parse_pid(&cursor, &more, &pid, &err), 0);
    assert_false(more);
    cursor = view_of("2147483648\n");
    assert_int_equal(cgroup_parse_pid(&cursor, &more, &pid, &err), -1);
    cursor = view_of("-1\n");
    assert_int_equal(cgroup_parse_pid(&cursor, &more, &pid, &err), -1);
}

static struct cgroup_usage read_usage(struct cgroup cg)
{
    struct err err;
    struct cgroup_meter meter;
    struct cgroup_usage usage;
    assert_int_equal(cgroup_meter_open(&cg, &meter, &err), 0);
    assert_int_equal(cgroup_meter_read(&meter, &usage, &err), 0);
    cgroup_meter_close(&meter);
    return usage;
}

static void assert_recorded_usage(const struct cgroup_usage *usage)
{
    assert_int_equal(usage->cpu_usec, 1234567);
    assert_int_equal(usage->throttled_usec, 54321);
    assert_int_equal(usage->throttled_periods, 7);
    assert_int_equal(usage->memory_bytes, 52428800 - 10485760);
    assert_int_equal(usage->memory_peak_bytes, 73400320);
    assert_int_equal(usage->pids, 12);
    assert_int_equal(usage->oom_kills, 2);
}

static void reads_the_same_usage_from_v1_and_v2(void **state)
{
    (void)state;
    struct cgroup v2 = {.mode = CGROUP_V2, .path = {[CGROUP_TREE_UNIFIED] = TREES "usage-v2"}};
    struct cgroup v1 = {.mode = CGROUP_V1,
                        .path = {[CGROUP_TREE_MEMORY] = TREES "usage-v1",
                                 [CGROUP_TREE_PIDS] = TREES "usage-v1",
                                 [CGROUP_TREE_CPU] = TREES "usage-v1",
                                 [CGROUP_TREE_CPUACCT] = TREES "usage-v1"}};
    struct cgroup_usage usage = read_usage(v2);
    assert_recorded_usage(&usage);
    usage = read_usage(v1);
    assert_recorded_usage(&usage);
}

static void says_minus_one_for_what_a_host_does_not_count(void **state)
{
    (void)state;
    struct cgroup hybrid = {.mode = CGROUP_HYBRID,
                            .path = {[CGROUP_TREE_UNIFIED] = TREES "usage-v2"}};
    struct cgroup_usage usage = read_usage(hybrid);
    assert_int_equal(usage.cpu_usec, 1234567);
    assert_int_equal(usage.memory_bytes, -1);
    assert_int_equal(usage.oom_kills, -1);
    assert_int_equal(usage.throttled_periods, -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_v1_controllers_beside_a_v2_mount),
        cmocka_unit_test(takes_a_containers_mount_root_off_the_path),
        cmocka_unit_test(finds_the_only_tree_of_v2),
        cmocka_unit_test(leaves_out_a_hierarchy_that_does_not_show_our_cgroup),
        cmocka_unit_test(prefers_a_writable_mount),
        cmocka_unit_test(undoes_the_octal_escapes_of_a_mount_point),
        cmocka_unit_test(names_the_line_that_no_kernel_writes),
        cmocka_unit_test(leaves_out_a_path_that_is_too_long),
        cmocka_unit_test(survives_every_cut_of_a_real_text),
        cmocka_unit_test(reads_whole_numbers_only),
        cmocka_unit_test(finds_a_key_at_the_start_of_a_line_only),
        cmocka_unit_test(takes_pids_until_the_end_and_refuses_anything_else),
        cmocka_unit_test(reads_the_same_usage_from_v1_and_v2),
        cmocka_unit_test(says_minus_one_for_what_a_host_does_not_count),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
