/* exec_report.h - what is said of a command: to the record before and after it, to its client at
 * its end.
 *
 * Only words are made here, from the operation's `struct running`; nothing is sent or written. The
 * events' views point into the operation and into `shown`, which the caller opens before and closes
 * behind the recording.
 */
#pragma once

#include "service/op.h"

/* The intent: the command as people read it, the act's hash, the guardian's word. */
void report_intent(const struct op *op, struct event *event, struct bytes *shown);

/* The policy's no: an act's intent and result in one record. */
void report_denial(const struct op *op, struct event *event, struct bytes *shown);

/* The result of a command that was allowed. */
void report_end(const struct op *op, struct event *event);

/* Sets the operation's answer, and the smaller one that is kept for a repeat of the request. */
void report_answer(struct op *op);
