/* readers.c - read-only connections for questions; see readers.h. */
#include "audit/readers.h"

#include "audit/store.h"
#include "base/mem.h"
#include "base/text.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>

enum { KEPT = 16 };

struct readers {
    char path[256];
    pthread_mutex_t lock;
    struct db *idle[KEPT]; /* under lock, as the next two */
    size_t idle_count, taken;
};

int readers_new(const char *path, struct readers **readers, struct err *err)
{
    struct readers *r = mem_new(1, sizeof *r);
    if (!r)
        return err_set(err, ERR_MEMORY, "no memory for readers");
    text_copy(r->path, sizeof r->path, path);
    pthread_mutex_init(&r->lock, NULL);
    *readers = r;
    return 0;
}

void readers_free(struct readers **readers)
{
    struct readers *r = *readers;
    if (!r)
        return;
    assert(!r->taken);
    while (r->idle_count)
        db_free(&r->idle[--r->idle_count]);
    pthread_mutex_destroy(&r->lock);
    free(r);
    *readers = NULL;
}

int readers_take(struct readers *r, struct db **out, struct err *err)
{
    struct db *db = NULL;
    pthread_mutex_lock(&r->lock);
    if (r->idle_count)
        db = r->idle[--r->idle_count];
    r->taken++;
    pthread_mutex_unlock(&r->lock);
    if (!db && store_open_reader(r->path, &db, err)) {
        readers_give(r, &db);
        return -1;
    }
    *out = db;
    return 0;
}

void readers_give(struct readers *r, struct db **at)
{
    pthread_mutex_lock(&r->lock);
    r->taken--;
    if (*at && r->idle_count < KEPT) {
        r->idle[r->idle_count++] = *at;
        *at = NULL;
    }
    pthread_mutex_unlock(&r->lock);
    db_free(at);
}
