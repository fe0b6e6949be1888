/* pattern.c - the patterns of ${x#…} and its kin; see param.h. No extended ones. */
#include "engine/shell/param.h"

#include <string.h>

struct span {
    const char *at, *end;
};

/* One [ ] that begins at p; sets *next behind it. -1 when it does not close. */
static int in_brackets(struct span p, unsigned char c, const char **next)
{
    const char *at = p.at + 1;
    bool negated = at < p.end && (*at == '!' || *at == '^'), found = false;
    at += negated;
    for (const char *first = at; at < p.end && (*at != ']' || at == first); at++) {
        if (*at == '\\' && at + 1 < p.end)
            at++;
        unsigned char low = (unsigned char)*at, high = low;
        if (at + 2 < p.end && at[1] == '-' && at[2] != ']') {
            high = (unsigned char)at[2];
            at += 2;
        }
        found |= low <= c && c <= high;
    }
    if (at >= p.end)
        return -1;
    *next = at + 1;
    return found != negated;
}

/* Matches one character of the pattern; sets *next behind it. */
static bool one_matches(struct span p, char c, const char **next)
{
    *next = p.at + 1;
    if (*p.at == '?')
        return true;
    if (*p.at == '[') {
        int in = in_brackets(p, (unsigned char)c, next);
        if (in >= 0)
            return in;
    }
    if (*p.at == '\\' && p.at + 1 < p.end) {
        *next = p.at + 2;
        return p.at[1] == c;
    }
    return *p.at == c;
}

bool pattern_matches(const char *pattern, size_t pattern_len, const char *text, size_t len)
{
    struct span p = {pattern, pattern + pattern_len};
    const char *t = text, *end = text + len, *star = NULL, *retry = NULL, *next;
    while (t < end) {
        if (p.at < p.end && *p.at == '*') {
            star = ++p.at;
            retry = t;
        } else if (p.at < p.end && one_matches(p, *t, &next)) {
            p.at = next;
            t++;
        } else if (star) {
            p.at = star;
            t = ++retry;
        } else {
            return false;
        }
    }
    while (p.at < p.end && *p.at == '*')
        p.at++;
    return p.at == p.end;
}
