/* corral.toml: every mistake is named with its line, and the printed file is a valid one. */
#include "base/scope.h"
#include "schema/config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static struct err err;

static void assert_refused(const char *text, const char *expected)
{
    struct config config = {0};
    assert_int_equal(config_parse(text, "t.toml", &config, &err), -1);
    assert_int_equal(err.code, ERR_CONFIG);
    assert_string_equal(err.text, expected);
}

static void keys_that_are_not_named_keep_their_defaults(void **state)
{
    (void)state;
    struct config config;
    assert_int_equal(config_parse("[manager]\nmax_sandboxes = 7\n", "t", &config, &err), 0);
    assert_int_equal(config.manager.max_sandboxes, 7);
    assert_int_equal(config.manager.verdict_timeout_ms, 500);
    assert_int_equal(config.sandbox.memory_mb, 512);
}

static void names_line_column_and_key_of_every_mistake(void **state)
{
    (void)state;
    assert_refused("[manager]\n\nmax_sandbox = 7\n",
                   "t.toml:3:1: manager.max_sandbox: no such key");
    assert_refused("[manger]\nx = 1\n", "t.toml:2:1: manger.x: no such section");
    assert_refused("[manger]\n", "t.toml:1:2: manger: no such section");
    assert_refused("max_sandboxes = 7\n",
                   "t.toml:1:1: max_sandboxes: stands outside of every [section]");
    assert_refused("[manager]\nmax_sandboxes = 0\n",
                   "t.toml:2:1: manager.max_sandboxes: 0 is outside 1 to 10000");
    assert_refused("[manager]\nmax_sandboxes = \"7\"\n",
                   "t.toml:2:1: manager.max_sandboxes: must be a whole number");
    assert_refused("[manager]\nlisten = 7\n",
                   "t.toml:2:1: manager.listen: must be a text in quotes");
    assert_refused("[guardian]\napprovals = \"ask\"\n",
                   "t.toml:2:1: guardian.approvals: must be one of queue|deny");
    assert_refused("[guardian]\napprovals = \"\"\n",
                   "t.toml:2:1: guardian.approvals: must be one of queue|deny");
    assert_refused("manager = 5\n",
                   "t.toml:1:1: manager: is a section: its keys stand in lines below [section]");
}

static void refuses_uids_that_two_kinds_of_process_would_share(void **state)
{
    (void)state;
    assert_refused("[service]\nguardian_uid = 5000\naudit_uid = 5000\n",
                   "t.toml:3:1: service.audit_uid: is the guardian's: each needs its own");
    assert_refused("[service]\ngroup_gid = 235167\n", /* the last uid of the default range */
                   "t.toml:2:1: service.group_gid: is for a sandbox: manager.uid_first and "
                   "uid_count hold it");
    assert_refused(
        "[manager]\nuid_first = 231071\nuid_count = 1\n", /* a default stands in no line */
        "t.toml: service.audit_uid: is for a sandbox: manager.uid_first and uid_count "
        "hold it");
    assert_refused("[manager]\nuid_first = 4294901760\nuid_count = 65536\n",
                   "t.toml:3:1: manager.uid_count: there are no uids so high");
    struct config config;
    assert_int_equal(config_parse("[service]\ngroup_gid = 235168\n", "t", &config, &err), 0);
}

static void a_path_is_absolute_or_none(void **state)
{
    (void)state;
    struct config config;
    assert_int_equal(
        config_parse("[guardian]\nrules_dir = \"/etc/corral/rules\"\n", "t", &config, &err), 0);
    assert_string_equal(config.guardian.rules_dir, "/etc/corral/rules");
    assert_int_equal(config_parse("[guardian]\nrules_dir = \"\"\n", "t", &config, &err), 0);
    assert_refused("[guardian]\nrules_dir = \"rules\"\n",
                   "t.toml:2:1: guardian.rules_dir: must be an absolute path");
}

static void counts_ports_up_from_a_tcp_endpoint(void **state)
{
    (void)state;
    char to[CONFIG_TCP_BYTES] = "as it was";
    assert_int_equal(config_tcp("tcp://[::1]:65533", 2, to, &err), 0);
    assert_string_equal(to, "tcp://[::1]:65535");
    assert_int_equal(config_tcp("tcp://*:1", 0, to, &err), 0);
    assert_string_equal(to, "tcp://*:1");
    static const char *const wrong[] = {"",
                                        "tcp://",
                                        "tcp://:1",
                                        "tcp://a",
                                        "tcp://a:",
                                        "tcp://a:0",
                                        "tcp://a:65534",
                                        "tcp://a:99999999999999999999",
                                        "tcp://a:-1",
                                        "tcp://a:+1",
                                        "tcp://a: 1",
                                        "tcp://a b:1",
                                        "tcp://a;tcp://b:1",
                                        "tcp://a/b:1",
                                        "TCP://a:1",
                                        "ipc://a:1"};
    for (size_t i = 0; i < COUNT(wrong); i++) {
        assert_int_equal(config_tcp(wrong[i], 0, to, &err), -1);
        assert_int_equal(err.code, ERR_CONFIG);
        assert_string_equal(to, "tcp://*:1");
    }
}

static void the_printed_file_is_valid_with_and_without_its_comment_signs(void **state)
{
    (void)state;
    struct config defaults, read;
    config_defaults(&defaults);
    SCOPED(bytes_close) struct bytes text = bytes_open(100000), active = bytes_open(100000);
    assert_int_equal(config_print(&text, &err), 0);
    assert_int_equal(config_parse((char *)text.data, "t", &read, &err), 0);
    for (const char *at = (char *)text.data; *at; at++) /* "#key = value" becomes "key = value" */
        if (!(*at == '#' && at[1] != ' '))
            assert_int_equal(bytes_add(&active, at, 1, &err), 0);
    memset(&read, 0xff, sizeof read);
    assert_int_equal(config_parse((char *)active.data, "t", &read, &err), 0);
    assert_memory_equal(&read, &defaults, sizeof read);
}

static void leaves_the_struct_alone_when_it_refuses(void **state)
{
    (void)state;
    struct config config = {.manager.max_sandboxes = 3};
    assert_int_equal(config_parse("[manager]\nworkers = 2\nx = 1\n", "t", &config, &err), -1);
    assert_int_equal(config.manager.max_sandboxes, 3);
    assert_int_equal(config.manager.workers, 0);
}

static void a_missing_file_is_told_from_a_wrong_one(void **state)
{
    (void)state;
    struct config config;
    assert_int_equal(config_load("/nonexistent/corral.toml", &config, &err), -1);
    assert_int_equal(err.code, ERR_NOT_FOUND);
    assert_int_equal(config_load("/", &config, &err), -1);
    assert_int_equal(err.code, ERR_CONFIG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_that_are_not_named_keep_their_defaults),
        cmocka_unit_test(names_line_column_and_key_of_every_mistake),
        cmocka_unit_test(refuses_uids_that_two_kinds_of_process_would_share),
        cmocka_unit_test(a_path_is_absolute_or_none),
        cmocka_unit_test(counts_ports_up_from_a_tcp_endpoint),
        cmocka_unit_test(the_printed_file_is_valid_with_and_without_its_comment_signs),
        cmocka_unit_test(leaves_the_struct_alone_when_it_refuses),
        cmocka_unit_test(a_missing_file_is_told_from_a_wrong_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
