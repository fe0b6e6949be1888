/* The synchronous client against a server on a real socket, in a thread of its own. */
#include "net/client.h"
#include "base/scope.h"
#include "base/text.h"
#include "schema/message.h"
#include "tests/lib/net_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <assert.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>

#include <cmocka.h>

enum { CHUNKS = 3 };

/* What the operations of the server do:
 *   echo     answers with the body                  fail     answers with a failure
 *   stream   a data frame, and one more for each op.credit, then ok
 *   restart  loses the connection at the first request, answers the second
 *   silent   nothing                                quit     ends the thread */
struct server {
    struct fixture f;
    pthread_t thread;
    void *socket;
    char endpoint[NET_ENDPOINT_BYTES];
    uint8_t id[WIRE_ID_BYTES]; /* of the last restart or stream */
    int restarts, chunks;
};

static void answer(struct server *s, struct view peer, const uint8_t *id, enum wire_status status,
                   struct view body)
{
    struct err err;
    struct wire_frames frames = wire_answer_frames(peer, false, id, status, body);
    assert(!net_send(s->socket, frames.frames, frames.count, &err));
}

static void answer_failure(struct server *s, struct view peer, const uint8_t *id)
{
    struct err err;
    SCOPED(bytes_close) struct bytes body = bytes_open(1024);
    struct failure failure = {.code = "quota", .text = "five sandboxes are in use"};
    assert(!schema_encode(&message_failure, &failure, &body, &err));
    answer(s, peer, id, WIRE_ERROR, bytes_view(&body));
}

/* Closes the socket with its connections and binds another one in its place. */
static void restart(struct server *s)
{
    struct err err;
    enum monitor_event event;
    SCOPED(monitor_close) struct monitor monitor = {0};
    struct net_options options = fixture_server(&s->f, NET_ROUTER);
    assert(!monitor_open(s->f.context, s->socket, &monitor, &err));
    assert(!zmq_unbind(s->socket, s->endpoint));
    assert(monitor_wait(&monitor, 1U << MONITOR_UNBOUND, FIXTURE_PATIENCE_MS, &event, &err) == 1);
    monitor_close(&monitor);
    net_close(&s->socket);
    assert(!net_open(s->f.context, &options, &s->socket, &err));
    assert(!net_bind(s->socket, s->endpoint, 0600, s->endpoint, &err));
}

static void on_stream(struct server *s, struct view peer, const uint8_t *id)
{
    char chunk[16];
    snprintf(chunk, sizeof chunk, "chunk%d", s->chunks);
    if (s->chunks++ < CHUNKS)
        answer(s, peer, id, WIRE_DATA, view_of(chunk));
    else
        answer(s, peer, id, WIRE_OK, view_of("end"));
}

/* False when the thread is to end. */
static bool on_request(struct server *s, const struct net_message *message)
{
    struct err err;
    struct wire_request r;
    struct view peer = message->frames[0];
    assert(!wire_parse_request(message->frames + 1, message->count - 1, &r, &err));
    if (!strcmp(r.operation, "echo") || !strcmp(r.operation, "quit"))
        answer(s, peer, r.id, WIRE_OK, r.body);
    if (!strcmp(r.operation, "fail"))
        answer_failure(s, peer, r.id);
    if (!strcmp(r.operation, "stream"))
        memcpy(s->id, r.id, sizeof s->id);
    if (!strcmp(r.operation, "stream") || !strcmp(r.operation, "op.credit"))
        on_stream(s, peer, s->id);
    if (!strcmp(r.operation, "restart") && !s->restarts++) {
        memcpy(s->id, r.id, sizeof s->id);
        restart(s);
    } else if (!strcmp(r.operation, "restart")) {
        answer(s, peer, r.id, WIRE_OK, (struct view){r.id, sizeof r.id});
    }
    return strcmp(r.operation, "quit") != 0;
}

static void *serve(void *arg)
{
    struct server *s = arg;
    for (bool going = true; going;) {
        struct err err;
        struct net_message message = {0};
        assert(fixture_wait(s->socket, -1));
        if (net_recv(s->socket, &message, &err) != 1)
            continue;
        going = on_request(s, &message);
        net_message_close(&message);
    }
    return NULL;
}

static struct client *open_client(struct server *s, const struct key_pair *own, const char *key)
{
    struct err err;
    struct client *client;
    struct client_options options = {.context = s->f.context,
                                     .endpoint = s->endpoint,
                                     .server_key = key,
                                     .own = own,
                                     .connect_ms = FIXTURE_PATIENCE_MS};
    if (client_open(&options, &client, &err))
        fail_msg("%s", err.text);
    return client;
}

