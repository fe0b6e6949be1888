/* loop.h - the one thread that runs a service: sockets, descriptors, timers.
 *
 * Callbacks run on the loop thread, one at a time, and must not block. A callback may end any watch
 * or timer, its own included: what has ended is not called, even if it was due or ready in the same
 * moment. All functions belong to the loop thread.
 */
#pragma once

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

struct loop;

/* ERR_MEMORY. */
int loop_new(struct loop **loop, struct err *err);

/* Ends all watches and timers; their descriptors and sockets stay open. Fine on NULL. */
void loop_free(struct loop **loop);

/* Runs until loop_stop. */
void loop_run(struct loop *loop);

/* Lets loop_run return after the callback in progress. */
void loop_stop(struct loop *loop);

/* Calls `ready` whenever the descriptor has input, error or hang-up. One watch for a descriptor.
 * ERR_MEMORY. */
int loop_watch_fd(struct loop *loop, int fd, void (*ready)(void *context), void *context,
                  struct err *err);

/* The same for POLLPRI (cgroup.events). */
int loop_watch_fd_priority(struct loop *loop, int fd, void (*ready)(void *context), void *context,
                           struct err *err);

/* The same for room to write. A descriptor that is watched for both is watched through a dup(2) for
 * one of them. */
int loop_watch_fd_writable(struct loop *loop, int fd, void (*ready)(void *context), void *context,
                           struct err *err);

/* Calls `ready` whenever the ZeroMQ socket has input. ERR_MEMORY. */
int loop_watch_socket(struct loop *loop, void *socket, void (*ready)(void *context), void *context,
                      struct err *err);

/* Fine when it is not watched. End a watch before the descriptor or socket is closed. */
void loop_end_fd(struct loop *loop, int fd);
void loop_end_socket(struct loop *loop, void *socket);

/* Calls `due` after delay_ms (0 or more; repeated: 1 or more), once or every delay_ms. The id is 0
 * or more; -1 says ERR_MEMORY. A timer that fired once is gone: do not end it. */
int loop_timer(struct loop *loop, int64_t delay_ms, bool repeat, void (*due)(void *context),
               void *context, struct err *err);
void loop_end_timer(struct loop *loop, int timer);
