/* context.c - the ZeroMQ context; see context.h. */
#include "net/context.h"

#include "base/scope.h"

#include <errno.h>
#include <zmq.h>

int net_context_open(int sockets, void **context, struct err *err)
{
    void *c = zmq_ctx_new();
    if (!c)
        return err_sys(err, "opening a ZeroMQ context");
    if (zmq_ctx_set(c, ZMQ_MAX_SOCKETS, sockets)) {
        err_sys(err, "a ZeroMQ context of %d sockets", sockets);
        zmq_ctx_term(c);
        return -1;
    }
    *context = c;
    return 0;
}

void net_context_close(void **context)
{
    void *c = TAKE(*context);
    while (c && zmq_ctx_term(c) && errno == EINTR)
        ;
}
