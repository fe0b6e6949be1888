/* init.h - all state of corral-init, and its talk with the manager (talk.c); the loop is main.c. */
#pragma once

#include "init/dial.h"
#include "init/exec.h"
#include "init/line.h"

struct init {
    struct dial dial;
    struct line line;
    bool is_welcome; /* on this connection */
    bool has_token;  /* of the first one */
    uint8_t token[FRAME_TOKEN_BYTES];
    int64_t started_boot_ns;
    int signals, deadline;
    struct exec *execs[FRAME_EXECS_MAX]; /* NULL: free */
    uint32_t newest;                     /* the largest number that one of them ever had */
    size_t turn;                         /* whose output goes first */
};

/* Puts HELLO, the first word of a connection. ERR_MEMORY. */
int talk_hello(struct init *init, struct err *err);

/* Reads what the manager said and does it. An error means that the connection has to go: ERR_PEER
 * the manager broke the protocol, ERR_UNAVAILABLE it is gone. */
int talk_listen(struct init *init, struct err *err);

/* Puts what the execs have to say into the line, a little of each in turn, and sends it. An error
 * means that the connection has to go. */
int talk_speak(struct init *init, struct err *err);

/* Frees execs that are dead and forgotten. True while any exec is left. */
bool init_sweep(struct init *init);
