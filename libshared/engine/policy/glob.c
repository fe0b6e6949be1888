/* glob.c - see glob.h. Both walk the pattern once and keep what is reached in the path: all at
 * once for a path with wildcards of its own, by going back to the last star for one without. */
#include "engine/policy/glob.h"

#include <string.h>

/* Compares without a "**" "/" at the beginning; "/" "**" at the end may stand for nothing. */
static bool matches(const char *pattern, const char *path)
{
    const char *star = NULL, *star_at = NULL; /* behind the last *, where it stands now */
    const char *any = NULL, *any_at = NULL;   /* the same for the last ** */
    while (true) {
        if (*pattern == '*' && pattern[1] == '*') {
            any = pattern += 2;
            any_at = path;
            star = NULL;
        } else if (*pattern == '*') {
            star = ++pattern;
            star_at = path;
        } else if (*pattern == *path) {
            if (!*path)
                return true;
            pattern++;
            path++;
        } else if (!*path && !strcmp(pattern, "/**")) {
            return true;
        } else if (star && *star_at && *star_at != '/') {
            pattern = star;
            path = ++star_at;
        } else if (any && *any_at) {
            pattern = any;
            path = ++any_at;
            star = NULL;
        } else {
            return false;
        }
    }
}

bool glob_matches_path(const char *pattern, const char *path)
{
    return matches(pattern, path) ||
           (!strncmp(pattern, "**/", 3) && glob_matches_path(pattern + 3, path));
}

static bool ends_with_all(const char *pattern, size_t len)
{
    return len > 3 && !memcmp(pattern + len - 3, "/**", 3);
}

/* One more byte than the path: the last place is its end. */
struct reached {
    bool at[GLOB_MAX_PATH + 1];
};

struct meeting {
    const char *path;
    size_t len, glob_at;
    struct reached now, next;
};

static bool is_wild(const struct meeting *m, size_t i)
{
    return i >= m->glob_at && i < m->len && strchr("*?[", m->path[i]);
}

static bool begins_name(const struct meeting *m, size_t i)
{
    return !i || m->path[i - 1] == '/';
}

/* Where what stands at i ends: a bracket at its "]". */
static size_t end_of(const struct meeting *m, size_t i)
{
    const char *close = m->path[i] == '[' && i + 2 < m->len ? strchr(m->path + i + 2, ']') : NULL;
    return close ? (size_t)(close - m->path) + 1 : i + 1;
}

/* A star of the path may stand for nothing. */
static void skip_stars(const struct meeting *m, struct reached *r)
{
    for (size_t i = 0; i < m->len; i++)
        if (r->at[i] && is_wild(m, i) && m->path[i] == '*')
            r->at[i + 1] = true;
}

/* The pattern has this character next, at the beginning of a name or in it. */
static void take_char(struct meeting *m, char c, bool begins)
{
    memset(&m->next, 0, m->len + 1);
    for (size_t i = 0; i < m->len; i++) {
        if (!m->now.at[i])
            continue;
        if (!is_wild(m, i)) {
            m->next.at[i + 1] |= m->path[i] == c;
        } else if (c != '/' && !(c == '.' && begins && begins_name(m, i))) {
            m->next.at[m->path[i] == '*' ? i : end_of(m, i)] = true;
        }
    }
    skip_stars(m, &m->next);
    memcpy(&m->now, &m->next, m->len + 1);
}

/* The pattern has * or ** next: a run of anything, of the path's own wildcards, too. */
static void take_star(struct meeting *m, bool across)
{
    for (size_t i = 0; i < m->len; i++)
        if (m->now.at[i] && (across || m->path[i] != '/'))
            m->now.at[is_wild(m, i) ? end_of(m, i) : i + 1] = true;
    skip_stars(m, &m->now);
}

static bool meets(struct meeting *m, const char *pattern, size_t len)
{
    memset(&m->now, 0, m->len + 1);
    m->now.at[0] = true;
    skip_stars(m, &m->now);
    for (size_t i = 0; i < len; i++) {
        bool across = pattern[i] == '*' && i + 1 < len && pattern[i + 1] == '*';
        if (pattern[i] == '*')
            take_star(m, across);
        else
            take_char(m, pattern[i], !i || pattern[i - 1] == '/');
        i += across;
    }
    return m->now.at[m->len];
}

bool glob_begins_alike(const char *pattern, size_t len, const char *path, size_t glob_at)
{
    for (size_t i = 0; i < len && i < glob_at && pattern[i] != '*'; i++)
        if (pattern[i] != path[i])
            return false;
    return true;
}

bool glob_meets_path(const char *pattern, const char *path, size_t glob_at)
{
    struct meeting m;
    size_t len = strlen(pattern);
    bool all = ends_with_all(pattern, len);
    m.path = path;
    m.len = strlen(path);
    m.glob_at = glob_at;
    if (m.len > GLOB_MAX_PATH)
        return true;
    if (!glob_begins_alike(pattern, all ? len - 3 : len, path, glob_at))
        return false;
    return meets(&m, pattern, len) || (all && meets(&m, pattern, len - 3));
}
