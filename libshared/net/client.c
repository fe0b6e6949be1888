/* client.c - the synchronous client; see client.h.
 *
 * A call is a loop over three sources: the socket (answers), its monitor (is the connection up?)
 * and the caller's own descriptors. The request is sent when the connection has come up, and again
 * whenever it has come up anew.
 */
#include "net/client.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/rand.h"
#include "base/scope.h"
#include "base/text.h"
#include "net/monitor.h"
#include "net/socket.h"
#include "schema/message.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { QUEUE_MESSAGES = 1000 };

struct client {
    void *socket;
    struct monitor monitor;
    char endpoint[NET_ENDPOINT_BYTES];
    int connect_ms;
    bool up;        /* the handshake is done */
    bool unwelcome; /* our key was refused; libzmq does not try again */
    bool stranger;  /* somebody listened, but the handshake with him failed */
};

/* A call under way. */
struct course {
    struct wire_request request;
    int64_t until_ms;         /* clock_boot_ms */
    int64_t connect_until_ms; /* while there is no connection */
    bool sent;                /* on the connection that is up */
    bool ever_sent;
    bool done;
};

int client_open(const struct client_options *options, struct client **to, struct err *err)
{
    SCOPED(client_close) struct client *client = mem_new(1, sizeof *client);
    if (!client)
        return err_set(err, ERR_MEMORY, "no memory for a client");
    struct net_options socket = {.kind = NET_DEALER,
                                 .own = options->own,
                                 .server_key = options->server_key,
                                 .frame_max_bytes = NET_SERVICE_FRAME_BYTES,
                                 .queue_messages = QUEUE_MESSAGES,
                                 .linger_ms = NET_LINGER_NONE_MS};
    client->connect_ms = options->connect_ms;
    text_copy(client->endpoint, sizeof client->endpoint, options->endpoint);
    if (net_open(options->context, &socket, &client->socket, err) ||
        monitor_open(options->context, client->socket, &client->monitor, err) ||
        net_connect(client->socket, options->endpoint, err))
        return -1;
    *to = TAKE(client);
    return 0;
}

void client_close(struct client **client)
{
    struct client *c = TAKE(*client);
    if (!c)
        return;
    monitor_close(&c->monitor);
    net_close(&c->socket);
    free(c);
}

static int send_request(struct client *client, const struct wire_request *request, struct err *err)
{
    struct wire_frames frames = wire_request_frames(request);
    return net_send(client->socket, frames.frames, frames.count, err);
}

/* Makes a request; false when the operation's name does not fit. */
static bool fill(struct wire_request *request, const char *operation, struct view body,
                 const uint8_t *id)
{
    *request = (struct wire_request){.body = body};
    if (id)
        memcpy(request->id, id, WIRE_ID_BYTES);
    else
        rand_fill(request->id, WIRE_ID_BYTES);
    return text_copy(request->operation, sizeof request->operation, operation);
}

int client_tell(struct client *client, const char *operation, struct view body, struct err *err)
{
    struct wire_request request;
    bool fits = fill(&request, operation, body, NULL);
    assert(fits);
    return send_request(client, &request, err);
}

/* Follows the connection; a request that was sent on a lost one has to be sent again. */
static int on_monitor(struct client *client, struct course *course, struct err *err)
{
    enum monitor_event event;
    int got;
    while ((got = monitor_next(&client->monitor, &event, err)) > 0) {
        client->unwelcome |= event == MONITOR_UNWELCOME;
        client->stranger |= event == MONITOR_NO_CURVE;
        if (event != MONITOR_UP && event != MONITOR_DOWN)
            continue;
        if (client->up && event == MONITOR_DOWN)
            course->connect_until_ms = clock_boot_ms() + client->connect_ms;
        client->up = event == MONITOR_UP;
        course->sent = false;
    }
    return got;
}

/* Takes one answer: ours ends the call or goes to on_data, others are answers to client_tell. */
static int on_answer(struct client *client, const struct client_call *call, struct course *course,
                     const struct net_message *message, struct client_answer *out, struct err *err)
{
    struct wire_answer answer;
    if (wire_parse_answer(message->frames, message->count, &answer, err)) {
        err->code = ERR_PEER;
        return err_add(err, "the answer of %s", client->endpoint);
    }
    if (memcmp(answer.id, course->request.id, WIRE_ID_BYTES) != 0)
        return 0;
    if (answer.status == WIRE_DATA && !call->on_data)
        return err_set(err, ERR_PEER, "%s streams an answer, which was not asked for",
                       client->endpoint);
    if (answer.status == WIRE_DATA)
        return call->on_data(call->arg, client, answer.body, err);
    struct bytes body = bytes_open(answer.body.len);
    if (bytes_add(&body, answer.body.data, answer.body.len, err))
        return -1;
    *out = (struct client_answer){answer.status, body};
    course->done = true;
    return 0;
}

