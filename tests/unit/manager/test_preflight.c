/* Preflight on this very host, and its report. */
#include "manager/preflight.h"

#include "base/scope.h"
#include "data/pack.h"

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

static char dir[64];

static struct preflight run(void)
{
    struct err err;
    struct preflight p;
    struct preflight_options options = {dir, BIN_DIR "/corral-init", geteuid() ? -1 : 199009};
    if (preflight_run(&options, &p, &err))
        fail_msg("%s", err.text);
    return p;
}

static const struct preflight_check *find(const struct preflight *p, const char *name)
{
    for (size_t i = 0; i < p->count; i++)
        if (!strcmp(p->checks[i].name, name))
            return &p->checks[i];
    return NULL;
}

static void show(const struct preflight *p)
{
    struct err err;
    SCOPED(bytes_close) struct bytes text = bytes_open(65536);
    assert_int_equal(preflight_show(p, false, &text, &err), 0);
    print_message("%s", (char *)text.data);
}

static void the_level_follows_from_the_probes_and_nothing_is_left(void **state)
{
    (void)state;
    struct preflight p = run();
    show(&p);
    const struct preflight_check *sandbox = find(&p, "sandbox");
    assert_non_null(sandbox);
    if (p.level == PREFLIGHT_NONE) {
        bool any_fails = false;
        for (size_t i = 0; i < p.count; i++)
            any_fails |= p.checks[i].result == PREFLIGHT_FAIL;
        assert_true(any_fails);
    } else {
        assert_int_equal(sandbox->result, PREFLIGHT_OK);
        assert_int_equal(find(&p, "isolation")->result, PREFLIGHT_OK);
        assert_int_equal(find(&p, "memory-limit")->result != PREFLIGHT_OK,
                         (p.unenforced & CGROUP_MEMORY) != 0);
        assert_int_equal(find(&p, "pids-limit")->result != PREFLIGHT_OK,
                         (p.unenforced & CGROUP_PIDS) != 0);
        assert_int_equal(find(&p, "cpu-limit")->result != PREFLIGHT_OK,
                         (p.unenforced & CGROUP_CPU) != 0);
        assert_int_equal(p.level, p.unenforced ? PREFLIGHT_PARTIAL : PREFLIGHT_FULL);
    }
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    assert_int_equal(rmdir(dir), 0);
    assert_int_equal(mkdir(dir, 0700), 0);
}

static void a_missing_bwrap_is_level_none_with_a_remedy(void **state)
{
    (void)state;
    char *path = strdup(getenv("PATH"));
    assert_int_equal(setenv("PATH", "/nonexistent", 1), 0);
    struct preflight p = run();
    assert_int_equal(setenv("PATH", path, 1), 0);
    free(path);
    assert_int_equal(p.level, PREFLIGHT_NONE);
    assert_int_equal(find(&p, "bubblewrap")->result, PREFLIGHT_FAIL);
    assert_string_equal(find(&p, "bubblewrap")->remedy, "apt-get install bubblewrap");
    assert_int_equal(find(&p, "sandbox")->result, PREFLIGHT_FAIL);
}

static void root_must_name_a_uid(void **state)
{
    (void)state;
    struct err err;
    struct preflight p;
    struct preflight_options options = {dir, BIN_DIR "/corral-init", -1};
    if (geteuid()) {
        print_message("SKIPPED: not root\n");
        skip();
    }
    assert_int_equal(preflight_run(&options, &p, &err), -1);
    assert_int_equal(err.code, ERR_INVALID);
}

static void reports_in_words_and_in_msgpack(void **state)
{
    (void)state;
    struct err err;
    struct preflight p = {.level = PREFLIGHT_PARTIAL, .unenforced = CGROUP_MEMORY | CGROUP_CPU};
    preflight_add(&p, "cgroups", PREFLIGHT_WARN, "do this", "found %d", 7);
    SCOPED(bytes_close) struct bytes text = bytes_open(65536);
    SCOPED(bytes_close) struct bytes packed = bytes_open(65536);
    assert_int_equal(preflight_show(&p, false, &text, &err), 0);
    assert_string_equal((char *)text.data,
                        "warn  cgroups        found 7\n"
                        "                     -> do this\n"
                        "level partial: isolation holds, these limits do not: memory,cpu\n"
                        "  sandboxes are refused unless --allow-unenforced memory,cpu is given\n");
    assert_int_equal(preflight_pack(&p, &packed, &err), 0);
    assert_int_equal(pack_scan(bytes_view(&packed), &err), 0);
    assert_non_null(memmem(packed.data, packed.len, "partial", 7));
    assert_non_null(memmem(packed.data, packed.len, "do this", 7));
}

static int make_dir(void **state)
{
    (void)state;
    snprintf(dir, sizeof dir, "/tmp/corral-test-XXXXXX");
    return mkdtemp(dir) ? 0 : -1;
}

static int remove_dir(void **state)
{
    (void)state;
    return rmdir(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_level_follows_from_the_probes_and_nothing_is_left),
        cmocka_unit_test(a_missing_bwrap_is_level_none_with_a_remedy),
        cmocka_unit_test(root_must_name_a_uid),
        cmocka_unit_test(reports_in_words_and_in_msgpack),
    };
    return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
