/* workers.c - a bounded pool of threads; see workers.h. */
#include "service/workers.h"

#include "base/mem.h"

#include <assert.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct job {
    void (*run)(void *context);
    void (*done)(void *context);
    void *context;
    struct job *next;
};

struct queue {
    struct job *first, **end;
};

struct workers {
    struct loop *loop;
    pthread_mutex_t lock;
    pthread_cond_t more;
    struct queue waiting, ended; /* under lock */
    bool stop;                   /* under lock */
    int wake;                    /* eventfd: something ended */
    size_t busy, bound, count;   /* loop thread */
    pthread_t threads[];
};

static void put(struct queue *q, struct job *job)
{
    job->next = NULL;
    *q->end = job;
    q->end = &job->next;
}

static struct job *take(struct queue *q)
{
    struct job *job = q->first;
    if (job && !(q->first = job->next))
        q->end = &q->first;
    return job;
}

static void *work(void *context)
{
    struct workers *w = context;
    pthread_mutex_lock(&w->lock);
    for (;;) {
        struct job *job = take(&w->waiting);
        if (!job && w->stop)
            break;
        if (!job) {
            pthread_cond_wait(&w->more, &w->lock);
            continue;
        }
        pthread_mutex_unlock(&w->lock);
        job->run(job->context);
        pthread_mutex_lock(&w->lock);
        put(&w->ended, job);
        eventfd_write(w->wake, 1);
    }
    pthread_mutex_unlock(&w->lock);
    return NULL;
}

/* Calls `done` of everything that has ended. */
static void on_ended(void *context)
{
    struct workers *w = context;
    eventfd_t count;
    eventfd_read(w->wake, &count);
    for (;;) {
        pthread_mutex_lock(&w->lock);
        struct job *job = take(&w->ended);
        pthread_mutex_unlock(&w->lock);
        if (!job)
            return;
        w->busy--;
        job->done(job->context);
        free(job);
    }
}

/* Joins what was started, so that a half-made pool ends like a whole one. */
static void stop(struct workers *w)
{
    pthread_mutex_lock(&w->lock);
    w->stop = true;
    pthread_cond_broadcast(&w->more);
    pthread_mutex_unlock(&w->lock);
    for (size_t i = 0; i < w->count; i++)
        pthread_join(w->threads[i], NULL);
}

static void release(struct workers *w)
{
    close(w->wake);
    pthread_cond_destroy(&w->more);
    pthread_mutex_destroy(&w->lock);
    free(w);
}

int workers_new(struct loop *loop, size_t threads, size_t bound, struct workers **workers,
                struct err *err)
{
    struct workers *w = mem_new(1, sizeof *w + threads * sizeof w->threads[0]);
    if (!w)
        return err_set(err, ERR_MEMORY, "no memory for workers");
    w->loop = loop;
    w->bound = bound;
    w->waiting.end = &w->waiting.first;
    w->ended.end = &w->ended.first;
    pthread_mutex_init(&w->lock, NULL);
    pthread_cond_init(&w->more, NULL);
    w->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (w->wake < 0) {
        err_sys(err, "eventfd");
        release(w);
        return -1;
    }
    while (w->count < threads && !pthread_create(&w->threads[w->count], NULL, work, w))
        w->count++;
    if (w->count < threads)
        err_set(err, ERR_IO, "cannot start thread %zu of %zu", w->count + 1, threads);
    else if (!loop_watch_fd(loop, w->wake, on_ended, w, err)) {
        *workers = w;
        return 0;
    }
    stop(w);
    release(w);
    return -1;
}

/* Runs what `done` handed over when no thread was left to take it. */
static void run_rest(struct workers *w)
{
    struct job *job;
    while ((job = take(&w->waiting))) {
        job->run(job->context);
        w->busy--;
        job->done(job->context);
        free(job);
    }
}

void workers_free(struct workers **workers)
{
    struct workers *w = *workers;
    if (!w)
        return;
    stop(w);
    on_ended(w);
    run_rest(w);
    loop_end_fd(w->loop, w->wake);
    release(w);
    *workers = NULL;
}

int workers_run(struct workers *w, void (*run)(void *context), void (*done)(void *context),
                void *context, struct err *err)
{
    assert(run && done);
    if (w->busy == w->bound)
        return err_set(err, ERR_OVERLOADED, "%zu jobs are waiting already", w->bound);
    struct job *job = mem_new(1, sizeof *job);
    if (!job)
        return err_set(err, ERR_MEMORY, "no memory for a job");
    *job = (struct job){run, done, context, NULL};
    pthread_mutex_lock(&w->lock);
    put(&w->waiting, job);
    pthread_cond_signal(&w->more);
    pthread_mutex_unlock(&w->lock);
    w->busy++;
    return 0;
}

size_t workers_busy(const struct workers *w)
{
    return w->busy;
}
