/* spawn.h - makes the child of an exec, without copying init's page tables, and later tells it what
 * to run.
 *
 * The child shares init's memory (clone(2) with CLONE_VM) until it calls execve, on a stack of its
 * own and with system calls that never touch errno, which it shares too. It waits at its gate: a
 * byte lets it go on, end of file makes it die. Shared memory is also how it gets its order while
 * it waits. A pipe for stdin and a file for a script are there from its birth, since descriptors
 * are not shared; what the order does not need it closes by execve.
 */
#pragma once

#include "init/frame.h"

#include <sys/types.h>

enum {
    /* Descriptors 0 to 6 are held by init from its start, so the child can put its own there. */
    SPAWN_SCRIPT_FD = 3,
    SPAWN_GATE_FD = 4,
    SPAWN_STATUS_FD = 5,
    SPAWN_IN_FD = 6,
    SPAWN_RESERVED_FDS = 7
};

/* What stopped an exec from running. */
struct failure {
    const char *stage; /* a stage of FAILED, static; NULL: nothing did */
    int error;         /* errno */
};

/* What the child needs until it has called execve; it lies in memory shared with it. */
struct launch;

struct child {
    pid_t pid;
    int pidfd;
    int gate;   /* write end; a byte opens it */
    int status; /* read end: `struct failed_step` when the child fails, end of file once it has left
                   our memory */
    int script; /* an empty memfd that the child holds too; -1 once there is an order */
    int in;     /* write end of stdin, non-blocking; -1: the child reads /dev/null */
    int out[2]; /* read ends of stdout and stderr, non-blocking */
    struct launch *launch;
};

/* Written to the status pipe by a child that cannot go on. */
struct failed_step {
    int at_chdir; /* else at execve */
    int error;
};

/* Makes the child and fills *child; the caller owns what is in it, and frees launch (launch_free)
 * only after end of file on status or the child's death. -1 with *failure; nothing is left behind
 * then. */
int spawn_prepare(struct child *child, struct failure *failure);

/* Tells a child at its gate what to run, once. -1 with *failure: its gate must not be opened. */
int spawn_order(struct child *child, const struct frame_spawn *order, struct failure *failure);

void launch_free(struct launch **launch);
