/* create.h - options of a sandbox to be made, for create and run, and the request itself. */
#pragma once

#include "cli/connect.h"

struct creation {
    const char *agent; /* NULL: the one that the connection file was made for */
    int64_t cpu_millis, memory_mb, pids, exec_timeout_ms; /* 0: the configured default */
    struct texts env, tags, unenforced, volumes;
    const char *rules; /* a file of rules of its own; NULL: none */
    int64_t wait_ms;   /* for a person, when it needs approval; 0: not at all */
};

enum { CREATION_OPTIONS = 8 };

/* Writes the rows --agent --cpus --memory --pids --tag --volume --rules --allow-unenforced; `rows`
 * has room for CREATION_OPTIONS. Returns where the caller's own go. */
struct option *creation_options(struct creation *creation, struct option *rows);

/* Makes the sandbox; its lists live until the next question. Errors as connect_ask; ERR_INVALID no
 * agent is named. */
int create_sandbox(struct connect *connect, const struct creation *creation,
                   struct sandbox_created *created, struct err *err);
