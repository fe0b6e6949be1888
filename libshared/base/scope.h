/* scope.h - the only helper macros of Corral besides the tables: SCOPED, TAKE, COUNT. */
#pragma once

#include <stddef.h>
#include <unistd.h>

/* A local that is closed when its scope ends: SCOPED(bytes_close) struct bytes b = {0};
 * It may be there for its end alone, hence unused. */
#define SCOPED(close_function) __attribute__((cleanup(close_function), unused))

/* Takes a pointer out of a SCOPED local: the value is the result, the local becomes NULL. */
#define TAKE(p)                                                                                    \
    (__extension__({                                                                               \
        __typeof__(p) taken_ = (p);                                                                \
        (p) = NULL;                                                                                \
        taken_;                                                                                    \
    }))

/* Elements of an array (never of a pointer). */
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Closes a file descriptor that is 0 or more and sets it to -1: SCOPED(fd_close) int fd = open(…).
 */
static inline void fd_close(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

/* Takes a descriptor out of a SCOPED(fd_close) local. */
static inline int fd_take(int *fd)
{
    int taken = *fd;
    *fd = -1;
    return taken;
}
