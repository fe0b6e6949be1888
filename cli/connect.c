/* connect.c - asks services; see connect.h. */
#include "cli/connect.h"
#include "cli/units.h"

#include "base/clock.h"
#include "base/scope.h"
#include "base/text.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum {
    ID_TAIL = 26,
    SOCKETS = 32,            /* of a client and its monitor, for four services */
    CONNECT_WAIT_MS = 10000, /* also the time that a service has to come back */
    GENERATION_LIMIT_MS = 10000,
    GENERATION_PAUSE_MS = 20
};

int connect_open(struct cli *cli, struct connect *connect, struct err *err)
{
    char state[PLACE_STATE_BYTES], path[PLACE_STATE_BYTES + 16];
    const char *wanted = cli->connect_path;
    *connect = (struct connect){.cli = cli, .request = bytes_open(WIRE_BODY_BYTES)};
    if (!wanted) {
        if (place_state(cli->state_path, state, err))
            return -1;
        snprintf(path, sizeof path, "%s/admin.json", state);
        wanted = path;
    }
    return connection_load(AT_FDCWD, wanted, &connect->file, err) ||
                   net_context_open(SOCKETS, &connect->context, err)
               ? -1
               : 0;
}

void connect_close(struct connect *connect)
{
    for (enum part part = 0; part < PARTS; part++)
        client_close(&connect->clients[part]);
    net_context_close(&connect->context);
    bytes_close(&connect->request);
    bytes_close(&connect->answer.body);
    connection_close(&connect->file);
}

int connect_endpoint(const struct connect *connect, enum part part, struct endpoint *endpoint,
                     struct err *err)
{
    return connection_find(&connect->file.connection, part_name(part), endpoint, err);
}

/* A local socket that nobody listens on refuses at once; libzmq would try until the deadline. */
static int check_listens(const char *endpoint, enum part part, struct err *err)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strncmp(endpoint, "ipc://", 6))
        return 0;
    SCOPED(fd_close) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    text_copy(address.sun_path, sizeof address.sun_path, endpoint + 6);
    if (fd < 0 || !connect(fd, (struct sockaddr *)&address, sizeof address) || errno == EAGAIN)
        return 0;
    if (errno == EACCES)
        return err_set(err, ERR_UNAVAILABLE,
                       "this user may not reach the %s at %s; agents of other users need "
                       "manager.listen and a new connection file",
                       part_name(part), endpoint);
    return err_set(err, ERR_UNAVAILABLE,
                   "the %s does not run (nobody listens at %s); corral status says more, corral up "
                   "starts it",
                   part_name(part), endpoint);
}

/* The client of a service, opened when it is first needed. */
static int find_client(struct connect *connect, enum part part, struct client **client,
                       struct err *err)
{
    struct endpoint endpoint;
    if (connect_endpoint(connect, part, &endpoint, err) ||
        check_listens(endpoint.requests, part, err))
        return -1;
    SCOPED(keys_wipe) struct key_pair own = connection_keys(&connect->file.connection);
    struct client_options options = {.context = connect->context,
                                     .endpoint = endpoint.requests,
                                     .server_key = endpoint.server_key,
                                     .own = &own,
                                     .connect_ms = CONNECT_WAIT_MS};
    if (!connect->clients[part] && client_open(&options, &connect->clients[part], err))
        return -1;
    *client = connect->clients[part];
    return 0;
}

/* Makes *err out of an "error" answer, and keeps what else it says. */
static int refused(struct connect *connect, struct err *err)
{
    struct refusal *refusal = &connect->cli->refusal;
    refusal->frame = connect->answer.body;
    connect->answer.body = (struct bytes){0};
    if (schema_decode(&message_failure, bytes_view(&refusal->frame), SCHEMA_LENIENT,
                      &refusal->failure, err)) {
        refusal_close(refusal);
        return err_set(err, ERR_PEER, "an error answer that cannot be read");
    }
    enum err_code code = err_from_name(refusal->failure.code);
    return err_set(err, code == ERR_COUNT ? ERR_PEER : code, "%s", refusal->failure.text);
}

int connect_call(struct connect *connect, enum part part, const struct client_call *call,
                 const struct message *message, void *out, struct err *err)
{
    struct client *client;
    refusal_close(&connect->cli->refusal);
    bytes_close(&connect->answer.body);
    if (find_client(connect, part, &client, err) ||
        client_call(client, call, &connect->answer, err))
        return -1;
    if (connect->answer.status == WIRE_ERROR)
        return refused(connect, err);
    if (schema_decode(message, bytes_view(&connect->answer.body), SCHEMA_LENIENT, out, err))
        return err_set(err, ERR_PEER, "the %s's answer cannot be read", part_name(part));
    return 0;
}

