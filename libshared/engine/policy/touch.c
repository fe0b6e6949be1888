/* touch.c - see touch.h. */
#include "engine/policy/touch.h"

#include "base/scope.h"
#include "engine/policy/subject.h"

#include <stdio.h>
#include <string.h>

struct files {
    struct arena *arena;
    struct file_fact *first;
};

static void add(struct files *files, struct arg path, unsigned touches)
{
    struct file_fact *f = arena_new(files->arena, 1, sizeof *f);
    if (!f)
        return;
    *f = (struct file_fact){.touches = touches, .path = path, .next = files->first};
    files->first = f;
}

static unsigned touches_of(const struct redirect_fact *r)
{
    switch (r->op) {
    case REDIRECT_OUT:
    case REDIRECT_APPEND:
    case REDIRECT_CLOBBER:
    case REDIRECT_ALL:
    case REDIRECT_ALL_APPEND:
        return TOUCH_WRITE;
    case REDIRECT_BOTH_WAY:
        return TOUCH_READ | TOUCH_WRITE;
    case REDIRECT_IN:
        return TOUCH_READ;
    case REDIRECT_DUP_OUT: /* ">& file" writes a file unless it names a descriptor */
        return r->target.text[strspn(r->target.text, "0123456789-")] ? TOUCH_WRITE : 0;
    default:
        return 0;
    }
}

/* What a command does to its operands but the last one, and to the last one. */
static const struct touch_row {
    const char *command;
    unsigned others, last;
} touch_rows[] = {
    {"rm", TOUCH_DELETE, TOUCH_DELETE},
    {"unlink", TOUCH_DELETE, TOUCH_DELETE},
    {"rmdir", TOUCH_DELETE, TOUCH_DELETE},
    {"shred", TOUCH_DELETE | TOUCH_WRITE, TOUCH_DELETE | TOUCH_WRITE},
    {"srm", TOUCH_DELETE, TOUCH_DELETE},
    {"tee", TOUCH_WRITE, TOUCH_WRITE},
    {"touch", TOUCH_WRITE, TOUCH_WRITE},
    {"truncate", TOUCH_WRITE, TOUCH_WRITE},
    {"fallocate", TOUCH_WRITE, TOUCH_WRITE},
    {"patch", TOUCH_WRITE, TOUCH_WRITE},
    {"visudo", TOUCH_WRITE, TOUCH_WRITE},
    {"chmod", TOUCH_MODE, TOUCH_MODE},
    {"chown", TOUCH_MODE, TOUCH_MODE},
    {"chgrp", TOUCH_MODE, TOUCH_MODE},
    {"setfacl", TOUCH_MODE, TOUCH_MODE},
    {"chattr", TOUCH_MODE, TOUCH_MODE},
    {"cp", TOUCH_READ, TOUCH_WRITE},
    {"install", TOUCH_READ, TOUCH_WRITE},
    {"ln", TOUCH_READ, TOUCH_WRITE},
    {"rsync", TOUCH_READ, TOUCH_WRITE},
    {"scp", TOUCH_READ, TOUCH_WRITE},
    {"mv", TOUCH_MOVE | TOUCH_DELETE, TOUCH_WRITE},
};

static bool writes_in_place(const struct command_fact *c)
{
    for (size_t i = 1; i < c->argv.count; i++)
        if (!strncmp(c->argv.items[i].text, "-i", 2) ||
            !strncmp(c->argv.items[i].text, "--in-place", 10))
            return true;
    return false;
}

static void add_operands(struct files *files, const struct command_fact *c)
{
    struct touch_row row = {0};
    for (size_t i = 0; i < COUNT(touch_rows); i++)
        if (!strcmp(touch_rows[i].command, c->name))
            row = touch_rows[i];
    if ((!strcmp(c->name, "sed") || !strcmp(c->name, "perl")) && writes_in_place(c))
        row = (struct touch_row){c->name, TOUCH_WRITE, TOUCH_WRITE};
    const struct arg *last = NULL;
    for (struct operands walk = {0}; row.command;) {
        const struct arg *operand = subject_operand(c, &walk);
        if (last)
            add(files, *last, operand ? row.others : row.last);
        if (!operand)
            return;
        last = operand;
    }
}

/* What dd writes is behind "of=". */
static void add_dd(struct files *files, const struct command_fact *c)
{
    for (size_t i = 1; i < c->argv.count; i++) {
        struct arg a = c->argv.items[i];
        bool out = !strncmp(a.text, "of=", 3);
        if (!out && strncmp(a.text, "if=", 3) != 0)
            continue;
        a.text += 3;
        a.len -= 3;
        a.glob_at -= a.glob_at != SIZE_MAX ? 3 : 0;
        add(files, a, out ? TOUCH_WRITE : TOUCH_READ);
    }
}

/* Where find begins, or here. */
static void add_starts(struct files *files, const struct command_fact *c)
{
    size_t from, count = facts_find_starts(c, &from);
    if (!count)
        add(files, arg_literal("."), TOUCH_SEARCH);
    for (size_t i = from; i < from + count; i++)
        add(files, c->argv.items[i], TOUCH_SEARCH);
}

const struct file_fact *touch_files(struct arena *arena, const struct command_fact *c)
{
    struct files files = {.arena = arena};
    if (c->files)
        return c->files;
    for (size_t i = 0; i < c->redirects_count; i++)
        if (touches_of(&c->redirects[i]))
            add(&files, c->redirects[i].target, touches_of(&c->redirects[i]));
    if (!c->name)
        return files.first;
    add_operands(&files, c);
    if (!strcmp(c->name, "dd") || !strcmp(c->name, "dcfldd"))
        add_dd(&files, c);
    if (!strcmp(c->name, "find"))
        add_starts(&files, c);
    return files.first;
}