static struct client *open_alice(struct server *s)
{
    return open_client(s, &s->f.alice, s->f.server.public_key);
}

static struct client_call call_of(const char *operation)
{
    return (struct client_call){
        .operation = operation, .body = view_of("body"), .deadline_ms = FIXTURE_PATIENCE_MS};
}

static int open_server(void **state)
{
    struct server *s = calloc(1, sizeof *s);
    fixture_open(&s->f);
    s->socket = fixture_bind(&s->f, NET_ROUTER, "door", s->endpoint);
    *state = s;
    return pthread_create(&s->thread, NULL, serve, s);
}

static int close_server(void **state)
{
    struct server *s = *state;
    struct err err;
    struct client_call quit = call_of("quit");
    SCOPED(client_close) struct client *client = open_alice(s);
    struct client_answer got;
    if (client_call(client, &quit, &got, &err))
        fail_msg("%s", err.text);
    bytes_close(&got.body);
    client_close(&client);
    pthread_join(s->thread, NULL);
    net_close(&s->socket);
    fixture_close(&s->f);
    free(s);
    return 0;
}

static void assert_answer(const struct client_answer *got, enum wire_status status,
                          const char *body)
{
    assert_int_equal(got->status, status);
    assert_true(view_equal(bytes_view(&got->body), view_of(body)));
}

static void gets_the_answer_to_its_request(void **state)
{
    SCOPED(client_close) struct client *client = open_alice(*state);
    struct client_call call = call_of("echo");
    for (int i = 0; i < 3; i++) {
        struct err err;
        struct client_answer got = {0};
        if (client_call(client, &call, &got, &err))
            fail_msg("%s", err.text);
        assert_answer(&got, WIRE_OK, "body");
        bytes_close(&got.body);
    }
}

static void a_refusal_is_an_answer_and_becomes_an_error(void **state)
{
    struct err err;
    struct client_call call = call_of("fail");
    struct client_answer got = {0};
    SCOPED(client_close) struct client *client = open_alice(*state);
    assert_int_equal(client_call(client, &call, &got, &err), 0);
    assert_int_equal(got.status, WIRE_ERROR);
    assert_int_equal(client_refusal(&got, &err), -1);
    assert_int_equal(err.code, ERR_QUOTA);
    assert_string_equal(err.text, "five sandboxes are in use");
    bytes_close(&got.body);
    got.body = bytes_open(8);
    assert_int_equal(bytes_add(&got.body, "\xc1", 1, &err), 0);
    assert_int_equal(client_refusal(&got, &err), -1);
    assert_int_equal(err.code, ERR_PEER);
    bytes_close(&got.body);
}

static int give_credit(void *arg, struct client *client, struct view body, struct err *err)
{
    char expected[16];
    int *chunks = arg;
    snprintf(expected, sizeof expected, "chunk%d", (*chunks)++);
    assert_true(view_equal(body, view_of(expected)));
    return client_tell(client, "op.credit", view_of("more"), err);
}

static void streams_while_it_gives_credit(void **state)
{
    struct err err;
    int chunks = 0;
    struct client_call call = call_of("stream");
    struct client_answer got = {0};
    SCOPED(client_close) struct client *client = open_alice(*state);
    call.on_data = give_credit;
    call.arg = &chunks;
    if (client_call(client, &call, &got, &err))
        fail_msg("%s", err.text);
    assert_int_equal(chunks, CHUNKS);
    assert_answer(&got, WIRE_OK, "end");
    bytes_close(&got.body);
}

static void refuses_a_stream_that_it_did_not_ask_for(void **state)
{
    struct err err;
    struct client_call call = call_of("stream");
    struct client_answer got = {0};
    SCOPED(client_close) struct client *client = open_alice(*state);
    assert_int_equal(client_call(client, &call, &got, &err), -1);
    assert_int_equal(err.code, ERR_PEER);
}

static void sends_again_with_the_same_id_when_the_connection_was_lost(void **state)
{
    struct server *s = *state;
    struct err err;
    struct client_call call = call_of("restart");
    struct client_answer got = {0};
    SCOPED(client_close) struct client *client = open_alice(s);
    if (client_call(client, &call, &got, &err))
        fail_msg("%s", err.text);
    assert_int_equal(s->restarts, 2);
    assert_true(view_equal(bytes_view(&got.body), (struct view){s->id, sizeof s->id}));
    bytes_close(&got.body);
}

