/* op.h - operations: requests that take time, as a table of states and the moves allowed between
 * them.
 *
 *     received ──▶ judged ──▶ intended ──▶ acting ──▶ resulted ──▶ replied
 *
 * and the short ways:
 *
 *     received ──▶ acting             kill and terminate: the act first, its record behind it
 *     received ──▶ resulted           the policy's "no" is a result, and durable; so is a change of
 *                                     the service's own tables, whose record is all there is to do
 *     received, judged ──▶ refused    nothing was done, nothing is remembered
 *     acting ──▶ replied              nothing of it is recorded: a search in the audit's store
 *
 * An operation is in one state. On entering a state its step is called with WAKE_ENTERED; then once
 * for each completion that the operation waits for. A step looks at what woke it, starts the next
 * thing that takes time (never waits for it) and returns the next state, or its own to go on
 * waiting. Moves outside op_may_move are bugs and end the process.
 *
 *   received   its body is checked, its caller may do this; asks for a verdict
 *   judged     allowed; writes the intent to the journal
 *   intended   the intent is durable; starts the act
 *   acting     the runtime is at work
 *   resulted   the outcome is known; writes the result, which holds the reply
 *   replied    the result is durable; the reply goes out and is kept for the request id
 *   refused    an answer that promises that nothing was done; the same request id may be sent again
 *
 * Failpoints (base/fault.h): "<operation>.<state>" on entering a state, before its step runs.
 */
#pragma once

#include "schema/message.h"
#include "service/call.h"

#include <stdbool.h>
#include <stdint.h>

struct service;
struct op;

enum op_state {
    OP_RECEIVED,
    OP_JUDGED,
    OP_INTENDED,
    OP_ACTING,
    OP_RESULTED,
    OP_REPLIED,
    OP_REFUSED,
    OP_STATES
};

enum wake_reason {
    WAKE_ENTERED, /* the state was just entered */
    WAKE_VERDICT, /* the guardian answered, or its time is over; `data` is the service's own */
    WAKE_DURABLE, /* the record that op_record wrote is on disk */
    WAKE_DONE,    /* the worker job given with op_work ended; `data` is its context */
    WAKE_EVENT,   /* something of the service's own, such as a frame of init; `data` says what */
    WAKE_TIMER,   /* the timer of op_timer is due */
    WAKE_CANCEL   /* the client cancelled, or the service wants this to end; `data` is a text: the
                     cause */
};

struct wake {
    enum wake_reason reason;
    void *data;
};

typedef enum op_state op_step(struct op *op, const struct wake *wake);

/* What one kind of operation is. One static table each, in op_<verb>.c. */
struct op_kind {
    const char *operation;         /* on the wire and in the record */
    const struct message *request; /* decoded, strictly, before the operation exists */
    const struct message *answer;  /* of the "ok" answer; for the printed reference */
    unsigned roles;                /* who may call it: a set of enum role */
    size_t data_bytes;             /* of the kind's own struct, zeroed, at op->data */
    op_step *step[OP_STATES];      /* NULL for states that the kind does not pass */
    void (*close)(struct op *op);  /* releases what op->data owns; NULL: nothing */
    bool only_waits; /* costs nothing while it acts: counted by itself, as kills are, so that no
                        amount of waiting holds up other work */
    const char *doc;
};

enum { OP_ADDRESSES = 4 };

struct op {
    const struct op_kind *kind;
    struct service *service;
    enum op_state state;
    char id[27];
    char tenant[NAME_BYTES], principal[NAME_BYTES];
    unsigned roles; /* of the caller */
    uint8_t request_id[REQUEST_ID_BYTES], body_hash[32];
    struct bytes frame;       /* the request's body; the decoded request points into it */
    void *request;            /* kind->request decoded */
    void *data;               /* the kind's own */
    int64_t deadline_boot_ms; /* of the request: work past it is not started */
    int64_t started_boot_ms;  /* when it was received */
    const struct call *call;  /* who asked; only while the step of OP_RECEIVED runs WAKE_ENTERED */
    struct address to[OP_ADDRESSES]; /* everyone who sent this request id; the oldest falls out */
    size_t to_count;

    struct bytes reply; /* the answer's body, set by op_answer or op_fail */
    struct bytes
        stored; /* what a repeat gets when the reply is too large to keep; set by op_store */
    bool reply_is_ok;

    /* below: op.c's own */
    uint64_t waits_for_seq;
    bool is_recorded;   /* a result stands in the journal: the reply is remembered */
    bool is_stepping;   /* a step is running */
    bool has_ended;     /* replied or refused, in memory only for what is under way */
    int timer;          /* -1: none */
    unsigned under_way; /* jobs and op_hold */
    struct op *next, *next_waiting;
};

/* True for the moves drawn at the top. */
bool op_may_move(enum op_state from, enum op_state to);

/* The state's name as failpoints and logs write it. */
const char *op_state_name(enum op_state state);

/* Wakes an operation. Moves it as far as its steps go; it may be gone afterwards. */
void op_wake(struct op *op, enum wake_reason reason, void *data);

/* Writes an event to the journal and lets WAKE_DURABLE come once it is on disk. op_id, tenant
 * (unless it is set: whose thing it is), principal and, for phase "result", request id, body hash
 * and reply are filled in. With `urgent` it may use the journal's reserve. When the journal fails
 * the process ends and the restart decides. ERR_RESTRICTED the journal is full: the caller refuses,
 * if nothing was done yet. */
int op_record(struct op *op, struct event *event, bool urgent, struct err *err);

/* The same for kill and terminate, whose answer waits for no journal: the reserve may be used, no
 * WAKE_DURABLE comes. */
int op_record_unwaited(struct op *op, struct event *event, struct err *err);

/* Runs a job on a worker; WAKE_DONE with the same context follows. ERR_OVERLOADED. */
int op_work(struct op *op, void (*job)(void *context), void *context, struct err *err);

/* One timer an operation: WAKE_TIMER after delay_ms. A new one replaces it; op_timer_end stops it.
 */
void op_timer(struct op *op, int64_t delay_ms);
void op_timer_end(struct op *op);

/* Something outside (a request to the guardian) that will wake the operation holds it in memory
 * until op_drop. */
void op_hold(struct op *op);
void op_drop(struct op *op);

/* Sets the reply: "ok" with this message, or "error" with a struct failure. A later call replaces
 * an earlier one. */
void op_answer(struct op *op, const struct message *message, const void *answer);
/* What is kept of a reply larger than REPLY_MAX_BYTES: a smaller true one. */
void op_store(struct op *op, const struct message *message, const void *answer);
void op_fail(struct op *op, const struct err *err);
void op_fail_with(struct op *op, const struct failure *failure);

/* The same error for a step that refuses: it returns this. */
enum op_state op_refuse(struct op *op, const struct err *err);

/* Sends a "data" answer to everyone attached, now. False when nobody could be reached: a peer is
 * gone or its queue is full. */
bool op_send_data(struct op *op, const struct message *message, const void *data);

/* The steps that most kinds share. */
op_step op_step_replied; /* sends the reply, remembers it for the request id, ends */
op_step op_step_refused; /* sends the error, remembers nothing, ends */
