/* writer.c - the one writer of registry.json; see writer.h.
 *
 * Each change starts from the registry in force, which is the one that the change before has
 * written: so the file only ever moves from one generation to a later one.
 */
#include "guardian/writer.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/scope.h"
#include "net/registry_file.h"
#include "service/service.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

struct writer {
    struct service *service;
    int public_dir;
    struct writing *first, **end; /* the first one is on a worker */
};

int writer_new(struct service *service, struct writer **writer, struct err *err)
{
    char path[512];
    snprintf(path, sizeof path, "%s/public", service->state_path);
    SCOPED(fd_close) int dir = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (dir < 0) {
        err_sys(err, "opening %s", path);
        err->code = ERR_CONFIG;
        return -1;
    }
    struct writer *w = mem_new(1, sizeof *w);
    if (!w)
        return err_set(err, ERR_MEMORY, "no memory for the registry's writer");
    *w = (struct writer){.service = service, .public_dir = fd_take(&dir), .end = &w->first};
    *writer = w;
    return 0;
}

void writer_free(struct writer **writer)
{
    struct writer *w = *writer;
    if (!w)
        return;
    fd_close(&w->public_dir);
    free(w);
    *writer = NULL;
}

static int save(struct writer *w, const struct registry *registry, struct err *err)
{
    return registry_save(w->public_dir, "registry.json", registry, err);
}

/* After a save that failed: it may have failed behind the rename, and then the file has the change.
 * That this may not survive a loss of power does no harm: once its result is in the journal, every
 * start puts it back (recover.h). A file that cannot even be read leaves it to a restart. */
static bool is_in_file(struct writer *w, const struct registry *wanted)
{
    SCOPED(registry_release) struct registry *found = NULL;
    struct err err;
    if (registry_load(w->public_dir, "registry.json", clock_wall_ns() / S_NS, &found, &err))
        service_fail("registry.unknown", &err);
    return registry_generation(found) == registry_generation(wanted);
}

/* On a worker. `first` stays the same until written() has run. */
static void write_next(void *context)
{
    struct writer *w = context;
    struct writing *job = w->first;
    SCOPED(registry_release) struct registry *old = registry_hold(w->service->registry);
    SCOPED(registry_release) struct registry *next = NULL;
    job->has_failed = change_apply(&job->change, old, clock_wall_ns() / S_NS, &next, &job->err) ||
                      (save(w, next, &job->err) && !is_in_file(w, next));
    if (!job->has_failed)
        job->next_registry = TAKE(next);
}

static void written(void *context);

static int start(struct writer *w, struct err *err)
{
    return workers_run(w->service->workers, write_next, written, w, err);
}

/* The next change starts before this one's operation goes on: their syncs may overlap. One that
 * cannot start has failed. */
static void written(void *context)
{
    struct writer *w = context;
    struct writing *job = w->first;
    w->first = job->next;
    if (!w->first)
        w->end = &w->first;
    job->is_under_way = false;
    if (job->next_registry) {
        job->generation = registry_generation(job->next_registry);
        registry_swap(w->service->registry, TAKE(job->next_registry));
        log_info("registry.written generation=%lld agent=%s tenant=%s", (long long)job->generation,
                 job->change.agent, job->change.tenant);
    }
    if (w->first && start(w, &w->first->err)) {
        w->first->has_failed = true;
        written(w);
    }
    op_wake(job->op, WAKE_EVENT, job);
    op_drop(job->op);
}

int writer_add(struct writer *w, struct writing *writing, struct err *err)
{
    writing->next = NULL;
    *w->end = writing;
    w->end = &writing->next;
    if (w->first == writing && start(w, err)) {
        w->first = NULL;
        w->end = &w->first;
        return -1;
    }
    writing->is_under_way = true;
    op_hold(writing->op);
    return 0;
}

int writer_save(struct writer *w, struct registry *registry, struct err *err)
{
    if (save(w, registry, err))
        return -1;
    registry_swap(w->service->registry, registry);
    return 0;
}
