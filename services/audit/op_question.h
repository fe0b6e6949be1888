/* op_question.h - what the operations share that ask the record: a worker asks on a reader's
 * connection, within a bound of time, all of it at one moment of the record; then it is answered.
 *
 * Such an operation changes nothing and so is not recorded: received -> acting -> replied.
 */
#pragma once

#include "audit/logs.h"
#include "audit/readers.h"
#include "service/op.h"

enum { QUESTION_ROOMS = 3 };

/* Answers a question: *answer is a zeroed struct of the kind's answer, whose lists point into
 * `rooms`, one for each. Errors are the answer; ERR_DEADLINE is told with what to do. */
typedef int question_ask(struct db *db, const struct logs_scope *scope, const void *request,
                         struct bytes rooms[QUESTION_ROOMS], void *answer, struct err *err);

/* op->data of such an operation. */
struct op_question {
    question_ask *ask;
    struct logs_scope scope;
    struct readers *readers;
    const void *request; /* the operation's */
    int64_t timeout_ms, deadline_boot_ms;
    /* from the worker */
    struct bytes rooms[QUESTION_ROOMS];
    union {
        struct logs_page page;
        struct agent_summary summary;
        struct record_stats stats;
        struct record_trends trends;
    } answer;
    struct err err;
    bool failed;
};

/* The step of OP_RECEIVED. */
enum op_state op_question_begin(struct op *op, question_ask *ask);

/* The step of OP_ACTING, and what releases op->data. */
op_step op_question_acting;
void op_question_close(struct op *op);

/* The rows of a struct op_kind that are the same for all. */
#define QUESTION_KIND(received)                                                                    \
    .roles = ROLE_AGENT | ROLE_OPERATOR | ROLE_ADMIN | ROLE_OBSERVER,                              \
    .data_bytes = sizeof(struct op_question),                                                      \
    .step = {[OP_RECEIVED] = (received),                                                           \
             [OP_ACTING] = op_question_acting,                                                     \
             [OP_REPLIED] = op_step_replied,                                                       \
             [OP_REFUSED] = op_step_refused},                                                      \
    .close = op_question_close
