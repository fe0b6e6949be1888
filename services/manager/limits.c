/* limits.c - see limits.h. */
#include "manager/limits.h"

#include <string.h>

static int64_t either(int64_t asked, int64_t configured)
{
    return asked ? asked : configured;
}

struct limits limits_filled(const struct limits *asked, const struct config *c)
{
    return (struct limits){.cpu_millis = either(asked->cpu_millis, c->sandbox.cpu_percent * 10),
                           .memory_mb = either(asked->memory_mb, c->sandbox.memory_mb),
                           .pids = either(asked->pids, c->sandbox.pids),
                           .workspace_mb = either(asked->workspace_mb, c->sandbox.workspace_mb),
                           .exec_timeout_ms =
                               either(asked->exec_timeout_ms, c->sandbox.timeout_seconds * 1000)};
}

struct cgroup_limits limits_of_cgroup(const struct limits *limits)
{
    return (struct cgroup_limits){.memory_bytes = limits->memory_mb << 20,
                                  .pids = limits->pids,
                                  .cpu_millis = limits->cpu_millis};
}

/* Takes one name off the text; 0 when it is no limit's. */
static unsigned take_name(struct view *text)
{
    const uint8_t *comma = text->len ? memchr(text->data, ',', text->len) : NULL;
    struct view name = {text->data, comma ? (size_t)(comma - text->data) : text->len};
    size_t taken = name.len + (comma ? 1 : 0);
    text->data += taken;
    text->len -= taken;
    for (unsigned limit = 1; limit & CGROUP_LIMITS; limit <<= 1)
        if (view_equal(name, view_of(cgroup_limit_name((enum cgroup_limit)limit))))
            return limit;
    return 0;
}

int limits_read_names(struct list names, unsigned *set, struct err *err)
{
    unsigned read = 0;
    struct view text;
    while (list_next_text(&names, &text)) {
        struct view rest = text;
        do {
            unsigned limit = take_name(&rest);
            if (!limit)
                return err_set(
                    err, ERR_INVALID,
                    "sandbox_create.allow_unenforced: \"%.*s\" names no limit; there are "
                    "memory, pids, cpu",
                    (int)text.len, (const char *)text.data);
            read |= limit;
        } while (rest.len);
    }
    *set = read;
    return 0;
}

int limits_write_names(unsigned set, struct bytes *store, struct list *names, struct err *err)
{
    struct list list = {0};
    for (unsigned limit = 1; limit & CGROUP_LIMITS; limit <<= 1)
        if (set & limit &&
            list_add_text(store, &list, view_of(cgroup_limit_name((enum cgroup_limit)limit)), err))
            return -1;
    *names = list;
    return 0;
}