int connect_ask(struct connect *connect, const struct question *q, const void *in, void *out,
                struct err *err)
{
    bytes_clear(&connect->request);
    if (schema_encode(q->request, in, &connect->request, err))
        return -1;
    struct client_call call = {.operation = q->operation,
                               .body = bytes_view(&connect->request),
                               .deadline_ms = q->deadline_ms};
    return connect_call(connect, q->part, &call, q->answer, out, err);
}

int connect_each_sandbox(struct connect *connect, const char *agent,
                         int (*take)(void *context, const struct sandbox_row *row, struct err *err),
                         void *context, struct err *err)
{
    static const struct question question = {PART_MANAGER, "sandbox_list", &message_sandbox_list,
                                             &message_sandbox_rows, CONNECT_ASK_MS};
    struct sandbox_list request = {0};
    struct sandbox_rows page;
    if (agent && !text_copy(request.agent, sizeof request.agent, agent))
        return err_set(err, ERR_INVALID, "\"%.70s\" is too long for an agent", agent);
    do {
        if (connect_ask(connect, &question, &request, &page, err))
            return -1;
        struct list rest = page.sandboxes;
        struct sandbox_row row;
        while (list_next(&rest, &message_sandbox_row, &row)) {
            int result = take(context, &row, err);
            if (result)
                return result;
        }
        if (page.next[0] && strcmp(page.next, request.after) <= 0)
            return err_set(err, ERR_PEER, "the manager's list does not end");
        text_copy(request.after, sizeof request.after, page.next);
    } while (page.next[0]);
    return 0;
}

/* The sandboxes that a prefix may mean. */
struct search {
    const char *prefix;
    char ids[2][SANDBOX_ID_BYTES];
    size_t count;
};

static int search_take(void *context, const struct sandbox_row *row, struct err *err)
{
    (void)err;
    struct search *search = context;
    if (!strncmp(row->sandbox_id, search->prefix, strlen(search->prefix)))
        text_copy(search->ids[search->count++], SANDBOX_ID_BYTES, row->sandbox_id);
    return search->count == COUNT(search->ids);
}

int connect_sandbox(struct connect *connect, const char *prefix, char id[SANDBOX_ID_BYTES],
                    struct err *err)
{
    const char *tail = strrchr(prefix, '_');
    if (tail && strlen(tail + 1) == ID_TAIL && text_copy(id, SANDBOX_ID_BYTES, prefix))
        return 0;
    struct search search = {.prefix = prefix};
    if (!prefix[0])
        return err_set(err, ERR_INVALID, "an empty sandbox id");
    if (connect_each_sandbox(connect, NULL, search_take, &search, err) < 0)
        return -1;
    if (!search.count)
        return err_set(err, ERR_NOT_FOUND, "no live sandbox's id begins with %.40s; corral list",
                       prefix);
    if (search.count > 1)
        return err_set(err, ERR_INVALID, "%.40s may be %s or %s; write more of it", prefix,
                       search.ids[0], search.ids[1]);
    text_copy(id, SANDBOX_ID_BYTES, search.ids[0]);
    return 0;
}

struct option connect_wait_option(int64_t *wait_ms)
{
    return (struct option){"wait-approval",
                           0,
                           "TIME",
                           units_duration_ms,
                           wait_ms,
                           "For a person, when it needs approval, such as 5m; without it such a "
                           "command ends with exit code 75."};
}

/* True when the service says that it has this generation. */
static bool has_generation(struct connect *connect, enum part part, int64_t generation)
{
    const struct question question = {part, "status", &message_nothing, &message_service_status,
                                      CONNECT_STATUS_MS};
    struct nothing nothing = {0};
    struct service_status status;
    struct err ignored;
    return !connect_ask(connect, &question, &nothing, &status, &ignored) &&
           status.generation >= generation;
}

int connect_await_generation(struct connect *connect, int64_t generation, struct err *err)
{
    int64_t limit = clock_boot_ms() + GENERATION_LIMIT_MS;
    bool done[PARTS] = {false};
    for (;;) {
        size_t left = 0;
        enum part last = PART_AUDIT;
        for (enum part part = 0; part < PARTS; part++) {
            done[part] = done[part] || has_generation(connect, part, generation);
            if (!done[part]) {
                left++;
                last = part;
            }
        }
        if (!left)
            return 0;
        if (clock_boot_ms() >= limit)
            return err_set(err, ERR_DEADLINE,
                           "the guardian wrote it (generation %lld), but %zu services have not "
                           "confirmed, such as the %s; corral status",
                           (long long)generation, left, part_name(last));
        poll(NULL, 0, GENERATION_PAUSE_MS);
    }
}
