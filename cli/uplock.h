/* uplock.h - DIR/up.lock: who supervises a Corral, and which processes it started.
 *
 * The supervisor holds a flock(2) on the file as long as it lives; the file names it and its
 * services by pid and start time, so that `corral down` finds it and the next `corral up` can end
 * services that a supervisor killed by -9 left behind. A pid alone is never trusted.
 */
#pragma once

#include "base/err.h"
#include "cli/place.h"

#include <stdbool.h>
#include <sys/types.h>

/* A process: its start time tells it from a later one with the same pid. pid 0: none. */
struct process {
    pid_t pid;
    unsigned long long start; /* clock ticks since boot, /proc/<pid>/stat */
};

struct uplock {
    struct process supervisor;
    struct process services[PARTS];
};

/* The process as it is now; pid 0 when there is none. */
struct process process_of(pid_t pid);

/* A pidfd of exactly this process, to be closed by the caller; -1 when it has ended. */
int process_open(const struct process *process);

/* Ends a process: SIGTERM, then SIGKILL after `patience_ms`; returns when it has ended. False: it
 * was not there. */
bool process_end(const struct process *process, int patience_ms);

/* Takes the lock; it is held until *fd is closed by the last process that has it. *before is what
 * the last supervisor wrote. ERR_STATE another one holds it: its pid is named; ERR_IO. */
int uplock_take(const char *state, int *fd, struct uplock *before, struct err *err);

/* Replaces the file's content. ERR_IO. */
int uplock_write(int fd, const struct uplock *lock, struct err *err);

/* Reads it; *held says whether a supervisor lives. A missing or broken file reads as zeroes.
 * ERR_IO. */
int uplock_read(const char *state, struct uplock *lock, bool *held, struct err *err);

/* Ends the services of a supervisor that is gone, manager first; returns how many there were. */
int uplock_end_leftovers(const struct uplock *lock);
