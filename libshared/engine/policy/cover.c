/* cover.c - see cover.h. The narrow side's wildcards are read as characters that only a wildcard
 * of the wide side can stand for. */
#include "engine/policy/cover.h"

#include "base/scope.h"
#include "base/text.h"
#include "engine/policy/glob.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Writes the pattern with each ** as so many names; false: no room, or none is there. */
static bool spread(const char *pattern, int names, char *to, size_t size)
{
    size_t len = 0;
    bool any = false;
    for (const char *at = pattern; *at;) {
        bool run = at[0] == '*' && at[1] == '*';
        if (len + 2 * (size_t)names + 2 > size)
            return false;
        any |= run;
        for (int i = 0; run && i < names; i++) {
            if (i)
                to[len++] = '/';
            to[len++] = 1;
        }
        if (!run)
            to[len++] = *at;
        at += run ? 2 : 1;
    }
    to[len] = 0;
    return any;
}

/* A ** may be any number of names: some numbers stand for all of them. */
static bool path_covers(const char *wide, const char *narrow)
{
    static const int numbers[] = {1, 2, 3, 7};
    if (!strcmp(wide, narrow))
        return true;
    if (!strstr(narrow, "**"))
        return glob_matches_path(wide, narrow);
    for (size_t i = 0; i < COUNT(numbers); i++) {
        char path[GLOB_MAX_PATH];
        if (!spread(narrow, numbers[i], path, sizeof path) || !glob_matches_path(wide, path))
            return false;
    }
    size_t len = strlen(narrow); /* "/x/ **" (without the blank) is also /x */
    char root[GLOB_MAX_PATH];
    bool below = len > 3 && len < sizeof root && !strcmp(narrow + len - 3, "/**");
    if (!below)
        return narrow[0] != '*'; /* a ** in front may also be nothing */
    memcpy(root, narrow, len - 3);
    root[len - 3] = 0;
    return narrow[0] != '*' && !strstr(root, "**") && glob_matches_path(wide, root);
}

static bool ports_cover(const char *wide, const char *narrow)
{
    unsigned long bounds[2][2];
    const char *texts[2] = {wide, narrow};
    for (int i = 0; i < 2; i++) {
        char *end;
        bounds[i][0] = bounds[i][1] = strtoul(texts[i], &end, 10);
        if (*end == '-')
            bounds[i][1] = strtoul(end + 1, NULL, 10);
    }
    return bounds[0][0] <= bounds[1][0] && bounds[0][1] >= bounds[1][1];
}

/* "NAME=value", split; without "=" everything is the name. */
static bool split_covers(const char *wide, const char *narrow, bool value_is_optional)
{
    char names[2][128];
    const char *texts[2] = {wide, narrow}, *values[2];
    for (int i = 0; i < 2; i++) {
        size_t len = strcspn(texts[i], "=");
        if (len >= sizeof names[i])
            return false;
        memcpy(names[i], texts[i], len);
        names[i][len] = 0;
        values[i] = texts[i][len] ? texts[i] + len + 1 : NULL;
    }
    if (!text_matches(names[0], names[1]))
        return false;
    if (!values[0])
        return value_is_optional;
    return values[1] && text_matches(values[0], values[1]);
}

bool cover_item(const struct key_row *row, const char *wide, const char *narrow)
{
    if (!strcmp(wide, narrow))
        return true;
    switch (row->kind) {
    case KIND_PATHS:
    case KIND_FED_PATHS:
        return path_covers(wide, narrow);
    case KIND_PORTS:
        return ports_cover(wide, narrow);
    case KIND_REGEXES:
        return false;
    case KIND_HOSTS:
        return !strchr(wide, '/') && !strchr(narrow, '/') && text_matches(wide, narrow);
    default:
        if (!strcmp(row->name, "env_any"))
            return split_covers(wide, narrow, true);
        if (!strcmp(row->name, "option_values_any"))
            return split_covers(wide, narrow, false);
        return text_matches(wide, narrow);
    }
}

