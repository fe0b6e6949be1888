/* pid.h - processes named beyond doubt: pid and start time, then a pidfd. */
#pragma once

#include "base/err.h"

#include <stdint.h>
#include <sys/types.h>

/* Field 22 of /proc/PID/stat (proc(5)): clock ticks after boot. ERR_NOT_FOUND no such process. */
int pid_start_ticks(pid_t pid, uint64_t *ticks, struct err *err);

/* A pidfd of the process that has this pid and started then. ERR_NOT_FOUND it is dead, though
 * another may have its pid; ERR_IO. */
int pid_open(pid_t pid, uint64_t start_ticks, int *pidfd, struct err *err);

/* The pid, in our own pid namespace, of the process that a pidfd stands for (fdinfo, see
 * pidfd_open(2)). ERR_NOT_FOUND dead and reaped, or in no namespace of ours. */
int pid_of_pidfd(int pidfd, pid_t *pid, struct err *err);

/* The first child of a process. ERR_NOT_FOUND it has none, or is gone. */
int pid_first_child(pid_t pid, pid_t *child, struct err *err);

/* Waits until the process is dead. ERR_DEADLINE; ERR_IO. */
int pid_wait_dead(int pidfd, int64_t deadline_boot_ns, struct err *err);
