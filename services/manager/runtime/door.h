/* door.h - the unix socket at which a sandbox's init knocks.
 *
 * The manager listens in a directory of the sandbox's own, which the sandbox sees read-only, so
 * nothing inside can put another socket there. Only init is let in: at the start it is the first
 * and only process of the sandbox; later the kernel's peer credentials name its pid and HELLO has
 * the token. What init says is a stranger's word until checked. Whoever holds the door waits with a
 * deadline; nothing here is thread-safe.
 */
#pragma once

#include "manager/runtime/runtime.h"

/* The socket's name in the sandbox's directory. */
#define DOOR_NAME "init.sock"

/* Who knocked and was let in. */
struct door_guest {
    int socket;
    int pidfd;
    pid_t pid;
    uint64_t start_ticks;
    uint32_t newest_exec; /* the largest number of an exec that it ever had */
};

/* Listens at "<dir>/init.sock", in place of a socket of that name. Only `uid` may connect (-1: the
 * caller's own). The caller closes *fd and calls door_remove. ERR_INVALID the path is too long;
 * ERR_IO. */
int door_open(const char *dir, int64_t uid, int *fd, struct err *err);

/* Removes the socket, so that nobody can knock any more. */
void door_remove(const char *dir);

/* Waits for init, exchanges HELLO and WELCOME, reads EXECS; the STATEs are left to the link.
 *
 *   fd         of door_open
 *   launcher   pidfd of the launcher, whose end ends the waiting; -1: none
 *   pid        let in this one only and let others wait outside; 0: the first one
 *   token      pid 0: given to init; else what init must prove
 *   err        ERR_DEADLINE; ERR_RUNTIME the launcher ended; ERR_PEER init broke the protocol
 */
int door_admit(int fd, int launcher, pid_t pid, const uint8_t token[RUNTIME_TOKEN_BYTES],
               int64_t life_deadline_boot_ns, int64_t deadline_boot_ns, struct door_guest *guest,
               struct err *err);
