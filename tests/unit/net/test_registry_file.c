/* The registry's file: read back as written, refused whole with the number of the wrong line. */
#include "net/registry_file.h"
#include "base/file.h"
#include "base/scope.h"
#include "base/text.h"
#include "tests/lib/net_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

enum { NOW_S = 1000 };

static struct registry *example(void)
{
    struct err err;
    struct key_pair alice, audit;
    keys_make(&alice);
    keys_make(&audit);
    struct registry_row rows[] = {fixture_row(&alice, "red", "alice", ROLE_AGENT | ROLE_OBSERVER),
                                  fixture_row(&audit, "corral", "audit", ROLE_SERVICE)};
    text_copy(rows[0].agents[1], sizeof rows[0].agents[1], "coder-*");
    rows[0].not_before_s = 5;
    rows[0].not_after_s = 5000;
    text_copy(rows[1].service, sizeof rows[1].service, "audit");
    const struct registry_agent agents[] = {{.tenant = "red", .name = "alice"},
                                            {.tenant = "blue", .name = "bob"}};
    struct registry_parts parts = {3, rows, COUNT(rows), agents, COUNT(agents)};
    struct registry *registry;
    if (registry_make(&parts, NOW_S, &registry, &err))
        fail_msg("%s", err.text);
    return registry;
}

static void assert_refused(const char *text, const char *words)
{
    struct err err;
    struct registry *registry = NULL;
    assert_int_equal(registry_parse(view_of(text), NOW_S, &registry, &err), -1);
    assert_int_equal(err.code, ERR_INVALID);
    if (!strstr(err.text, words))
        fail_msg("\"%s\" does not say \"%s\"", err.text, words);
    assert_null(registry);
}

static void a_saved_registry_loads_again_the_same(void **state)
{
    (void)state;
    struct err err;
    char directory[] = "/tmp/corral-registry-XXXXXX";
    assert_non_null(mkdtemp(directory));
    SCOPED(fd_close) int dir = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    SCOPED(registry_release) struct registry *registry = example(), *again = NULL;
    assert_int_equal(registry_save(dir, "registry", registry, &err), 0);
    if (registry_load(dir, "registry", NOW_S, &again, &err))
        fail_msg("%s", err.text);
    struct registry_parts a = registry_parts(registry), b = registry_parts(again);
    assert_int_equal(b.generation, 3);
    assert_int_equal(b.row_count, a.row_count);
    assert_memory_equal(a.rows, b.rows, a.row_count * sizeof *a.rows);
    assert_int_equal(b.agent_count, a.agent_count);
    assert_memory_equal(a.agents, b.agents, a.agent_count * sizeof *a.agents);

    struct registry *untouched = again;
    assert_int_equal(fchmodat(dir, "registry", 0666, 0), 0);
    assert_int_equal(registry_load(dir, "registry", NOW_S, &untouched, &err), -1);
    assert_non_null(strstr(err.text, "others may write it"));
    assert_ptr_equal(untouched, again);
    assert_int_equal(registry_load(dir, "absent", NOW_S, &untouched, &err), -1);
    assert_int_equal(err.code, ERR_NOT_FOUND);
    assert_int_equal(dir_remove(AT_FDCWD, directory, &err), 0);
}

#define HEAD(keys, agents) "{\"generation\":1,\"keys\":" #keys ",\"agents\":" #agents "}\n"
#define AGENT "{\"tenant\":\"red\",\"name\":\"a\"}\n"
#define KEY(more)                                                                                  \
    "{\"public_key\":\"1234567890123456789012345678901234567890\",\"tenant\":\"red\","             \
    "\"principal\":\"p\"" more "}\n"

static void refuses_the_whole_file_and_names_the_line(void **state)
{
    (void)state;
    assert_refused("", "line 1: missing");
    assert_refused("{\"generation\":1,\"keys\":0,\"agents\":0}", "line 1: missing, or not ended");
    assert_refused(HEAD(0, 2) AGENT, "line 3: missing");
    assert_refused(HEAD(0, 1) AGENT AGENT, "line 3: more lines");
    assert_refused(HEAD(0, 2) AGENT AGENT, "red/a stands twice");
    assert_refused(HEAD(10001, 0), "line 1");
    assert_refused(HEAD(0, 1) "{\"tenant\":\"red\",\"name\":\"a\",\"colour\":1}\n", "colour");
    assert_refused(HEAD(0, 1) "{\"tenant\":\"red\"}\n", "name");
    assert_refused(HEAD(0, 1) "nonsense\n", "line 2");
    assert_refused(HEAD(1, 0) KEY(""), "roles");
    assert_refused(HEAD(1, 0) KEY(",\"roles\":[\"root\"]"), "line 2: roles");
    assert_refused(HEAD(1, 0) KEY(",\"roles\":[\"agent\"],\"agents\":[\"\"]"), "agents[0]");
    assert_refused(HEAD(1, 0) KEY(",\"roles\":[]"), "keys[0]: roles");
}

static void holds_ten_thousand_keys(void **state)
{
    enum { MANY = REGISTRY_MAX_ROWS };
    (void)state;
    struct err err;
    struct registry_row *rows = calloc(MANY, sizeof *rows);
    for (size_t i = 0; i < MANY; i++) {
        char name[NAME_BYTES];
        struct key_pair pair = {0};
        uint8_t raw[KEY_BYTES] = {9, (uint8_t)i, (uint8_t)(i >> 8)};
        keys_show(pair.public_key, raw);
        snprintf(name, sizeof name, "p%zu", i);
        rows[i] = fixture_row(&pair, "red", name, ROLE_AGENT);
    }
    struct registry_parts parts = {.rows = rows, .row_count = MANY};
    SCOPED(registry_release) struct registry *registry = NULL, *again = NULL;
    SCOPED(bytes_close) struct bytes text = bytes_open(16 << 20);
    assert_int_equal(registry_make(&parts, NOW_S, &registry, &err), 0);
    assert_int_equal(registry_print(registry, &text, &err), 0);
    assert_int_equal(registry_parse(bytes_view(&text), NOW_S, &again, &err), 0);
    assert_int_equal(registry_parts(again).row_count, MANY);
    assert_string_equal(registry_find_key(again, rows[1234].public_key)->principal, "p1234");
    free(rows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_saved_registry_loads_again_the_same),
        cmocka_unit_test(refuses_the_whole_file_and_names_the_line),
        cmocka_unit_test(holds_ten_thousand_keys),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
