/* service.h - what every service is made of: its options, keys, directories, sockets, journal,
 * dispatch, clean end.
 *
 * A service's main.c is its table of contents: a struct service_table with the queries and
 * operations and who may call each, then `return service_main(argc, argv, &table)`.
 *
 * Files, below --state DIR (made by `corral up`, which also makes the keys):
 *   DIR/<service>/             0700, the service's own uid; a second instance is refused
 *   DIR/<service>/service.key  the service's CURVE pair
 *   DIR/<service>/journal/     see store/journal.h
 *   DIR/public/registry.json   who may connect; written by the guardian, read by all, again on
 *                              SIGHUP and when it changes
 *   DIR/public/services.json   the services' public keys and endpoints (message `services`)
 *   DIR/leases/                root only: manager and monitor
 *
 * Sockets are in --run DIR/<service>/, a short path.
 *
 * Options of every service: --state DIR --run DIR [--config FILE] [--ready-fd N] [--uid N --gid N]
 * [--log-level L], and by themselves: --check-config FILE, --describe, --version, --help.
 */
#pragma once

#include "schema/config.h"
#include "service/call.h"
#include "service/loop.h"
#include "service/op.h"
#include "service/outbox.h"
#include "service/projection.h"
#include "service/workers.h"

enum { SERVICE_MAX_QUERIES = 32 };

/* Answers at once, from memory. `state` is the service's own; `in` and `out` are the decoded
 * request and the zeroed answer. Lists of the answer go to call->scratch. */
typedef int query_handler(void *state, const struct call *call, const void *in, void *out,
                          struct err *err);

struct query {
    const char *operation;
    const struct message *request, *answer;
    unsigned roles;
    const char *service; /* for ROLE_SERVICE: which service may call it; NULL: any */
    query_handler *handler;
    const char *doc;
};

struct service_table {
    const char *name;                          /* "manager" */
    const char *doc;                           /* one sentence */
    const struct query *queries;               /* ends with a row without operation */
    const struct op_kind *const *operations;   /* ends with NULL */
    const struct projection_table *projection; /* NULL: none */
    bool has_events; /* binds an XPUB for replies and live events and a SUB for published requests
                        (manager) */
    bool is_audit;   /* records go to its own store, not over a socket */

    /* Makes the service's state once sockets, journal and projection stand; before ready. */
    int (*open)(struct service *service, void **state, struct err *err);
    /* Releases it; the loop has ended. */
    void (*close)(void *state);
    /* The registry changed; may be NULL. */
    void (*registry_changed)(void *state);
    /* The journal has everything up to seq on disk; may be NULL. */
    void (*durable)(void *state, uint64_t seq);
    /* SIGHUP: looks again at the files that are its own; may be NULL. */
    void (*reload)(void *state);
    /* Adds the service's own counts and state to the answer of its status query; may be NULL. */
    void (*status)(void *state, struct service_status *status);
    /* Handles an operation of its own from the socket before dispatch; true: taken. Used by the
     * audit for records. */
    bool (*intercept)(void *state, const struct call *call, const char *operation,
                      struct view body);
    /* Takes an event of the audit's own, which has no journal (is_audit only). */
    void (*own_event)(void *state, const struct event *event);
    /* Another way to run, such as the manager's --preflight: true when it was asked for and
     * *exit_code is set. argv is without the program's name. */
    bool (*option)(int argc, char **argv, int *exit_code);
    const char *option_help; /* its line in --help; NULL without option */
};

/* For a file or directory of the state that cannot be used: err_config unless it is ERR_IO, and
 * says who makes what is missing. Returns -1. */
int service_unusable(struct err *err);

struct service {
    const struct service_table *table;
    void *state;
    struct config config;
    struct loop *loop;
    struct workers *workers;
    struct outbox *outbox;
    struct projection *projection; /* NULL when the table has none */
    struct registry_slot *registry;
    char state_path[256];  /* DIR */
    char own_path[256];    /* DIR/<service> */
    char run_path[108];    /* --run */
    char config_path[256]; /* --config; "" when there is none */
    char host[65];
    char instance[9];     /* eight hex digits: names cgroups, directories, ids */
    char verdict_key[65]; /* the guardian's Ed25519 public key in hex */
    char source[81];      /* <service>@<host id> */
    int64_t started_boot_ms;
    struct service_net *net;   /* sockets: service_net.c */
    struct dispatch *dispatch; /* operations in progress, stored replies: dispatch.c */
};

/* The row that every service has: its status. */
query_handler on_service_status;
#define SERVICE_STATUS_QUERY                                                                       \
    {                                                                                              \
        "status", &message_nothing, &message_service_status,                                       \
            ROLE_AGENT | ROLE_OPERATOR | ROLE_OBSERVER | ROLE_ADMIN | ROLE_SERVICE, NULL,          \
            on_service_status, "Says how the service is."                                          \
    }

int service_main(int argc, char **argv, const struct service_table *table);

/* Records an event by itself (phase "event" unless set); nobody waits for it. Failure is logged:
 * the journal's state says the rest. */
void service_event(struct service *service, struct event *event, bool urgent);

/* Sends an answer; status is "ok", "error" or "data". False when it could not be sent: the peer is
 * gone, or its queue is full. No error: a client that wants its answer asks again by its request
 * id. */
bool service_send(struct service *service, const struct address *to, const char *tenant,
                  const char *principal, const char *status, struct view body);

/* Appends the service's part of docs/PROTOCOL.md. Errors as bytes_add. */
int service_describe(const struct service_table *table, struct bytes *to, struct err *err);

/* The body of an error answer. */
struct failure service_failure(const struct err *err);

/* Answers a caller with an error. */
void service_send_error(struct service *service, const struct call *call, const struct err *err);

/* A connected DEALER of this service to another one's request socket, for asynchronous requests:
 * frames by net/wire.h. The caller closes it with zmq_close after loop_end_socket. ERR_IO. */
int service_connect(struct service *service, const char *other, void **socket, struct err *err);

/* The directory of a service's request socket; "" when it is no local one. */
void service_socket_dir(const struct service *service, const char *name, char dir[108]);

/* Ends the service at once with a log line, as if it had crashed: the restart decides what to do.
 */
_Noreturn void service_fail(const char *event, const struct err *err);
