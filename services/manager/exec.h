/* exec.h - a command in progress: its cgroup, its output, how it ends. The operation around it is
 * op_exec.c.
 *
 * Init is believed in what hurts only itself: output and exit codes are its word. Whether anything
 * still lives is the kernel's (the exec's cgroup), as are usage and OOM kills.
 */
#pragma once

#include "manager/judge.h"
#include "manager/sandbox.h"

enum { OUTPUT_KEPT_BYTES = 64 * 1024 /* of each stream, for an answer that is one frame */ };

/* One of stdout and stderr. */
struct output {
    struct bytes tail;     /* not streamed: the newest OUTPUT_KEPT_BYTES */
    int64_t received;      /* offset behind the newest byte that came */
    int64_t dropped_bytes; /* not in the tail and not sent */
    int64_t unacked_bytes; /* streamed: sent to the client and not yet acknowledged by op.credit */
    int64_t total;         /* all that there will be; -1 until init has said so */
};

struct running {
    struct judgement judgement;
    struct scripts scripts;
    struct sandbox *sandbox; /* while joined; NULL otherwise */
    struct exec exec;
    struct output output[2];
    int64_t gate_boot_ms; /* when it began; 0: it did not */
    bool is_from_stock;   /* its child was the one in stock */
    int64_t timeout_ms;
    int64_t window_bytes;   /* of each stream, under way from init */
    char agent[NAME_BYTES]; /* the sandbox's */
    bool is_exited;         /* init has said how it ended */
    bool is_killing;        /* its cgroup is being emptied */
    bool is_proving;        /* a worker waits for it to be empty */
    bool is_dead;           /* seen empty */
    bool is_given_up;       /* it never began */
    bool is_discarding;     /* its output is counted and not sent */
    bool is_gone; /* its sandbox is, or its output is not fetched: nothing more will come */
    int exit_code, signal; /* -1: none */
    char cause[24], rule[64];
    int64_t init_cpu_ms; /* init's word, where there is no cgroup */
    struct exec_usage usage;

    /* the worker's, while it kills */
    int64_t kill_deadline_boot_ns;
    bool kill_failed;
    struct err kill_err;
};

/* Sends SPAWN for the request, and OPEN_GATE as well when the child in stock is ready; otherwise
 * the command waits at its gate. ERR_STATE a host without cgroups runs one command at a time. */
int running_spawn(struct running *r, struct op *op, struct sandbox *sandbox, struct err *err);

/* The child is in its cgroup: opens the gate, unless the command is being killed. */
int running_open_gate(struct running *r, struct err *err);

/* Takes OUTPUT. Streamed output is passed on by the caller. ERR_PEER. */
int running_output(struct running *r, const struct frame *frame, bool streamed,
                   struct frame_output *out, struct err *err);

/* Takes EXITED or FAILED and says why it ended, unless something else has already. When the child
 * in stock died before it ran anything, another one is asked for instead. ERR_PEER. */
int running_exited(struct running *r, const struct frame *frame, struct err *err);
int running_failed(struct running *r, const struct frame *frame, struct err *err);

/* Kills everything in the exec's cgroup and proves it; for a worker. */
void running_kill(void *context);

/* True when nothing more will come of it: it has exited, its output is here, and, if it was killed,
 * it is proved dead. */
bool running_is_over(const struct running *r);

/* Reads what it used, settles the cause (an OOM kill shows in the counters), tells init to forget
 * it, leaves the sandbox. */
void running_finish(struct running *r);

/* Output that could not be passed on: it counts as dropped. */
void running_unsent(struct running *r, const struct frame_output *output);

/* The client has taken so many bytes: init may send as many again. */
void running_credit(struct running *r, int64_t bytes);

/* The client has not taken what it was sent, and that keeps init from reading the rest and telling
 * how the command ended: all that comes from now on is dropped and counted. False when the client
 * owes nothing, or this was so already. */
bool running_discard(struct running *r);

/* Every K=V that a command gets: the fixed ones, the sandbox's, its own; the last one of a key
 * counts. Errors as list_add_text. */
int exec_environment(const struct sandbox *sandbox, const struct command_execute *in,
                     struct bytes *store, struct list *env, struct err *err);

void running_close(struct running *r);
