/* sandbox.h - one sandbox and the table of them.
 *
 *     starting ──▶ running ──▶ ending ──▶ (gone)
 *                                 └─────▶ unkillable
 *
 * An unkillable one is frozen, keeps its uid and its place, and reconcile tries again.
 *
 * A sandbox ends once, whoever wants it: the first cause stays. sandbox_end kills at once (a system
 * call or two, never the queue) and a worker proves it; those who wait are woken with WAKE_EVENT
 * and a struct sandbox_over. Loop thread only.
 */
#pragma once

#include "manager/gate.h"
#include "manager/init_link.h"
#include "manager/manager.h"
#include "manager/scripts.h"

#define SANDBOX_WORKSPACE "/workspace"

enum sandbox_state { SANDBOX_STARTING, SANDBOX_RUNNING, SANDBOX_ENDING, SANDBOX_UNKILLABLE };

/* A command in a sandbox, as the sandbox sees it: frames with its number go to its operation. */
struct exec {
    struct gate gate;
    struct op *op;
    struct exec *next;
};

/* An operation that waits for a sandbox's end. */
struct waiter {
    struct op *op;
    struct waiter *next;
};

struct sandbox {
    struct manager *manager;
    struct lease lease; /* all that is known of it for good; its lists point into the bytes below */
    struct bytes env, tags, unenforced_names, cgroup_names, mounts, rules;
    uint8_t token[RUNTIME_TOKEN_BYTES];
    enum sandbox_state state;
    int64_t host_uid; /* -1: the manager's own */
    pid_t launcher_pid;
    struct cgroup cgroup;
    struct init_link *link; /* while running */
    struct exec *execs;
    struct gate spare; /* the next command's child, in stock; no exec of anybody's yet */
    uint32_t next_exec;
    char cause[24], rule[64]; /* why it ends; "" while it does not */
    struct waiter *waiters;
    struct scripts *lookers; /* the first one's look is under way */
    int64_t next_look;
    bool is_stopping;        /* a worker is at it */
    int64_t adopted_boot_ms; /* when it began to run, for this manager */
    int64_t end_boot_ms;
    struct sandbox *next;
};

/* What waiters learn. */
struct sandbox_over {
    char sandbox_id[41];
    bool is_dead; /* proved by the empty cgroup; otherwise it is unkillable, and tried again */
    struct err err;
};

/* Whether this host may have another one. ERR_QUOTA. */
int sandbox_check_room(const struct manager *m, struct err *err);

/* Adds a sandbox of this lease (copied, lists too) in state starting; one that lives already is
 * added though the host is full. ERR_OVERLOADED no uid is free; ERR_MEMORY. */
int sandbox_new(struct manager *m, const struct lease *lease, struct sandbox **sandbox,
                struct err *err);

/* Takes over what a runtime has started (or found again): it is running from now on. Descriptors
 * are taken in any case. ERR_MEMORY, ERR_IO: end it. */
int sandbox_adopt(struct sandbox *sandbox, struct sandbox_started *started, struct err *err);

/* Forgets a sandbox that never ran: its uid is free again. */
void sandbox_forget(struct sandbox *sandbox);

/* A start that failed, or never began: nothing of it lives. Those who wait for its end are woken.
 */
void sandbox_abandon(struct sandbox *sandbox);

/* Ends it for this cause; `op` (may be NULL) is woken when it is over. */
void sandbox_end(struct sandbox *sandbox, const char *cause, const char *rule, struct op *op);

/* By id; NULL. */
struct sandbox *sandbox_find(struct manager *m, const char *sandbox_id);

/* The same for a caller: NULL also for what it may not see. */
struct sandbox *sandbox_find_for(struct manager *m, const struct call *call, const char *sandbox_id,
                                 struct err *err);

/* Joins a command to its sandbox; its child is the one in stock, or one asked for here.
 * sandbox_leave undoes it. Errors as gate_ask: it is not joined. */
int sandbox_join(struct sandbox *sandbox, struct exec *exec, struct op *op, struct err *err);
void sandbox_leave(struct sandbox *sandbox, struct exec *exec);

/* Asks init for the child of the next command, if there is none; the caller flushes the link. */
void sandbox_stock(struct sandbox *sandbox);

/* The gate of this number, a command's or the one in stock; NULL. */
struct gate *sandbox_gate(struct sandbox *sandbox, uint32_t number);

/* The child of this number is in its cgroup, or `why` (borrowed) says why not. */
void sandbox_moved(struct sandbox *sandbox, uint32_t number, const struct err *why);

/* What an exec's operation is woken with by WAKE_EVENT. */
struct exec_news {
    enum { NEWS_FRAME, NEWS_MOVED, NEWS_SEEN, NEWS_OVER } kind;
    const struct frame *frame; /* NEWS_FRAME */
    const struct err *why;     /* NEWS_MOVED: why its child could not be; NULL: its gate is ready */
    const char *cause, *rule;  /* NEWS_OVER: why its sandbox ended */
};

/* What the runtime needs to stop or find it again. */
struct sandbox_handle sandbox_handle(const struct sandbox *sandbox);

/* The reply row. Lists point into the sandbox. */
struct sandbox_row sandbox_row(const struct sandbox *sandbox);

/* Writes the lease as it is now. ERR_IO. */
int sandbox_write_lease(struct sandbox *sandbox, struct err *err);
