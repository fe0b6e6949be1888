#include "manager/runtime/uids.h"

#include "base/mem.h"

#include <assert.h>
#include <stdlib.h>

int uids_open(int64_t base, int64_t count, struct uids *out, struct err *err)
{
    enum { COUNT_MAX = 1 << 20 };
    if (!count) {
        *out = (struct uids){0};
        return 0;
    }
    if (count < 0 || count > COUNT_MAX || base < 1000 || base > INT32_MAX - count)
        return err_set(err, ERR_INVALID,
                       "host uids %lld + %lld: the range must lie between 1000 and %d, at most %d",
                       (long long)base, (long long)count, INT32_MAX, COUNT_MAX);
    bool *used = mem_new((size_t)count, sizeof *used);
    if (!used)
        return err_set(err, ERR_MEMORY, "a table of %lld uids", (long long)count);
    *out = (struct uids){.base = base, .count = count, .used = used};
    return 0;
}

void uids_close(struct uids *u)
{
    free(u->used);
    *u = (struct uids){0};
}

static bool is_ours(const struct uids *u, int64_t uid)
{
    return u->count && uid >= u->base && uid - u->base < u->count;
}

int uids_take(struct uids *u, int64_t *uid, struct err *err)
{
    if (!u->count) {
        *uid = -1;
        return 0;
    }
    for (int64_t tried = 0; tried < u->count; tried++) {
        int64_t at = (u->next + tried) % u->count;
        if (u->used[at])
            continue;
        u->used[at] = true;
        u->next = (at + 1) % u->count;
        *uid = u->base + at;
        return 0;
    }
    return err_set(err, ERR_OVERLOADED, "all %lld host uids are in use", (long long)u->count);
}

int uids_mark(struct uids *u, int64_t uid, struct err *err)
{
    if (!is_ours(u, uid))
        return 0;
    if (u->used[uid - u->base])
        return err_set(err, ERR_STATE, "host uid %lld is in use already", (long long)uid);
    u->used[uid - u->base] = true;
    return 0;
}

void uids_give(struct uids *u, int64_t uid)
{
    if (!is_ours(u, uid))
        return;
    assert(u->used[uid - u->base]);
    u->used[uid - u->base] = false;
}