static void says_when_nobody_listens(void **state)
{
    struct server *s = *state;
    struct err err;
    struct client *client;
    char nowhere[NET_ENDPOINT_BYTES];
    snprintf(nowhere, sizeof nowhere, "ipc://%s/nobody", s->f.directory);
    struct client_options options = {.context = s->f.context,
                                     .endpoint = nowhere,
                                     .server_key = s->f.server.public_key,
                                     .own = &s->f.alice,
                                     .connect_ms = 100};
    struct client_call call = call_of("echo");
    struct client_answer got;
    assert_int_equal(client_open(&options, &client, &err), 0);
    assert_int_equal(client_call(client, &call, &got, &err), -1);
    assert_int_equal(err.code, ERR_UNAVAILABLE);
    assert_non_null(strstr(err.text, "nobody answers"));
    client_close(&client);
}

static void says_when_its_key_is_not_known(void **state)
{
    struct server *s = *state;
    struct err err;
    struct client_call call = call_of("echo");
    struct client_answer got;
    SCOPED(client_close)
    struct client *client = open_client(s, &s->f.stranger, s->f.server.public_key);
    for (int i = 0; i < 2; i++) { /* it stays so */
        assert_int_equal(client_call(client, &call, &got, &err), -1);
        assert_int_equal(err.code, ERR_FORBIDDEN);
    }
}

static void says_when_the_server_has_another_key(void **state)
{
    struct server *s = *state;
    struct err err;
    struct client *client;
    struct client_options options = {.context = s->f.context,
                                     .endpoint = s->endpoint,
                                     .server_key = s->f.bob.public_key,
                                     .own = &s->f.alice,
                                     .connect_ms = 1500};
    struct client_call call = call_of("echo");
    struct client_answer got;
    assert_int_equal(client_open(&options, &client, &err), 0);
    assert_int_equal(client_call(client, &call, &got, &err), -1);
    assert_int_equal(err.code, ERR_UNAVAILABLE);
    assert_non_null(strstr(err.text, "is not the service"));
    client_close(&client);
}

static void does_not_claim_to_know_what_became_of_an_unanswered_request(void **state)
{
    struct err err;
    struct client_call first = call_of("echo"), call = call_of("silent");
    struct client_answer got;
    SCOPED(client_close) struct client *client = open_alice(*state);
    assert_int_equal(client_call(client, &first, &got, &err), 0); /* the connection stands */
    bytes_close(&got.body);
    call.deadline_ms = 300;
    assert_int_equal(client_call(client, &call, &got, &err), -1);
    assert_int_equal(err.code, ERR_LOST);
}

static int hang_up(void *arg, struct client *client, struct err *err)
{
    assert_non_null(client);
    eventfd_t ignored;
    eventfd_read(*(int *)arg, &ignored);
    return err_set(err, ERR_CANCELLED, "hung up");
}

static void another_descriptor_can_end_a_call(void **state)
{
    struct err err;
    int fd = eventfd(1, EFD_CLOEXEC);
    struct client_watch watches[] = {{.fd = -1}, {.fd = fd, .ready = hang_up, .arg = &fd}};
    struct client_call call = call_of("silent");
    struct client_answer got;
    SCOPED(client_close) struct client *client = open_alice(*state);
    call.watches = watches;
    call.watch_count = COUNT(watches);
    assert_int_equal(client_call(client, &call, &got, &err), -1);
    assert_int_equal(err.code, ERR_CANCELLED);
    close(fd);
}

#define WITH_SERVER(test) cmocka_unit_test_setup_teardown(test, open_server, close_server)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_SERVER(gets_the_answer_to_its_request),
        WITH_SERVER(a_refusal_is_an_answer_and_becomes_an_error),
        WITH_SERVER(streams_while_it_gives_credit),
        WITH_SERVER(refuses_a_stream_that_it_did_not_ask_for),
        WITH_SERVER(sends_again_with_the_same_id_when_the_connection_was_lost),
        WITH_SERVER(says_when_nobody_listens),
        WITH_SERVER(says_when_its_key_is_not_known),
        WITH_SERVER(says_when_the_server_has_another_key),
        WITH_SERVER(does_not_claim_to_know_what_became_of_an_unanswered_request),
        WITH_SERVER(another_descriptor_can_end_a_call),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
