/* host.h - what corral-manager --preflight found out about this host, and where our programs are.
 */
#pragma once

#include "base/err.h"

#include <limits.h>
#include <stddef.h>

enum host_level { HOST_NONE, HOST_PARTIAL, HOST_FULL };

struct host_report {
    enum host_level level;
    char unenforced[128]; /* names of limits that do not hold, joined by ", " */
    char remedies[2048];  /* a line for each check that failed, with the way out; level none */
};

/* Finds the directory of corral-manager: where the running program lies, else in $PATH.
 * ERR_NOT_FOUND. */
int host_programs(char to[PATH_MAX], struct err *err);

/* Where systemd has to be asked for control groups (engine/cgroup/delegate.h), starts this program
 * again below systemd-run with the words behind its name, and does not return. Otherwise moves this
 * process, and so its children, into a leaf cgroup where v2 wants that. What cannot be had is left
 * to the preflight to judge. ERR_IO; ERR_INVALID. */
int host_delegate(const char *const words[], size_t count, struct err *err);

/* Runs the preflight and reads its report; takes up to two seconds. ERR_PEER the report is not what
 * it should be; ERR_IO. */
int host_look(const char *programs, struct host_report *report, struct err *err);
