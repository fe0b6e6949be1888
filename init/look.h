/* look.h - what a directory is and what a file holds, as a command run there would find them.
 *
 * The manager asks before a command is judged, and has what it was told compared once more before
 * the gate opens. Files are opened as the sandbox's own user, never waited for (O_NONBLOCK), and
 * read only when they are regular. Keeps nothing.
 */
#pragma once

#include "init/frame.h"

/* Puts SEEN. What cannot be seen is SEEN's error, not ours. ERR_OVERLOADED, ERR_MEMORY. */
int look_answer(const struct frame_look *m, struct bytes *out, struct err *err);

/* 0 when the file holds the very bytes of CHECK; ESTALE other ones, else the errno. */
int look_compare(const struct frame_check *m);