bool cover_items(const struct rule_key *wide, const struct rule_key *narrow)
{
    if (narrow->bits & ~wide->bits)
        return false;
    for (size_t i = 0; i < narrow->count; i++) {
        size_t at = 0;
        while (at < wide->count && !cover_item(wide->row, wide->items[at], narrow->items[i]))
            at++;
        if (at == wide->count)
            return false;
    }
    return true;
}

bool cover_all(const struct rule_key *wide, const struct rule_key *narrow)
{
    if (wide->bits & ~narrow->bits)
        return false;
    for (size_t i = 0; i < wide->count; i++) {
        size_t at = 0;
        while (at < narrow->count && !cover_item(wide->row, wide->items[i], narrow->items[at]))
            at++;
        if (at == narrow->count)
            return false;
    }
    return true;
}

static bool is(const struct key_row *row, const char *name)
{
    return !strcmp(row->name, name);
}

bool cover_follows(const struct key_row *from, const struct key_row *to)
{
    if (from == to)
        return true;
    if (from->kind == KIND_PATHS && from->argument && to->kind == KIND_PATHS && to->argument)
        return !(from->argument & ~to->argument);
    return (is(from, "first_operand") && (is(to, "operands_any") || is(to, "args_any"))) ||
           (is(from, "operands_any") && is(to, "args_any")) ||
           (is(from, "stdin_from") && is(to, "fed_by"));
}

bool cover_asks_all(const struct key_row *row)
{
    size_t len = strlen(row->name);
    return len > 4 && !strcmp(row->name + len - 4, "_all");
}

bool cover_wants(const struct rule_key *key)
{
    return key->flag != key->negated;
}

bool cover_is_manner(const struct rule_match *match, const struct rule_key *key)
{
    return !key->negated && ((match->asks_paths && is(key->row, "paths_unknown")) ||
                             (match->asks_flags && is(key->row, "flags_unknown")));
}

static bool number_covers(const struct rule_key *wide, const struct rule_key *narrow)
{
    bool most = is(wide->row, "operands_max") != wide->negated;
    return most ? narrow->number <= wide->number : narrow->number >= wide->number;
}

/* True when the wide key holds wherever the narrow one does. */
static bool key_covers(const struct rule_key *wide, const struct rule_key *narrow)
{
    if (wide->row->kind == KIND_FLAG)
        return wide->row == narrow->row && cover_wants(wide) == cover_wants(narrow);
    if (wide->negated != narrow->negated)
        return false;
    if (wide->negated) { /* what is forbidden to the wide one is forbidden to the narrow one */
        if (!cover_follows(wide->row, narrow->row))
            return false;
        if (wide->row->kind == KIND_NUMBER)
            return number_covers(wide, narrow);
        return cover_asks_all(wide->row) ? cover_all(narrow, wide) : cover_items(narrow, wide);
    }
    if (!cover_follows(narrow->row, wide->row))
        return false;
    if (wide->row->kind == KIND_NUMBER)
        return number_covers(wide, narrow);
    return cover_asks_all(wide->row) ? cover_all(wide, narrow) : cover_items(wide, narrow);
}

bool cover_match(const struct rule_match *wide, const struct rule_match *narrow)
{
    if (wide->needs & ~narrow->needs ||
        (narrow->paths_unknown && wide->asks_paths && !wide->paths_unknown))
        return false;
    if (narrow->flags_unknown && wide->asks_flags && !wide->flags_unknown)
        return false;
    for (size_t i = 0; i < wide->count; i++) {
        const struct rule_key *key = &wide->keys[i];
        size_t at = 0;
        while (at < narrow->count && !key_covers(key, &narrow->keys[at]))
            at++;
        if (at == narrow->count && !cover_is_manner(wide, key))
            return false;
    }
    return true;
}
