/* connect.h - asks services, as the connection file of this command says.
 *
 * The file is --connect, $CORRAL_CONNECT, or DIR/admin.json of the state directory. A service whose
 * local socket nobody listens on is found out at once; otherwise a request waits for its deadline.
 */
#pragma once

#include "cli/cli.h"
#include "cli/place.h"
#include "net/client.h"
#include "net/connection.h"

#include <stdint.h>

enum { CONNECT_ASK_MS = 30000, CONNECT_STATUS_MS = 2000, SANDBOX_ID_BYTES = 41 };

struct connect {
    struct cli *cli; /* borrowed; takes an "error" answer */
    struct connection_file file;
    void *context;                 /* of the sockets */
    struct client *clients[PARTS]; /* opened when first asked */
    struct bytes request;          /* body of the last question */
    struct client_answer answer;   /* to it */
};

/* The row --wait-approval, for commands whose act may need a person's approval. */
struct option connect_wait_option(int64_t *wait_ms);

/* Reads the connection file. ERR_UNAVAILABLE Corral was never started here; ERR_NOT_FOUND,
 * ERR_INVALID the file. */
int connect_open(struct cli *cli, struct connect *connect, struct err *err);
void connect_close(struct connect *connect);

/* What is asked, and of whom. */
struct question {
    enum part part;
    const char *operation;
    const struct message *request, *answer;
    int64_t deadline_ms;
};

/* Asks and waits for the one answer. Views and lists of *out live until the next question.
 * ERR_UNAVAILABLE nobody listens, or no answer came in time; the codes of "error" answers, whose
 * rule, reason and hint are then in cli->refusal; ERR_PEER. */
int connect_ask(struct connect *connect, const struct question *question, const void *in, void *out,
                struct err *err);

/* Sends a call whose answer, when it comes, is decoded as `message`: the whole of connect_ask for
 * whoever streams or watches. Errors as connect_ask. */
int connect_call(struct connect *connect, enum part part, const struct client_call *call,
                 const struct message *message, void *out, struct err *err);

/* The service's entry of the connection file. ERR_NOT_FOUND it has none. */
int connect_endpoint(const struct connect *connect, enum part part, struct endpoint *endpoint,
                     struct err *err);

/* The whole id of the sandbox whose id begins with `prefix`. ERR_NOT_FOUND none does; ERR_INVALID
 * several do; errors as connect_ask. */
int connect_sandbox(struct connect *connect, const char *prefix, char id[SANDBOX_ID_BYTES],
                    struct err *err);

/* Calls `take` for each live sandbox that may be seen (of `agent`, when it is not NULL), by id;
 * stops when it returns non-zero, and returns that. Errors as connect_ask: -1. */
int connect_each_sandbox(struct connect *connect, const char *agent,
                         int (*take)(void *context, const struct sandbox_row *row, struct err *err),
                         void *context, struct err *err);

/* Returns when every service's registry has reached this generation. ERR_DEADLINE names those that
 * have not within ten seconds. */
int connect_await_generation(struct connect *connect, int64_t generation, struct err *err);
