#include "engine/cgroup/cgroup_parse.h"

#include "base/text.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* Takes the part before the next `end` off the front; the rest loses the separator too. */
static struct view take_until(struct view *text, char end)
{
    const uint8_t *at = text->len ? memchr(text->data, end, text->len) : NULL;
    size_t len = at ? (size_t)(at - text->data) : text->len;
    struct view part = {text->data, len};
    size_t skip = at ? len + 1 : len;
    text->data = text->len ? text->data + skip : text->data;
    text->len -= skip;
    return part;
}

static bool is_text(struct view v, const char *text)
{
    return view_equal(v, view_of(text));
}

static bool has_between(struct view list, const char *name, const char *separators)
{
    size_t start = 0;
    for (size_t i = 0; i <= list.len; i++) {
        if (i < list.len && !(list.data[i] && strchr(separators, list.data[i])))
            continue;
        if (is_text((struct view){list.data + start, i - start}, name))
            return true;
        start = i + 1;
    }
    return false;
}

bool cgroup_parse_has(struct view text, const char *name)
{
    return text.len && has_between(text, name, " ,\n");
}

/* The v1 controller whose hierarchy a tree is; NULL for the unified one. */
static const char *controller_of(enum cgroup_tree tree)
{
    return tree == CGROUP_TREE_UNIFIED ? NULL : cgroup_tree_name(tree);
}

struct mount {
    struct view root, point, type, options;
    bool writable;
};

/* One line of mountinfo: "36 35 98:0 /root /point rw,noatime shared:1 - type source options". */
static bool parse_mount(struct view line, struct mount *out)
{
    for (int skipped = 0; skipped < 3; skipped++)
        if (!take_until(&line, ' ').len)
            return false;
    struct view root = take_until(&line, ' ');
    struct view point = take_until(&line, ' ');
    struct view flags = take_until(&line, ' ');
    struct view word = take_until(&line, ' ');
    while (word.len && !is_text(word, "-"))
        word = take_until(&line, ' ');
    struct view type = take_until(&line, ' ');
    take_until(&line, ' '); /* the source, which may be empty or anything */
    if (!root.len || !point.len || !flags.len || !word.len || !type.len)
        return false;
    *out = (struct mount){root, point, type, line, cgroup_parse_has(flags, "rw")};
    return true;
}

static bool shows_tree(const struct mount *mount, enum cgroup_tree tree)
{
    if (tree == CGROUP_TREE_UNIFIED)
        return is_text(mount->type, "cgroup2");
    return is_text(mount->type, "cgroup") && cgroup_parse_has(mount->options, controller_of(tree));
}

/* Undoes the octal escapes of mountinfo (\040 is a blank); false when it does not fit. */
static bool unescape(struct view from, char *to, size_t size)
{
    size_t n = 0;
    for (size_t i = 0; i < from.len; i++) {
        uint8_t c = from.data[i];
        if (c == '\\' && from.len - i > 3) {
            unsigned value = 0;
            for (size_t d = 1; d <= 3; d++) {
                uint8_t digit = from.data[i + d];
                if (digit < '0' || digit > '7')
                    return false;
                value = value * 8 + (digit - (unsigned)'0');
            }
            if (!value || value > 255)
                return false;
            c = (uint8_t)value;
            i += 3;
        }
        if (!c || n + 1 >= size)
            return false;
        to[n++] = (char)c;
    }
    to[n] = 0;
    return true;
}

/* An absolute path without empty, "." and ".." components; "/" alone is one. */
static bool is_clean_path(const char *path)
{
    if (path[0] != '/')
        return false;
    if (!path[1])
        return true;
    for (const char *at = path; at; at = strchr(at + 1, '/')) {
        size_t len = strcspn(at + 1, "/");
        if (!len || (len == 1 && at[1] == '.') || (len == 2 && at[1] == '.' && at[2] == '.'))
            return false;
    }
    return true;
}

/* The membership's path for a tree; an empty view when /proc/self/cgroup has no such line. */
static int find_member(struct view membership, enum cgroup_tree tree, struct view *path,
                       struct err *err)
{
    *path = (struct view){0};
    for (int number = 1; membership.len; number++) {
        struct view line = take_until(&membership, '\n');
        struct view id = take_until(&line, ':');
        const uint8_t *colon = line.len ? memchr(line.data, ':', line.len) : NULL;
        if (!id.len || !colon)
            return err_set(err, ERR_INVALID, "/proc/self/cgroup: line %d is no id:names:path",
                           number);
        struct view names = take_until(&line, ':');
        bool match = tree == CGROUP_TREE_UNIFIED
                         ? is_text(id, "0") && !names.len
                         : names.len && has_between(names, controller_of(tree), ",");
        if (match && !path->len)
            *path = line;
    }
    return 0;
}

