/* loop.c - the loop over czmq's zloop; see loop.h.
 *
 * zloop drops a reader that errs unless it is marked tolerant, so every watch is. czmq's signal
 * handlers stay off: signals are read from a signalfd like everything else.
 */
#include "service/loop.h"

#include "base/mem.h"

#include <assert.h>
#include <czmq.h>
#include <stdlib.h>

/* A watch or timer; zloop hands it back as its argument. */
struct entry {
    struct loop *loop;
    void (*call)(void *context);
    void *context;
    zmq_pollitem_t item; /* watches */
    int timer;           /* timers: the id; -1 for watches */
    bool repeat;
    struct entry *next;
};

struct loop {
    zloop_t *zloop;
    struct entry *entries;
    bool stopping;
};

int loop_new(struct loop **loop, struct err *err)
{
    zsys_handler_set(NULL);
    struct loop *l = mem_new(1, sizeof *l);
    if (l)
        l->zloop = zloop_new();
    if (!l || !l->zloop) {
        free(l);
        return err_set(err, ERR_MEMORY, "no memory for a loop");
    }
    zloop_set_nonstop(l->zloop, true);
    *loop = l;
    return 0;
}

static void forget(struct loop *loop, struct entry *gone)
{
    struct entry **at = &loop->entries;
    while (*at != gone)
        at = &(*at)->next;
    *at = gone->next;
    free(gone);
}

void loop_free(struct loop **loop)
{
    if (!*loop)
        return;
    zloop_destroy(&(*loop)->zloop);
    while ((*loop)->entries)
        forget(*loop, (*loop)->entries);
    free(*loop);
    *loop = NULL;
}

void loop_run(struct loop *loop)
{
    loop->stopping = false;
    zloop_start(loop->zloop);
}

void loop_stop(struct loop *loop)
{
    loop->stopping = true;
}

/* The entry may be ended by its own callback: only the loop is touched afterwards. */
static int on_ready(zloop_t *zloop, zmq_pollitem_t *item, void *context)
{
    (void)zloop;
    (void)item;
    struct entry *entry = context;
    struct loop *loop = entry->loop;
    entry->call(entry->context);
    return loop->stopping ? -1 : 0;
}

static int on_timer(zloop_t *zloop, int timer, void *context)
{
    (void)zloop;
    (void)timer;
    struct entry *entry = context;
    struct loop *loop = entry->loop;
    void (*call)(void *) = entry->call;
    void *argument = entry->context;
    if (!entry->repeat)
        forget(loop, entry);
    call(argument);
    return loop->stopping ? -1 : 0;
}

static struct entry *add(struct loop *loop, void (*call)(void *), void *context)
{
    struct entry *entry = mem_new(1, sizeof *entry);
    if (!entry)
        return NULL;
    *entry = (struct entry){loop, call, context, {0}, -1, false, loop->entries};
    loop->entries = entry;
    return entry;
}

static int watch(struct loop *loop, zmq_pollitem_t item, void (*ready)(void *), void *context,
                 struct err *err)
{
    struct entry *entry = add(loop, ready, context);
    if (!entry)
        return err_set(err, ERR_MEMORY, "no memory for a watch");
    entry->item = item;
    if (zloop_poller(loop->zloop, &entry->item, on_ready, entry)) {
        forget(loop, entry);
        return err_set(err, ERR_MEMORY, "no memory for a watch");
    }
    zloop_poller_set_tolerant(loop->zloop, &entry->item);
    return 0;
}

int loop_watch_fd(struct loop *loop, int fd, void (*ready)(void *context), void *context,
                  struct err *err)
{
    return watch(loop, (zmq_pollitem_t){.fd = fd, .events = ZMQ_POLLIN}, ready, context, err);
}

int loop_watch_fd_priority(struct loop *loop, int fd, void (*ready)(void *context), void *context,
                           struct err *err)
{
    return watch(loop, (zmq_pollitem_t){.fd = fd, .events = ZMQ_POLLPRI}, ready, context, err);
}

int loop_watch_fd_writable(struct loop *loop, int fd, void (*ready)(void *context), void *context,
                           struct err *err)
{
    return watch(loop, (zmq_pollitem_t){.fd = fd, .events = ZMQ_POLLOUT}, ready, context, err);
}

int loop_watch_socket(struct loop *loop, void *socket, void (*ready)(void *context), void *context,
                      struct err *err)
{
    return watch(loop, (zmq_pollitem_t){.socket = socket, .events = ZMQ_POLLIN}, ready, context,
                 err);
}

static void end_watch(struct loop *loop, void *socket, int fd)
{
    for (struct entry *e = loop->entries; e; e = e->next) {
        if (e->timer >= 0 || e->item.socket != socket || (!socket && e->item.fd != fd))
            continue;
        zloop_poller_end(loop->zloop, &e->item);
        forget(loop, e);
        return;
    }
}

void loop_end_fd(struct loop *loop, int fd)
{
    end_watch(loop, NULL, fd);
}

void loop_end_socket(struct loop *loop, void *socket)
{
    end_watch(loop, socket, 0);
}

int loop_timer(struct loop *loop, int64_t delay_ms, bool repeat, void (*due)(void *context),
               void *context, struct err *err)
{
    assert(delay_ms >= 0);
    struct entry *entry = add(loop, due, context);
    if (!entry)
        return err_set(err, ERR_MEMORY, "no memory for a timer");
    entry->repeat = repeat;
    entry->timer = zloop_timer(loop->zloop, (size_t)delay_ms, repeat ? 0 : 1, on_timer, entry);
    if (entry->timer < 0) {
        forget(loop, entry);
        return err_set(err, ERR_MEMORY, "no memory for a timer");
    }
    return entry->timer;
}

void loop_end_timer(struct loop *loop, int timer)
{
    for (struct entry *e = loop->entries; e; e = e->next) {
        if (e->timer != timer)
            continue;
        zloop_timer_end(loop->zloop, timer);
        forget(loop, e);
        return;
    }
}
