/* approvals.h - finding approvals and showing them whole, for corral approvals. */
#pragma once

#include "cli/connect.h"

enum { APPROVAL_ID_BYTES = 27 };

/* Calls `take` for each approval that may be seen, oldest first, of `state` and `agent` unless they
 * are "". Its failure ends the walk. Errors as connect_ask. */
int approvals_each(struct connect *connect, const char *state, const char *agent,
                   int (*take)(void *context, const struct approval_row *row, struct err *err),
                   void *context, struct err *err);

/* The whole id of the approval whose id begins with `prefix`. ERR_NOT_FOUND none does; ERR_INVALID
 * several do; errors as connect_ask. */
int approvals_find(struct connect *connect, const char *prefix, char id[APPROVAL_ID_BYTES],
                   struct err *err);

/* Prints all of an approval: what will run, byte for byte, each line and word escaped, and why it
 * was stopped. Errors as bytes_add. */
int approval_print(const struct cli *cli, const struct approval *approval, struct err *err);
