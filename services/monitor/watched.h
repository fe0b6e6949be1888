/* watched.h - one sandbox under watch: what its lease says, its meter, its last looks, its alarms.
 *
 * Everything needed is copied out of the lease, so that a lease that is garbled later on changes
 * nothing. Descriptors stay open between looks: opening a file of cgroupfs costs more than reading
 * it. Owned by the loop thread.
 */
#pragma once

#include "engine/cgroup/cgroup_usage.h"
#include "engine/lease/lease.h"
#include "monitor/history.h"

#include <sys/stat.h>

/* Which version of a lease's file was read. */
struct stamp {
    ino_t inode;
    off_t bytes;
    struct timespec modified, changed;
};

enum watched_state {
    WATCHED_IGNORED,    /* its lease was never believable */
    WATCHED_STARTING,   /* the lease names no init yet */
    WATCHED_LIVE,       /* looked at */
    WATCHED_KILLING,    /* killed; a worker waits for the proof */
    WATCHED_UNKILLABLE, /* no proof in time: frozen, tried again at retry_boot_ns */
    WATCHED_DEAD        /* proved dead; its lease is still there */
};

/* Why a sandbox is killed. */
struct kill_reason {
    const char *cause; /* as kill_mark.cause; static */
    char rule[RULE_BYTES];
    const char *metric; /* static; "" for a rule without one */
    int64_t value, limit;
    int64_t trigger_boot_ns;
};

struct watched {
    char sandbox_id[41], tenant[65], agent[65];
    enum watched_state state;
    struct stamp stamp;
    bool is_listed; /* seen in the directory this time */
    bool is_stale;  /* its cgroup was not there: read the lease again even if it is the same */
    int64_t deadline_boot_ns;
    pid_t init_pid;
    uint64_t init_start;
    struct rules rules;
    struct cgroup cgroup; /* mode none: the host has none to write */
    struct cgroup_meter meter;
    bool is_metered;
    int workspace;                       /* -1: not open */
    int64_t before_usec, before_boot_ns; /* CPU, last measured; -1: unknown */
    struct history history;
    struct alarms alarms;
    struct kill_reason reason; /* from WATCHED_KILLING on */
    bool is_frozen;            /* a kill without proof left it so */
    int64_t retry_boot_ns;
};

/* A sandbox of which nothing is known but its id; NULL without memory. */
struct watched *watched_new(const char *sandbox_id, size_t history);
void watched_free(struct watched **watched);

/* Takes over what a believable lease says and opens what is watched. A cgroup that is gone is no
 * error: is_stale. ERR_INVALID the lease names no cgroup of Corral; the sandbox is as before. */
int watched_load(struct watched *watched, const struct lease *lease, struct err *err);

/* Looks at a live sandbox and keeps the look. Never fails: what cannot be measured is a gap. */
struct look watched_look(struct watched *watched, int64_t now_boot_ns);

/* True unless it is known that nothing lives in it. */
bool watched_is_alive(const struct watched *watched);

/* Closes meter and workspace. */
void watched_release(struct watched *watched);
