/* init_link.h - the connection to a sandbox's init, on the loop: frames out without waiting, frames
 * in as they come.
 *
 * Everything that arrives is a stranger's word: frames that break the protocol end the link, and
 * the owner is told. The owner reads frames with frame_get_<name> and checks what they say against
 * what it knows.
 */
#pragma once

#include "init/frame.h"
#include "service/loop.h"

struct init_link;

struct init_link_owner {
    /* A frame came; for SPAWNED and living STATEs fd is the pidfd (the owner closes it), otherwise
     * -1. Views live until the call returns. */
    void (*frame)(void *context, const struct frame *frame, int fd);
    /* The link is over: closed by init, broken, or too much unsent. Called once; the owner then
     * frees it. */
    void (*closed)(void *context, const struct err *why);
    void *context;
};

/* Takes over a connected socket whose HELLO and WELCOME are done. ERR_MEMORY, ERR_IO. */
int init_link_new(struct loop *loop, int socket, const struct init_link_owner *owner,
                  struct init_link **link, struct err *err);

/* Closes; fine on NULL, and inside a callback of the link's own. */
void init_link_free(struct init_link **link);

/* The buffer to put a frame in with frame_put_<name>; init_link_flush sends it. Bounded:
 * INIT_LINK_UNSENT_BYTES. */
struct bytes *init_link_out(struct init_link *link);
void init_link_flush(struct init_link *link);

enum { INIT_LINK_UNSENT_BYTES = 2 * 1024 * 1024 };
