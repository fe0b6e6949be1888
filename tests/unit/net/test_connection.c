/* Connection files: read back as written, refused when others could read or have made them. */
#include "net/connection.h"
#include "base/file.h"
#include "base/scope.h"
#include "base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

struct place {
    char path[32];
    int fd;
    struct key_pair own, server;
};

static int open_place(void **state)
{
    struct place *p = calloc(1, sizeof *p);
    strcpy(p->path, "/tmp/corral-conn-XXXXXX");
    assert_non_null(mkdtemp(p->path));
    p->fd = open(p->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    keys_make(&p->own);
    keys_make(&p->server);
    *state = p;
    return 0;
}

static int close_place(void **state)
{
    struct place *p = *state;
    struct err err;
    close(p->fd);
    assert_int_equal(dir_remove(AT_FDCWD, p->path, &err), 0);
    free(p);
    return 0;
}

static void save(struct place *p)
{
    struct err err;
    SCOPED(bytes_close) struct bytes store = bytes_open(4096);
    struct connection c = {.tenant = "red", .principal = "alice", .agent = "alice"};
    struct endpoint manager = {.service = "manager", .requests = "tcp://127.0.0.1:7171"};
    text_copy(c.public_key, sizeof c.public_key, p->own.public_key);
    text_copy(c.secret_key, sizeof c.secret_key, p->own.secret_key);
    text_copy(manager.server_key, sizeof manager.server_key, p->server.public_key);
    assert_int_equal(list_add(&store, &c.services, &message_endpoint, &manager, &err), 0);
    if (connection_save(p->fd, "connection", &c, &err))
        fail_msg("%s", err.text);
}

static void assert_refused(struct place *p, const char *words)
{
    struct err err;
    struct connection_file file = {0};
    assert_int_equal(connection_load(p->fd, "connection", &file, &err), -1);
    assert_int_equal(err.code, ERR_INVALID);
    if (!strstr(err.text, words))
        fail_msg("\"%s\" does not say \"%s\"", err.text, words);
    assert_null(strstr(err.text, p->own.secret_key));
    assert_null(file.packed.data);
}

static void a_saved_file_loads_again_and_is_closed_to_others(void **state)
{
    struct place *p = *state;
    struct err err;
    struct stat st;
    struct endpoint e;
    SCOPED(connection_close) struct connection_file file = {0};
    save(p);
    if (connection_load(p->fd, "connection", &file, &err))
        fail_msg("%s", err.text);
    struct key_pair keys = connection_keys(&file.connection);
    assert_memory_equal(&keys, &p->own, sizeof keys);
    assert_string_equal(file.connection.principal, "alice");
    assert_int_equal(connection_find(&file.connection, "manager", &e, &err), 0);
    assert_string_equal(e.requests, "tcp://127.0.0.1:7171");
    assert_int_equal(connection_find(&file.connection, "audit", &e, &err), -1);
    assert_int_equal(err.code, ERR_NOT_FOUND);
    assert_int_equal(fstatat(p->fd, "connection", &st, 0), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
}

static void refuses_a_file_that_others_can_read(void **state)
{
    struct place *p = *state;
    save(p);
    assert_int_equal(fchmodat(p->fd, "connection", 0604, 0), 0);
    assert_refused(p, "chmod 600");
}

static void refuses_keys_that_do_not_belong_together(void **state)
{
    struct place *p = *state;
    struct key_pair other;
    keys_make(&other);
    memcpy(p->own.public_key, other.public_key, sizeof other.public_key);
    save(p);
    assert_refused(p, "does not belong");
}

static void refuses_a_server_key_that_everyone_has(void **state)
{
    struct place *p = *state;
    strcpy(p->server.public_key, "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7");
    save(p);
    assert_refused(p, "server_key of manager");
}

static void refuses_what_is_no_connection(void **state)
{
    struct place *p = *state;
    struct err err;
    static const char *const texts[] = {"", "{}", "[]", "{\"tenant\":\"red\",\"colour\":1}",
                                        "nonsense"};
    for (size_t i = 0; i < COUNT(texts); i++) {
        assert_int_equal(file_replace(p->fd, "connection", texts[i], strlen(texts[i]), 0600, &err),
                         0);
        assert_refused(p, "connection file connection");
    }
}

#define WITH_PLACE(test) cmocka_unit_test_setup_teardown(test, open_place, close_place)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_PLACE(a_saved_file_loads_again_and_is_closed_to_others),
        WITH_PLACE(refuses_a_file_that_others_can_read),
        WITH_PLACE(refuses_keys_that_do_not_belong_together),
        WITH_PLACE(refuses_a_server_key_that_everyone_has),
        WITH_PLACE(refuses_what_is_no_connection),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
