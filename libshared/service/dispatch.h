/* dispatch.h - from a request to its answer: rights, queries, operations in progress, stored
 * replies.
 *
 * A request id belongs to its principal. One that is in progress attaches to its operation; one
 * that has finished gets its stored reply; one that is known with another body is refused. Loop
 * thread only.
 */
#pragma once

#include "service/service.h"

struct dispatch;

int dispatch_new(struct service *service, struct dispatch **dispatch, struct err *err);

/* Ends operations where they stand: the journal and the next start know what became of them. Fine
 * on NULL. */
void dispatch_free(struct dispatch **dispatch);

/* Handles one request of an identified caller; the answer goes out now or later. */
void dispatch_request(struct service *service, const struct call *call, const char *operation,
                      struct view body);

/* Wakes the operations whose record is on disk. */
void dispatch_durable(struct dispatch *dispatch, uint64_t seq);

/* The operation in progress with this id; NULL if there is none. Valid until it is woken. */
struct op *dispatch_find(struct dispatch *dispatch, const char *op_id);

/* Calls `each` for every operation in progress; `each` must not wake operations. */
void dispatch_each(struct dispatch *dispatch, void (*each)(void *context, struct op *op),
                   void *context);

size_t dispatch_count(const struct dispatch *dispatch);

/* Puts a reply of an earlier life back. `result` is a recorded event of phase "result". */
void dispatch_restore(struct dispatch *dispatch, const struct event *result, int64_t wall_ns);

/* For op.c: an operation waits for op->waits_for_seq; its reply is to be remembered; it is over. */
void dispatch_wait(struct dispatch *dispatch, struct op *op);
void dispatch_remember(struct dispatch *dispatch, const struct op *op);
void dispatch_end(struct dispatch *dispatch, struct op *op);
