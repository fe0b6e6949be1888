/* table.c - see table.h. */
#include "monitor/table.h"

#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

/* Where the id is, or would be. */
static size_t place(const struct table *t, const char *sandbox_id)
{
    size_t low = 0, high = t->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(t->rows[middle]->sandbox_id, sandbox_id) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct watched *table_find(const struct table *t, const char *sandbox_id)
{
    size_t at = place(t, sandbox_id);
    return at < t->count && !strcmp(t->rows[at]->sandbox_id, sandbox_id) ? t->rows[at] : NULL;
}

static struct watched *add(struct table *t, const char *sandbox_id, struct err *err)
{
    if (t->count == t->room) {
        size_t room = t->room ? 2 * t->room : 64;
        struct watched **rows = mem_resize(t->rows, room * sizeof *rows);
        if (rows) {
            t->rows = rows;
            t->room = room;
        }
    }
    struct watched *w = t->count < t->room ? watched_new(sandbox_id, t->history) : NULL;
    if (!w) {
        err_set(err, ERR_MEMORY, "no memory to watch %s", sandbox_id);
        return NULL;
    }
    size_t at = place(t, sandbox_id);
    memmove(t->rows + at + 1, t->rows + at, (t->count - at) * sizeof t->rows[0]);
    t->rows[at] = w;
    t->count++;
    return w;
}

static struct stamp stamp_of(const struct stat *st)
{
    return (struct stamp){
        .inode = st->st_ino, .bytes = st->st_size, .modified = st->st_mtim, .changed = st->st_ctim};
}

static bool same_time(struct timespec a, struct timespec b)
{
    return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

static bool same(const struct stamp *a, const struct stamp *b)
{
    return a->inode == b->inode && a->bytes == b->bytes && same_time(a->modified, b->modified) &&
           same_time(a->changed, b->changed);
}

static int load(struct table *t, struct watched *w, struct err *err)
{
    struct lease_file file;
    if (lease_read(t->leases, w->sandbox_id, &file, err))
        return -1;
    int failed = lease_is_of_this_boot(&file.lease)
                     ? watched_load(w, &file.lease, err)
                     : err_set(err, ERR_INVALID, "the lease is of another boot");
    lease_close(&file);
    return failed;
}

/* One pass over the directory. */
struct pass {
    struct table *table;
    bool failed;
    struct err err;
};

static void see(void *context, const char *sandbox_id)
{
    struct pass *pass = context;
    struct table *t = pass->table;
    struct stat st;
    struct err err;
    if (fstatat(t->leases, sandbox_id, &st, AT_SYMLINK_NOFOLLOW))
        return; /* it was there a moment ago */
    struct stamp stamp = stamp_of(&st);
    struct watched *w = table_find(t, sandbox_id);
    bool is_known = w && same(&w->stamp, &stamp);
    if (!w)
        w = add(t, sandbox_id, &pass->err);
    pass->failed = pass->failed || !w;
    if (!w)
        return;
    w->is_listed = true;
    if (is_known && !w->is_stale)
        return;
    w->stamp = stamp;
    if (load(t, w, &err) && err.code != ERR_NOT_FOUND && !is_known)
        t->ignored(t->context, sandbox_id, err.text);
}

static void forget_unlisted(struct table *t)
{
    size_t kept = 0;
    for (size_t i = 0; i < t->count; i++) {
        if (t->rows[i]->is_listed)
            t->rows[kept++] = t->rows[i];
        else
            watched_free(&t->rows[i]);
    }
    t->count = kept;
}

int table_sync(struct table *t, struct err *err)
{
    struct pass pass = {.table = t};
    for (size_t i = 0; i < t->count; i++)
        t->rows[i]->is_listed = false;
    if (lease_each(t->leases, see, &pass, err))
        return -1;
    forget_unlisted(t);
    if (pass.failed)
        *err = pass.err;
    return pass.failed ? -1 : 0;
}

size_t table_live(const struct table *t)
{
    size_t live = 0;
    for (size_t i = 0; i < t->count; i++)
        live += t->rows[i]->state >= WATCHED_LIVE && t->rows[i]->state != WATCHED_DEAD;
    return live;
}

void table_close(struct table *t)
{
    for (size_t i = 0; i < t->count; i++)
        watched_free(&t->rows[i]);
    free(t->rows);
    *t = (struct table){.leases = -1};
}
