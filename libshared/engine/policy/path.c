/* path.c - see path.h. Lexical only: the guardian sees no host's files. */
#include "engine/policy/path.h"

#include "base/scope.h"
#include "base/text.h"

#include <string.h>

/* A path taken apart: what is known of it, and what of it is a pattern or a hole. */
struct shape {
    size_t known_len; /* of the text: the whole, or up to the directory of the first unknown part */
    bool exact;       /* nothing is unknown */
    bool all;         /* the unknown part is a pattern for everything in the directory */
    bool climbs;      /* ".." behind the unknown part */
};

static struct shape shape_of(const struct arg *a)
{
    size_t stop = strcspn(a->text, (const char[]){HOLE, 0});
    bool hole = stop < a->glob_at;
    if (!hole)
        stop = a->glob_at;
    if (stop >= a->len)
        return (struct shape){.known_len = a->len, .exact = true};
    size_t cut = stop;
    while (cut && a->text[cut - 1] != '/')
        cut--;
    size_t component = strcspn(a->text + cut, "/");
    const char *rest = a->text + cut + component;
    bool last = !rest[strspn(rest, "/")];
    bool all = !hole && last && strspn(a->text + cut, "*?.[]!^") >= component;
    bool climbs = strstr(a->text + cut, "..") != NULL;
    return (struct shape){.known_len = cut, .all = all, .climbs = climbs};
}

/* True when `path` is `dir` or below it. */
static bool is_within(const char *path, const char *dir)
{
    size_t n = strlen(dir);
    return !strncmp(path, dir, n) && (!path[n] || path[n] == '/');
}

static bool is_harmless_device(const char *path)
{
    static const char *const harmless[] = {
        "/dev/null",   "/dev/zero", "/dev/full",   "/dev/tty",     "/dev/stdin", "/dev/stdout",
        "/dev/stderr", "/dev/fd",   "/dev/random", "/dev/urandom", "/dev/tcp",   "/dev/udp"};
    for (size_t i = 0; i < COUNT(harmless); i++)
        if (is_within(path, harmless[i]))
            return true;
    return false;
}

static bool is_temporary(const char *path, bool exact)
{
    static const char *const places[] = {"/tmp", "/var/tmp", "/dev/shm"};
    for (size_t i = 0; i < COUNT(places); i++)
        if (is_within(path, places[i]))
            return !exact || path[strlen(places[i])];
    return false;
}

/* The class of a normal path, or of what lies in it when the shape is not exact. */
static unsigned class_of(const struct policy_context *context, const char *path,
                         const struct shape *shape)
{
    bool whole = shape->exact || shape->all;
    bool home_is_workspace = !strcmp(context->home, context->workspace);
    if (!strcmp(path, "/"))
        return PATH_ROOT;
    if (!strcmp(path, context->home) && whole && (shape->exact || !home_is_workspace))
        return PATH_HOME;
    if (!strcmp(path, context->workspace) && whole)
        return PATH_WORKSPACE_ALL;
    if (is_within(path, context->workspace))
        return PATH_WORKSPACE;
    if (is_temporary(path, shape->exact))
        return PATH_TEMPORARY;
    if (is_harmless_device(path))
        return PATH_HARMLESS;
    if (is_within(path, "/dev") && (path[4] || !shape->exact))
        return PATH_DEVICE;
    if (is_within(path, context->home))
        return PATH_HOME_INSIDE;
    return shape->exact && !strchr(path + 1, '/') ? PATH_ROOT : PATH_SYSTEM;
}

unsigned path_classes(const struct policy_context *context, const struct cwds *cwds,
                      const struct arg *a)
{
    struct shape shape = shape_of(a);
    char path[CWDS_PATH_MAX];
    if (a->text[0] == HOLE || shape.climbs)
        return PATH_UNKNOWN;
    bool absolute = a->text[0] == '/';
    unsigned classes = cwds->unknown && !absolute ? PATH_UNKNOWN : 0;
    if (absolute && path_join(path, "/", a->text, shape.known_len))
        return class_of(context, path, &shape);
    for (unsigned i = 0; i < cwds->count; i++) {
        if (path_join(path, cwds->path[i], a->text, shape.known_len))
            classes |= class_of(context, path, &shape);
        else
            classes |= PATH_UNKNOWN;
    }
    return classes;
}

bool path_matches(const struct cwds *cwds, const struct arg *a, const char *const *patterns)
{
    struct shape shape = shape_of(a);
    char path[CWDS_PATH_MAX];
    if (!shape.exact || a->text[0] == HOLE)
        return false;
    struct cwds from = *cwds;
    if (a->text[0] == '/')
        from = (struct cwds){.path = {"/"}, .count = 1};
    for (unsigned i = 0; i < from.count; i++) {
        if (!path_join(path, from.path[i], a->text, a->len))
            continue;
        for (const char *const *pattern = patterns; *pattern; pattern++)
            if (text_matches(*pattern, path))
                return true;
    }
    return false;
}
