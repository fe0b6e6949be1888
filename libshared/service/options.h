/* options.h - the command line that every service has. */
#pragma once

#include "service/service.h"

struct service_options {
    const char *state, *run, *config;
    int ready_fd;     /* -1: nobody waits */
    int64_t uid, gid; /* -1: stay */
};

/* Reads argv. 0: go on with *options; otherwise the process is to end with *exit_code: a wrong
 * option (2, said on stderr), or one that was a question of its own and has been answered. */
int options_read(int argc, char **argv, const struct service_table *table,
                 struct service_options *options, int *exit_code);
