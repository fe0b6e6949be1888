/* lease_cgroup.c - a sandbox's cgroup in its lease; see lease.h. */
#include "engine/lease/lease.h"

#include "base/text.h"

#include <stdio.h>
#include <string.h>

int lease_set_cgroup(struct lease *lease, const struct cgroup *cg, struct bytes *store,
                     struct err *err)
{
    struct list list = {0};
    for (unsigned tree = 0; tree < CGROUP_TREES; tree++) {
        char text[CGROUP_PATH_BYTES + 16];
        if (!cg->path[tree][0])
            continue;
        snprintf(text, sizeof text, "%s %s", cgroup_tree_name((enum cgroup_tree)tree),
                 cg->path[tree]);
        if (list_add_text(store, &list, view_of(text), err))
            return -1;
    }
    text_copy(lease->cgroup_mode, sizeof lease->cgroup_mode, cgroup_mode_name(cg->mode));
    lease->cgroups = list;
    return 0;
}

/* Puts one "tree path" where it belongs. */
static int take(struct view text, struct cgroup *cg, struct err *err)
{
    for (unsigned tree = 0; tree < CGROUP_TREES; tree++) {
        const char *name = cgroup_tree_name((enum cgroup_tree)tree);
        size_t len = strlen(name);
        if (text.len <= len || memcmp(text.data, name, len) || text.data[len] != ' ')
            continue;
        struct view path = {text.data + len + 1, text.len - len - 1};
        if (cg->path[tree][0] || !text_copy_view(cg->path[tree], CGROUP_PATH_BYTES, path))
            break;
        return 0;
    }
    return err_set(err, ERR_INVALID, "lease.cgroups: \"%.*s\"",
                   (int)(text.len > 100 ? 100 : text.len), (const char *)text.data);
}

int lease_cgroup(const struct lease *lease, struct cgroup *cg, struct err *err)
{
    struct cgroup read = {.mode = CGROUP_NONE};
    struct list rest = lease->cgroups;
    struct view text;
    while (read.mode < CGROUP_V2 && strcmp(cgroup_mode_name(read.mode), lease->cgroup_mode))
        read.mode++;
    if (strcmp(cgroup_mode_name(read.mode), lease->cgroup_mode))
        return err_set(err, ERR_INVALID, "lease.cgroup_mode: \"%s\"", lease->cgroup_mode);
    while (list_next_text(&rest, &text))
        if (take(text, &read, err))
            return -1;
    if (cgroup_check(&read, err))
        return -1;
    *cg = read;
    return 0;
}
