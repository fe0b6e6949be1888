/* delegate.h - does a service need systemd's help to get control groups of its own, and how is it
 * asked?
 *
 * On v2 with systemd a process may only split the cgroup of a unit that was started with
 * Delegate=yes (systemd.resource-control(5)). A service that was not re-executes itself through
 * systemd-run in a transient scope: of the system manager when root, of the user manager otherwise.
 * The decision is a pure function, so that every host's case is a row of a test.
 */
#pragma once

#include "base/err.h"

#include <stdbool.h>
#include <sys/types.h>

/* What is known about this process and host. */
struct delegate_facts {
    bool cgroup_v2;     /* no v1 controllers */
    bool systemd;       /* /run/systemd/system is a directory */
    bool user_manager;  /* the socket of this user's systemd is there */
    bool delegated;     /* the own cgroup carries trusted.delegate or user.delegate, or a leaf
                           of Corral's in one that does */
    bool already_tried; /* DELEGATE_MARK is in the environment */
    uid_t uid;          /* effective */
    char runtime[48];   /* "XDG_RUNTIME_DIR=…" where that variable does not lead to the user's
                           systemd, as after su; "" where it does */
};

/* Set in the re-executed process, so that a systemd that does not delegate is asked once only. */
#define DELEGATE_MARK "CORRAL_DELEGATED"

enum delegate_answer {
    DELEGATE_NOT_NEEDED, /* no v2, already delegated, or already asked */
    DELEGATE_REEXEC,     /* run the argv of delegate_argv */
    DELEGATE_IMPOSSIBLE  /* v2, but no systemd or no user manager to ask */
};

/* Reads the facts from the system. ERR_IO; ERR_INVALID /proc is not as kernels write it. */
int delegate_look(struct delegate_facts *facts, struct err *err);

/* What to do. *why, static, says it for people. */
enum delegate_answer delegate_decide(const struct delegate_facts *facts, const char **why);

/* The command that runs `argv` (argc of them, argv[0] a path) in a scope with Delegate=yes.
 *
 *   to    out: pointers to constants, into facts and argv, ended by NULL; `room` of them
 *   err   ERR_INVALID more than room
 */
int delegate_argv(const struct delegate_facts *facts, int argc, char *const argv[], const char **to,
                  size_t room, struct err *err);
