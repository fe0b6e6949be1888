/* exec.h - one exec: its child, its stdin, its output, and what the manager has been told of it.
 *
 *     prepared ──SPAWN──▶ ordered ──OPEN_GATE──▶ running ──reaped──▶ dead ──pipes read──▶ ended
 *                                                                          ended ──FORGET──▶ freed
 * A child that dies at its gate has run nothing: FAILED says so. FORGET at any time leaves a
 * nameless record (id 0) that goes once the child is dead. All this outlives the connection:
 * exec_resume tells a new manager where things stand.
 */
#pragma once

#include "init/line.h"
#include "init/spawn.h"
#include "init/stream.h"

#include <poll.h>
#include <sys/resource.h>

enum { EXEC_FDS = 4 };

struct exec {
    uint32_t id; /* the manager's number; 0 once forgotten */
    bool ordered, gated, dead, told;
    struct child child;
    struct failure failure;
    struct stream out[2];
    struct bytes input; /* stdin that the pipe did not take yet */
    bool input_open;    /* more may come */
    int64_t taken;      /* stdin bytes that left `input` */
    int64_t taken_told;
    int64_t drain_ms;
    int64_t drained_boot_ns; /* once dead: when waiting for descendants ends */
    int wait_status;
    struct rusage usage;
};

/* Makes the child, which waits for its order and its gate. -1 with *failure. */
int exec_new(uint32_t id, struct exec **out, struct failure *failure);

/* Gives the child its order, once. One that cannot be followed ends the child; FAILED is told when
 * it is dead. */
void exec_order(struct exec *exec, const struct frame_spawn *order);

/* Frees everything; the child must be dead. */
void exec_free(struct exec **exec);

/* The manager's words. ERR_PEER what the protocol does not allow here. */
int exec_open_gate(struct exec *exec, struct err *err);
int exec_check(struct exec *exec, const struct frame_check *m, struct err *err);
int exec_add_input(struct exec *exec, const struct frame_stdin *m, struct err *err);
void exec_signal(struct exec *exec, int signo);
void exec_forget(struct exec *exec);

/* Fills in what to poll for; descriptors that do not matter now are -1. */
void exec_watch(const struct exec *exec, struct pollfd fds[EXEC_FDS]);

/* Does what exec_watch's poll found to be possible. */
void exec_react(struct exec *exec, const struct pollfd fds[EXEC_FDS]);

/* The child was reaped. */
void exec_reaped(struct exec *exec, int wait_status, const struct rusage *usage);

/* When exec_settle is due, in CLOCK_BOOTTIME; INT64_MAX: at no time. */
int64_t exec_due_boot_ns(const struct exec *exec);

/* Stops waiting for descendants of a dead child when their time is over. */
void exec_settle(struct exec *exec, int64_t now_boot_ns);

/* Puts at most one chunk a stream and then what else the manager is to know into the line; *spoke
 * becomes true when there was something. ERR_OVERLOADED, ERR_MEMORY. */
int exec_speak(struct exec *exec, struct line *line, bool *spoke, struct err *err);

/* Puts SPAWNED with the child's pidfd. */
int exec_announce(struct exec *exec, struct line *line, struct err *err);

/* After a new connection: puts STATE, holds output until there is credit, and lets exec_speak tell
 * the end once more. */
int exec_resume(struct exec *exec, struct line *line, struct err *err);
