/* The start-up probe: content with our sockets, and not with any that let a stranger in. */
#include "net/probe.h"
#include "base/scope.h"
#include "tests/lib/net_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static int open_fixture(void **state)
{
    struct fixture *f = malloc(sizeof *f);
    fixture_open(f);
    *state = f;
    return 0;
}

static int close_fixture(void **state)
{
    fixture_close(*state);
    free(*state);
    return 0;
}

static void is_content_with_every_kind_of_server(void **state)
{
    struct fixture *f = *state;
    struct err err;
    for (enum net_kind kind = NET_ROUTER; kind <= NET_SUB_IN; kind++)
        for (int tcp = 0; tcp < 2; tcp++) {
            char bound[NET_ENDPOINT_BYTES], name[16];
            snprintf(name, sizeof name, "door%d", kind); /* the last one may still be closing */
            SCOPED(net_close) void *server = fixture_bind(f, kind, tcp ? NULL : name, bound);
            assert_non_null(server);
            if (probe_endpoint(f->context, kind, bound, f->server.public_key, &err))
                fail_msg("%s", err.text);
        }
}

/* A server as libzmq makes it when nobody tells it better. */
static void probe_careless(struct fixture *f, bool curve, const char *words)
{
    struct err err;
    int one = 1, none = 0;
    char endpoint[128];
    snprintf(endpoint, sizeof endpoint, "ipc://%s/careless", f->directory);
    void *server = zmq_socket(f->context, ZMQ_ROUTER);
    zmq_setsockopt(server, ZMQ_LINGER, &none, sizeof none);
    if (curve) {
        zmq_setsockopt(server, ZMQ_CURVE_SERVER, &one, sizeof one);
        zmq_setsockopt(server, ZMQ_CURVE_SECRETKEY, f->server.secret_key, 40);
    }
    assert_int_equal(zmq_bind(server, endpoint), 0);
    int failed = probe_endpoint(f->context, NET_ROUTER, endpoint, f->server.public_key, &err);
    net_close(&server);
    assert_int_equal(failed, -1);
    assert_int_equal(err.code, ERR_STATE);
    assert_non_null(strstr(err.text, words));
}

static void finds_a_server_that_takes_every_key(void **state)
{
    struct fixture *f = *state;
    zap_stop(&f->zap);
    probe_careless(f, true, "lets in an unknown key");
}

static void finds_a_server_without_security(void **state)
{
    struct fixture *f = *state;
    zap_stop(&f->zap);
    probe_careless(f, false, "lets in a client without a key");
}

static void is_not_content_when_nobody_answers(void **state)
{
    struct fixture *f = *state;
    struct err err;
    char endpoint[128];
    snprintf(endpoint, sizeof endpoint, "ipc://%s/nobody", f->directory);
    assert_int_equal(probe_endpoint(f->context, NET_ROUTER, endpoint, f->server.public_key, &err),
                     -1);
    assert_int_equal(err.code, ERR_UNAVAILABLE);
}

#define WITH_FIXTURE(test) cmocka_unit_test_setup_teardown(test, open_fixture, close_fixture)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_FIXTURE(is_content_with_every_kind_of_server),
        WITH_FIXTURE(finds_a_server_that_takes_every_key),
        WITH_FIXTURE(finds_a_server_without_security),
        WITH_FIXTURE(is_not_content_when_nobody_answers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
