/* path.c - see path.h. */
#include "engine/policy/path.h"

#include "base/scope.h"
#include "engine/policy/glob.h"

#include <string.h>

/* A path taken apart: what is known of it, and what of it is a pattern or a hole. */
struct shape {
    size_t known_len; /* of the text: the whole, or up to the directory of the first unknown part */
    bool exact;       /* nothing is unknown */
    bool pattern;     /* it has no hole: bash expands it */
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
    return (struct shape){
        .known_len = cut, .pattern = !strchr(a->text, HOLE), .all = all, .climbs = climbs};
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

/* The directory that is known, then the rest as it was written. False when it does not fit. */
static bool see(struct arena *arena, const char *cwd, const struct arg *a,
                const struct shape *shape, struct seen *out)
{
    char path[CWDS_PATH_MAX];
    if (!path_join(path, cwd, a->text, shape->known_len))
        return false;
    size_t known = strlen(path), rest = a->len - shape->known_len;
    bool slash = rest && path[known - 1] != '/';
    char *text = arena_new(arena, known + slash + rest + 1, 1);
    if (!text)
        return false;
    memcpy(text, path, known);
    if (slash)
        text[known] = '/';
    memcpy(text + known + slash, a->text + shape->known_len, rest);
    out->path = text;
    out->known = known;
    out->glob_at = a->glob_at == SIZE_MAX || a->glob_at < shape->known_len
                       ? SIZE_MAX
                       : known + slash + a->glob_at - shape->known_len;
    return true;
}

/* The other user's home directory that the path is in; its length, 0 without. */
static size_t home_in(const char *path)
{
    if (!strncmp(path, "/root/", 6))
        return 5;
    size_t name = !strncmp(path, "/home/", 6) ? strcspn(path + 6, "/") : 0;
    return name && path[6 + name] ? 6 + name : 0;
}

void place_read(struct arena *arena, const struct policy_context *context, const struct cwds *cwds,
                const struct arg *a, struct place *out)
{
    struct shape shape = shape_of(a);
    bool absolute = a->text[0] == '/';
    struct cwds from = *cwds;
    *out = (struct place){.arg = a, .exact = shape.exact, .pattern = shape.pattern};
    if (a->text[0] == HOLE || shape.climbs) {
        out->classes = PATH_UNKNOWN;
        return;
    }
    if (absolute)
        from = (struct cwds){.path = {"/"}, .count = 1};
    out->classes = from.unknown ? PATH_UNKNOWN : 0;
    for (unsigned i = 0; i < from.count; i++) {
        struct seen *seen = &out->seen[out->count];
        if (!see(arena, from.path[i], a, &shape, seen)) {
            out->classes |= PATH_UNKNOWN;
            continue;
        }
        char known[CWDS_PATH_MAX];
        memcpy(known, seen->path, seen->known);
        known[seen->known] = 0;
        out->classes |= class_of(context, known, &shape);
        out->near_home |=
            home_in(seen->path) ||
            glob_begins_alike(context->home, strlen(context->home), seen->path, seen->glob_at);
        out->count++;
    }
}

void place_look_inside(struct place *place)
{
    for (unsigned i = 0; i < place->count; i++)
        if (is_temporary(place->seen[i].path, false) && place->exact)
            place->classes = (place->classes & ~(unsigned)PATH_ROOT) | PATH_TEMPORARY;
}

/* "~/x" is x in this home directory. False when it does not fit. */
static const char *whole_pattern(const char *home, size_t home_len, const char *pattern,
                                 char room[CWDS_PATH_MAX])
{
    size_t rest = strlen(pattern + 1);
    if (home_len + rest >= CWDS_PATH_MAX)
        return NULL;
    memcpy(room, home, home_len);
    memcpy(room + home_len, pattern + 1, rest + 1);
    return room;
}

/* The name in which the path's pattern is begins with a letter of its own: "id_*", not "*". */
static bool is_specific(const struct seen *seen)
{
    return seen->glob_at && seen->path[seen->glob_at - 1] != '/';
}

static bool pattern_has(const char *pattern, const struct place *place, const struct seen *seen,
                        bool sure)
{
    if (glob_matches_path(pattern, seen->path))
        return true;
    if (sure || !place->pattern)
        return false;
    bool anywhere = !strncmp(pattern, "**/", 3);
    if (!anywhere) {
        char known[CWDS_PATH_MAX];
        memcpy(known, seen->path, seen->known);
        known[seen->known] = 0;
        if (glob_matches_path(pattern, known))
            return true;
    }
    return (!anywhere || is_specific(seen)) && glob_meets_path(pattern, seen->path, seen->glob_at);
}

/* A cheap no for most patterns, by where they begin. */
static bool begins_elsewhere(const char *pattern, const struct place *place)
{
    if (pattern[0] == '~')
        return !place->near_home;
    if (pattern[0] != '/' || !pattern[1] || pattern[1] == '*')
        return false;
    for (unsigned i = 0; i < place->count; i++)
        if (glob_begins_alike(pattern, 2, place->seen[i].path, place->seen[i].glob_at))
            return false;
    return true;
}

/* "~/x" is what lies in this user's home, and where it need not be sure, in anybody's. */
static bool home_pattern_has(const struct policy_context *context, const char *pattern,
                             const struct place *place, const struct seen *seen, bool sure)
{
    char room[CWDS_PATH_MAX];
    size_t other = sure || !pattern[1] ? 0 : home_in(seen->path);
    const char *own = whole_pattern(context->home, strlen(context->home), pattern, room);
    if (own && pattern_has(own, place, seen, sure))
        return true;
    const char *others = other ? whole_pattern(seen->path, other, pattern, room) : NULL;
    return others && pattern_has(others, place, seen, sure);
}

bool place_is_listed(const struct policy_context *context, const struct place *place,
                     const struct rule_key *key, bool sure)
{
    if (key->bits & place->classes)
        return true;
    for (size_t i = 0; i < key->count; i++) {
        const char *pattern = key->items[i];
        if (begins_elsewhere(pattern, place))
            continue;
        for (unsigned k = 0; k < place->count; k++)
            if (pattern[0] == '~' ? home_pattern_has(context, pattern, place, &place->seen[k], sure)
                                  : pattern_has(pattern, place, &place->seen[k], sure))
                return true;
        /* where it lies is not known, but its name is */
        if (!strncmp(pattern, "**/", 3) && place->classes & PATH_UNKNOWN &&
            glob_matches_path(pattern, place->arg->text))
            return true;
    }
    return false;
}

unsigned path_tag(const char *tag)
{
    enum { INSIDE = PATH_WORKSPACE | PATH_WORKSPACE_ALL | PATH_TEMPORARY | PATH_HARMLESS };
    static const struct {
        const char *name;
        unsigned classes;
    } tags[] = {
        {"@root", PATH_ROOT},
        {"@system", PATH_SYSTEM},
        {"@home-all", PATH_HOME},
        {"@home", PATH_HOME | PATH_HOME_INSIDE},
        {"@workspace-all", PATH_WORKSPACE_ALL},
        {"@workspace", PATH_WORKSPACE | PATH_WORKSPACE_ALL},
        {"@tmp", PATH_TEMPORARY},
        {"@device", PATH_DEVICE},
        {"@unknown", PATH_UNKNOWN},
        {"@outside", ((PATH_UNKNOWN << 1) - 1) & ~(unsigned)(INSIDE | PATH_UNKNOWN)},
    };
    for (size_t i = 0; i < COUNT(tags); i++)
        if (!strcmp(tags[i].name, tag))
            return tags[i].classes;
    return 0;
}
