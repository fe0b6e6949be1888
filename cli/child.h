/* child.h - one service as a process of the supervisor: its start, its pipes, its end. */
#pragma once

#include "base/err.h"
#include "cli/backoff.h"
#include "cli/place.h"
#include "cli/trail.h"
#include "cli/uplock.h"

#include <stdbool.h>
#include <stdint.h>

enum child_state {
    CHILD_ENDED,    /* not started yet, or ended while everything stops */
    CHILD_STARTING, /* runs, has not reported ready */
    CHILD_READY,
    CHILD_PAUSED,  /* ended; starts again at start_at_ms */
    CHILD_GIVEN_UP /* ended too often, or by a configuration error: not started again */
};

struct child {
    enum part part;
    enum child_state state;
    struct process process; /* while it runs */
    int pidfd, ready_fd;    /* -1 when it does not run; ready_fd also once it is ready */
    int log_fds[2];         /* its stderr, kept over restarts: others may still write to it */
    int64_t started_ms, start_at_ms; /* CLOCK_BOOTTIME */
    struct backoff backoff;
    struct trail trail;
};

/* How it ended. */
struct child_end {
    int exit_code; /* -1: by a signal */
    int signal;
};

/* What all services are started with. */
struct child_options {
    const struct place *place;
    const char *bin;         /* directory of the programs */
    const char *config_path; /* absolute; NULL: none */
    bool to_files;           /* log lines to DIR/<service>.log instead of stderr */
};

/* Opens the log; starts nothing. ERR_IO. */
int child_open(struct child *child, enum part part, const struct child_options *options,
               struct err *err);

/* Closes everything; the process must have ended. */
void child_close(struct child *child);

/* Starts the process. ERR_IO. */
int child_start(struct child *child, const struct child_options *options, struct err *err);

bool child_runs(const struct child *child);

/* Moves what it logged into the trail; never waits. */
void child_read_log(struct child *child);

/* Called when ready_fd has input or hang-up: true once, when it became ready. */
bool child_read_ready(struct child *child);

/* Called when pidfd has input: collects the ended process. */
struct child_end child_collect(struct child *child);

/* Sends a signal if it runs. */
void child_signal(const struct child *child, int signal);