/* Where `member` (a path in the hierarchy) is in a mount that shows the hierarchy from its root on;
 * false when it is not in view. */
static bool locate(const struct mount *mount, struct view member, char to[CGROUP_PATH_BYTES])
{
    char root[CGROUP_PATH_BYTES], point[CGROUP_PATH_BYTES], path[CGROUP_PATH_BYTES];
    if (!unescape(mount->root, root, sizeof root) || !unescape(mount->point, point, sizeof point) ||
        !text_copy_view(path, sizeof path, member))
        return false;
    if (strlen(path) != member.len || !is_clean_path(root) || !is_clean_path(point) ||
        !is_clean_path(path))
        return false;
    size_t skip = strcmp(root, "/") ? strlen(root) : 0;
    if (strncmp(path, root, skip) || (path[skip] && path[skip] != '/'))
        return false;
    const char *below = strcmp(path + skip, "/") ? path + skip : "";
    const char *front = strcmp(point, "/") ? point : "";
    return snprintf(to, CGROUP_PATH_BYTES, "%s%s", front, below) < CGROUP_PATH_BYTES;
}

static enum cgroup_mode mode_of(const struct cgroup_places *places)
{
    bool v1 = places->own[CGROUP_TREE_MEMORY][0] || places->own[CGROUP_TREE_PIDS][0] ||
              places->own[CGROUP_TREE_CPU][0] || places->own[CGROUP_TREE_FREEZER][0];
    if (places->own[CGROUP_TREE_UNIFIED][0])
        return v1 ? CGROUP_HYBRID : CGROUP_V2;
    return v1 ? CGROUP_V1 : CGROUP_NONE;
}

/* Looks at one mount for one tree; a writable mount wins over a read-only one, else the first. */
static void consider(const struct mount *mount, struct view member, bool *writable, char *own)
{
    if (own[0] && (*writable || !mount->writable))
        return;
    char found[CGROUP_PATH_BYTES];
    if (!member.len || !locate(mount, member, found))
        return;
    memcpy(own, found, CGROUP_PATH_BYTES);
    *writable = mount->writable;
}

int cgroup_parse_places(struct view mountinfo, struct view membership, struct cgroup_places *out,
                        struct err *err)
{
    struct cgroup_places places = {0};
    struct view members[CGROUP_TREES];
    bool writable[CGROUP_TREES] = {0};
    for (unsigned tree = 0; tree < CGROUP_TREES; tree++)
        if (find_member(membership, tree, &members[tree], err))
            return -1;
    for (int number = 1; mountinfo.len; number++) {
        struct mount mount;
        if (!parse_mount(take_until(&mountinfo, '\n'), &mount))
            return err_set(err, ERR_INVALID, "/proc/self/mountinfo: line %d is no mount", number);
        for (unsigned tree = 0; tree < CGROUP_TREES; tree++)
            if (shows_tree(&mount, tree))
                consider(&mount, members[tree], &writable[tree], places.own[tree]);
    }
    places.mode = mode_of(&places);
    *out = places;
    return 0;
}

int cgroup_parse_number(struct view text, int64_t *out, struct err *err)
{
    if (text.len && text.data[text.len - 1] == '\n')
        text.len--;
    if (is_text(text, "max")) {
        *out = INT64_MAX;
        return 0;
    }
    if (!text.len || text.len > 20)
        return err_set(err, ERR_INVALID, "not a number");
    uint64_t value = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] < '0' || text.data[i] > '9')
            return err_set(err, ERR_INVALID, "not a number");
        if (__builtin_mul_overflow(value, 10u, &value) ||
            __builtin_add_overflow(value, (uint64_t)(text.data[i] - '0'), &value))
            return err_set(err, ERR_INVALID, "a number beyond 64 bits");
    }
    enum { PAGE_MAX = 65536 }; /* v1 says "no limit" as INT64_MAX rounded down to a page */
    *out = value > INT64_MAX - PAGE_MAX ? INT64_MAX : (int64_t)value;
    return 0;
}

int cgroup_parse_keyed(struct view text, const char *key, int64_t *out, struct err *err)
{
    while (text.len) {
        struct view line = take_until(&text, '\n');
        if (!is_text(take_until(&line, ' '), key))
            continue;
        return cgroup_parse_number(line, out, err) ? err_add(err, "%s", key) : 0;
    }
    return err_set(err, ERR_NOT_FOUND, "no line %s", key);
}

int cgroup_parse_pid(struct view *cursor, bool *more, pid_t *pid, struct err *err)
{
    if (!cursor->len) {
        *more = false;
        return 0;
    }
    int64_t number;
    if (cgroup_parse_number(take_until(cursor, '\n'), &number, err) || number > INT32_MAX)
        return err_set(err, ERR_INVALID, "cgroup.procs has a line that is no pid");
    *pid = (pid_t)number;
    *more = true;
    return 0;
}
