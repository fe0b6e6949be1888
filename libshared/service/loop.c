/* loop.c - the loop over zmq_poll; see loop.h.
 *
 * One turn: the timers that are due, then the watches that were ready. What ends during a turn is
 * only marked, and nothing marked is called any more; what begins waits for the next turn. Between
 * turns the marked ones leave their arrays, which is the only time that one moves to another place.
 */
#include "service/loop.h"

#include "base/clock.h"
#include "base/mem.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <zmq.h>

struct callback {
    void (*call)(void *context); /* NULL: ended */
    void *context;
};

struct timer {
    int id;
    int64_t due_boot_ms, period_ms; /* period 0: once */
    struct callback callback;
};

struct loop {
    struct timer *timers;
    size_t timer_count, timer_room;
    zmq_pollitem_t *items;      /* as zmq_poll wants them; beside each its callback */
    struct callback *callbacks; /* of the watches */
    size_t watch_count, watch_room;
    int newest_timer;
    bool is_stopping;
};

int loop_new(struct loop **loop, struct err *err)
{
    struct loop *l = mem_new(1, sizeof *l);
    if (!l)
        return err_set(err, ERR_MEMORY, "no memory for a loop");
    *loop = l;
    return 0;
}

void loop_free(struct loop **loop)
{
    if (!*loop)
        return;
    free((*loop)->timers);
    free((*loop)->items);
    free((*loop)->callbacks);
    free(*loop);
    *loop = NULL;
}

void loop_stop(struct loop *loop)
{
    loop->is_stopping = true;
}

/* Takes out what has ended. */
static void tidy(struct loop *l)
{
    size_t timers = 0, watches = 0;
    for (size_t i = 0; i < l->timer_count; i++)
        if (l->timers[i].callback.call)
            l->timers[timers++] = l->timers[i];
    for (size_t i = 0; i < l->watch_count; i++)
        if (l->callbacks[i].call) {
            l->items[watches] = l->items[i];
            l->callbacks[watches++] = l->callbacks[i];
        }
    l->timer_count = timers;
    l->watch_count = watches;
}

/* Until the next timer is due, for zmq_poll; -1: for ever. */
static long wait_ms(const struct loop *l)
{
    int64_t next = INT64_MAX;
    for (size_t i = 0; i < l->timer_count; i++)
        if (l->timers[i].due_boot_ms < next)
            next = l->timers[i].due_boot_ms;
    if (next == INT64_MAX)
        return -1;
    int64_t left = next - clock_boot_ms();
    return left < 0 ? 0 : left > INT_MAX ? INT_MAX : (long)left;
}

/* Callbacks may add: the arrays are looked at anew each time. A repeated one that is behind does
 * not make up for what it missed. */
static void run_timers(struct loop *l)
{
    size_t count = l->timer_count;
    int64_t now = clock_boot_ms();
    for (size_t i = 0; i < count && !l->is_stopping; i++) {
        struct timer *t = &l->timers[i];
        struct callback callback = t->callback;
        if (!callback.call || t->due_boot_ms > now)
            continue;
        if (!t->period_ms)
            t->callback.call = NULL;
        t->due_boot_ms += t->period_ms;
        if (t->due_boot_ms <= now)
            t->due_boot_ms = now + t->period_ms;
        callback.call(callback.context);
    }
}

static void run_watches(struct loop *l, size_t count)
{
    for (size_t i = 0; i < count && !l->is_stopping; i++)
        if (l->items[i].revents && l->callbacks[i].call)
            l->callbacks[i].call(l->callbacks[i].context);
}

void loop_run(struct loop *loop)
{
    loop->is_stopping = false;
    while (!loop->is_stopping) {
        tidy(loop);
        size_t count = loop->watch_count;
        int ready = zmq_poll(loop->items, (int)count, wait_ms(loop));
        if (ready < 0 && errno == EINTR)
            continue;
        assert(ready >= 0); /* a socket that is closed while it is watched */
        run_timers(loop);
        run_watches(loop, count);
    }
}

static int make_watch_room(struct loop *l, struct err *err)
{
    if (l->watch_count < l->watch_room)
        return 0;
    size_t room = l->watch_room ? 2 * l->watch_room : 16;
    zmq_pollitem_t *items = mem_resize(l->items, room * sizeof *items);
    if (items)
        l->items = items;
    struct callback *callbacks = mem_resize(l->callbacks, room * sizeof *callbacks);
    if (callbacks)
        l->callbacks = callbacks;
    if (!items || !callbacks)
        return err_set(err, ERR_MEMORY, "no memory for a watch");
    l->watch_room = room;
    return 0;
}

static int watch(struct loop *l, zmq_pollitem_t item, void (*ready)(void *), void *context,
                 struct err *err)
{
    assert(ready);
    if (make_watch_room(l, err))
        return -1;
    l->items[l->watch_count] = item;
    l->callbacks[l->watch_count++] = (struct callback){ready, context};
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

static void end_watch(struct loop *l, void *socket, int fd)
{
    for (size_t i = 0; i < l->watch_count; i++)
        if (l->items[i].socket == socket && (socket || l->items[i].fd == fd))
            l->callbacks[i].call = NULL;
}

void loop_end_fd(struct loop *loop, int fd)
{
    end_watch(loop, NULL, fd);
}

void loop_end_socket(struct loop *loop, void *socket)
{
    end_watch(loop, socket, 0);
}

static int make_timer_room(struct loop *l, struct err *err)
{
    if (l->timer_count < l->timer_room)
        return 0;
    size_t room = l->timer_room ? 2 * l->timer_room : 16;
    struct timer *timers = mem_resize(l->timers, room * sizeof *timers);
    if (!timers)
        return err_set(err, ERR_MEMORY, "no memory for a timer");
    l->timers = timers;
    l->timer_room = room;
    return 0;
}

int loop_timer(struct loop *loop, int64_t delay_ms, bool repeat, void (*due)(void *context),
               void *context, struct err *err)
{
    assert(due && delay_ms >= 0 && (delay_ms || !repeat));
    if (make_timer_room(loop, err))
        return -1;
    loop->newest_timer = loop->newest_timer == INT_MAX ? 0 : loop->newest_timer + 1;
    loop->timers[loop->timer_count++] = (struct timer){.id = loop->newest_timer,
                                                       .due_boot_ms = clock_boot_ms() + delay_ms,
                                                       .period_ms = repeat ? delay_ms : 0,
                                                       .callback = {due, context}};
    return loop->newest_timer;
}

void loop_end_timer(struct loop *loop, int timer)
{
    for (size_t i = 0; i < loop->timer_count; i++)
        if (loop->timers[i].id == timer)
            loop->timers[i].callback.call = NULL;
}