static int on_socket(struct client *client, const struct client_call *call, struct course *course,
                     struct client_answer *out, struct err *err)
{
    int got = 0;
    while (!course->done) {
        SCOPED(net_message_close) struct net_message message = {0};
        got = net_recv_unnamed(client->socket, &message, err);
        if (got <= 0)
            break;
        if (on_answer(client, call, course, &message, out, err))
            return -1;
    }
    return got < 0 ? -1 : 0;
}

/* Why nothing came of a call that was sent: nobody can say what became of it. */
static int give_up_sent(const struct client *client, struct err *err)
{
    const char *why = client->unwelcome ? "it does not know this key any more"
                      : !client->up     ? "the connection was lost and did not come back"
                                        : "no answer came in time";
    return err_set(err, ERR_LOST, "%s: %s; what became of the request is not known",
                   client->endpoint, why);
}

/* Why nothing came of a call whose time is up. */
static int give_up(const struct client *client, const struct course *course, struct err *err)
{
    if (course->ever_sent)
        return give_up_sent(client, err);
    if (client->unwelcome)
        return err_set(err, ERR_FORBIDDEN,
                       "the service at %s does not know this key: was it revoked, or made for "
                       "another Corral?",
                       client->endpoint);
    if (client->stranger)
        return err_set(err, ERR_UNAVAILABLE,
                       "what listens at %s is not the service whose key the connection file has",
                       client->endpoint);
    return err_set(err, ERR_UNAVAILABLE, "nobody answers at %s; is Corral running? corral up",
                   client->endpoint);
}

/* Milliseconds until the call has to end, 0 or less when it has. */
static int64_t time_left(const struct client *client, const struct course *course)
{
    int64_t now_ms = clock_boot_ms();
    int64_t left = course->until_ms - now_ms, connect_left = course->connect_until_ms - now_ms;
    if (client->unwelcome)
        return 0;
    return !client->up && connect_left < left ? connect_left : left;
}

static int on_watches(struct client *client, const struct client_call *call,
                      const zmq_pollitem_t *items, struct err *err)
{
    for (size_t i = 0; i < call->watch_count; i++) {
        struct client_watch *watch = &call->watches[i];
        if (items[i].revents && watch->fd >= 0 && watch->ready(watch->arg, client, err))
            return -1;
    }
    return 0;
}

/* One turn: waits, then takes answers before news of the connection, since the last words of a
 * service that ends come with the news of its end. */
static int turn(struct client *client, const struct client_call *call, struct course *course,
                int64_t left_ms, struct client_answer *out, struct err *err)
{
    enum { SOCKET, MONITOR, WATCHES };
    bool unsent = client->up && !course->sent;
    zmq_pollitem_t items[WATCHES + CLIENT_MAX_WATCHES] = {
        {.socket = client->socket, .events = (short)(ZMQ_POLLIN | (unsent ? ZMQ_POLLOUT : 0))},
        {.socket = client->monitor.reader, .events = ZMQ_POLLIN}};
    for (size_t i = 0; i < call->watch_count; i++)
        items[WATCHES + i] =
            (zmq_pollitem_t){.fd = call->watches[i].fd, .events = ZMQ_POLLIN | ZMQ_POLLERR};

    if (zmq_poll(items, WATCHES + (int)call->watch_count, (long)left_ms) < 0)
        return errno == EINTR ? 0 : err_sys(err, "waiting for %s", client->endpoint);
    if (on_socket(client, call, course, out, err) || course->done)
        return course->done ? 0 : -1;
    if (on_monitor(client, course, err))
        return -1;
    if (unsent && client->up && (items[SOCKET].revents & ZMQ_POLLOUT)) {
        course->sent = !send_request(client, &course->request, err);
        course->ever_sent |= course->sent;
        if (!course->sent && err->code != ERR_OVERLOADED)
            return -1;
    }
    return on_watches(client, call, items + WATCHES, err);
}

int client_call(struct client *client, const struct client_call *call, struct client_answer *answer,
                struct err *err)
{
    assert(call->watch_count <= CLIENT_MAX_WATCHES);
    int64_t now_ms = clock_boot_ms();
    struct course course = {.until_ms = now_ms + call->deadline_ms,
                            .connect_until_ms = now_ms + client->connect_ms};
    bool fits = fill(&course.request, call->operation, call->body, call->id);
    assert(fits);
    while (!course.done) {
        int64_t left_ms = time_left(client, &course);
        if (left_ms <= 0)
            return give_up(client, &course, err);
        if (turn(client, call, &course, left_ms, answer, err))
            return -1;
    }
    return 0;
}

int client_refusal(const struct client_answer *answer, struct err *err)
{
    struct failure failure;
    assert(answer->status == WIRE_ERROR);
    if (schema_decode(&message_failure, bytes_view(&answer->body), SCHEMA_LENIENT, &failure, err)) {
        err->code = ERR_PEER;
        return err_add(err, "an error answer");
    }
    enum err_code code = err_from_name(failure.code);
    return err_set(err, code == ERR_COUNT ? ERR_PEER : code, "%s", failure.text);
}
