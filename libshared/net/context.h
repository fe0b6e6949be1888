/* context.h - the process's one ZeroMQ context: its I/O thread and the sockets that share it. */
#pragma once

#include "base/err.h"

/* A context with room for `sockets` sockets. ERR_IO. */
int net_context_open(int sockets, void **context, struct err *err);

/* Ends the context and nulls it; blocks until its sockets are closed and have lingered. NULL is
 * fine. SCOPED works. */
void net_context_close(void **context);
