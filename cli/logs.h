/* logs.h - what shows records: corral logs, once and with --follow. */
#pragma once

#include "cli/connect.h"

/* The question logs_query. */
extern const struct question logs_question;

/* Appends what a person reads last of a record: the command, why it ended, what decided. Not
 * escaped. Errors as bytes_add. */
int logs_what(const struct log_row *row, struct bytes *to, struct err *err);

/* Prints the records that come from now on, or with query->since_ns those since then, too: oldest
 * first, each once, until the program is interrupted. A line is never cut by that. While the audit
 * is away it waits. Errors as connect_ask, but for an audit that was there once; ERR_IO stdout. */
int logs_follow(struct connect *connect, const struct logs_query *query, struct err *err);
