/* cwds.c - see cwds.h. */
#include "engine/shell/cwds.h"

#include <string.h>

bool cwds_equal(const struct cwds *a, const struct cwds *b)
{
    if (a->count != b->count || a->unknown != b->unknown)
        return false;
    for (unsigned i = 0; i < a->count; i++)
        if (strcmp(a->path[i], b->path[i]) != 0)
            return false;
    return true;
}

static void add_path(struct cwds *a, const char *path)
{
    for (unsigned i = 0; i < a->count; i++)
        if (!strcmp(a->path[i], path))
            return;
    if (a->count == CWDS_MAX)
        a->unknown = true;
    else
        a->path[a->count++] = path;
}

void cwds_add(struct cwds *a, const struct cwds *b)
{
    for (unsigned i = 0; i < b->count; i++)
        add_path(a, b->path[i]);
    a->unknown |= b->unknown;
}

struct cwds cwds_change(struct arena *arena, const struct cwds *from, const char *path)
{
    static const struct cwds root = {.path = {"/"}, .count = 1};
    from = path[0] == '/' ? &root : from; /* wherever it was before, known or not */
    struct cwds to = {.unknown = from->unknown};
    for (unsigned i = 0; i < from->count; i++) {
        arena->steps += strlen(from->path[i]) + strlen(path);
        char joined[CWDS_PATH_MAX];
        bool fits =
            path_join(joined, from->path[i], path, strlen(path)) && strlen(joined) < CWDS_KEPT_MAX;
        char *copy = fits ? arena_text(arena, joined, strlen(joined)) : NULL;
        if (copy)
            add_path(&to, copy);
        else
            to.unknown = true;
    }
    return to;
}

static size_t drop_last(const char *to, size_t len)
{
    while (len && to[len - 1] != '/')
        len--;
    return len ? len - 1 : 0;
}

/* Appends the components of a path; `to` holds "" or "/a/b". False when it does not fit. */
static bool append(char *to, size_t *len, const char *path, size_t path_len)
{
    for (size_t at = 0; at < path_len;) {
        const char *part = path + at;
        size_t n = 0;
        while (at + n < path_len && part[n] != '/')
            n++;
        at += n + 1;
        if (n == 2 && part[0] == '.' && part[1] == '.') {
            *len = drop_last(to, *len);
        } else if (n && !(n == 1 && part[0] == '.')) {
            if (n + 2 > CWDS_PATH_MAX - *len)
                return false;
            to[(*len)++] = '/';
            memcpy(to + *len, part, n);
            *len += n;
        }
    }
    return true;
}

/* Begins with a directory, which nearly always is normal already. */
static bool begin(char *to, size_t *len, const char *cwd)
{
    size_t n = strlen(cwd);
    bool normal = n > 1 && cwd[0] == '/' && cwd[n - 1] != '/' && !strstr(cwd, "//") &&
                  !strstr(cwd, "/.") && n < CWDS_PATH_MAX;
    if (!normal)
        return append(to, len, cwd, n);
    memcpy(to, cwd, n);
    *len = n;
    return true;
}

bool path_join(char to[CWDS_PATH_MAX], const char *cwd, const char *path, size_t len)
{
    size_t n = 0;
    bool absolute = len && path[0] == '/';
    if ((!absolute && !begin(to, &n, cwd)) || !append(to, &n, path, len))
        return false;
    if (!n)
        to[n++] = '/';
    to[n] = 0;
    return true;
}
