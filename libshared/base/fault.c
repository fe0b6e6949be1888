/* fault.c - failpoints and failing calls for tests; see fault.h. */
#include "base/fault.h"

#ifdef CORRAL_FAULTS
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *const kind_names[FAULT_KINDS] = {"alloc", "write", "fsync", "sqlite"};
static const int kind_errno[FAULT_KINDS] = {ENOMEM, ENOSPC, EIO, EIO};

static struct {
    atomic_long calls, nth;
    atomic_bool always;
    atomic_bool waits; /* nothing is counted before fault_begin */
} kinds[FAULT_KINDS];

enum { POINTS = 8 };

static struct {
    char name[80];
    atomic_long left; /* passes until death */
} points[POINTS];

static pthread_once_t once = PTHREAD_ONCE_INIT;

/* "name[:N],name[:N],…" */
static void read_points(const char *listed)
{
    for (size_t i = 0; i < POINTS && *listed; i++) {
        size_t len = strcspn(listed, ","), name = strcspn(listed, ":,");
        if (name < sizeof points[i].name)
            memcpy(points[i].name, listed, name);
        atomic_store(&points[i].left, name < len ? strtol(listed + name + 1, NULL, 10) : 1);
        listed += len + (listed[len] == ',');
    }
}

static void read_environment(void)
{
    const char *listed = getenv("CORRAL_FAILPOINT");
    if (listed)
        read_points(listed);
    const char *fault = getenv("CORRAL_FAULT");
    for (int i = 0; fault && i < FAULT_KINDS; i++) {
        size_t n = strlen(kind_names[i]);
        if (strncmp(fault, kind_names[i], n) || fault[n] != ':')
            continue;
        char *end = NULL;
        atomic_store(&kinds[i].nth, strtol(fault + n + 1, &end, 10));
        atomic_store(&kinds[i].always, !strcmp(end, ":always"));
        atomic_store(&kinds[i].waits, !strcmp(end, ":ready"));
    }
}

void fault_point(const char *name)
{
    pthread_once(&once, read_environment);
    for (size_t i = 0; i < POINTS && points[i].name[0]; i++)
        if (!strcmp(points[i].name, name) && atomic_fetch_sub(&points[i].left, 1) == 1)
            kill(getpid(), SIGKILL);
}

bool fault_hit(enum fault_kind kind)
{
    pthread_once(&once, read_environment);
    if (atomic_load(&kinds[kind].waits))
        return false;
    long nth = atomic_load(&kinds[kind].nth);
    long call = atomic_fetch_add(&kinds[kind].calls, 1) + 1;
    if (!nth || call < nth || (call > nth && !atomic_load(&kinds[kind].always)))
        return false;
    errno = kind_errno[kind];
    return true;
}

void fault_begin(void)
{
    pthread_once(&once, read_environment);
    for (int i = 0; i < FAULT_KINDS; i++)
        atomic_store(&kinds[i].waits, false);
}

void fault_set(enum fault_kind kind, long nth, bool always)
{
    pthread_once(&once, read_environment);
    atomic_store(&kinds[kind].calls, 0);
    atomic_store(&kinds[kind].always, always);
    atomic_store(&kinds[kind].nth, nth);
}

long fault_count(enum fault_kind kind)
{
    return atomic_load(&kinds[kind].calls);
}
#else
typedef int fault_compiled_out; /* ISO C wants a translation unit to declare something */
#endif
