/* sweep.c - the commands that xargs, find and fd run with what they read or find; see peel.h. */
#include "engine/shell/produce.h"

#include "base/scope.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { ROUNDS_MAX = 32, ITEMS_MAX = 256 };

/* What one directory's search finds: something below it. */
static struct arg below(struct peeling *p, const struct arg *root)
{
    struct arg found = *root;
    char *text = walk_new(p->w, root->len + 3, 1);
    if (!text || root->kind != ARG_LITERAL || root->glob_at != SIZE_MAX)
        return arg_hole();
    memcpy(text, root->text, root->len);
    text[root->len] = '/';
    text[root->len + 1] = HOLE;
    found.kind = ARG_PARTIAL;
    found.text = text;
    found.len = root->len + 2;
    return found;
}

void sweep_found(struct peeling *p, const struct command_fact *find, struct args *to)
{
    size_t from, roots = facts_find_starts(find, &from);
    struct expansion e = walk_expansion(p->w, p->in);
    struct arg here = arg_literal(".");
    for (size_t i = 0; i < roots; i++)
        args_add(&e, to, below(p, &find->argv.items[from + i]));
    if (!roots)
        args_add(&e, to, below(p, &here));
}

/* What xargs reads from a text that is known, and how it shares it out. */
struct items {
    struct args args;
    bool known;
    bool holes;  /* parts of them are not */
    size_t each; /* so many go to one command */
};

/* What ends an item. */
struct manner {
    const char *ends;
    bool plain; /* quotes and backslashes are nothing special */
    bool lines; /* blanks at its beginning do not count */
};

static bool is_named(const struct option_fact *o, const char *const *names)
{
    for (; *names; names++)
        if (!strcmp(o->name, *names))
            return true;
    return false;
}

/* What the options say; false when the items are not known, whatever the input is. */
static bool read_manner(const struct peeling *p, struct manner *m, size_t *each)
{
    static const char *const others[] = {"-E", "-e", "--eof", "-0", "--null", NULL};
    static const char *const delimiter[] = {"-d", "--delimiter", NULL};
    static const char *const counts[] = {"-n", "--max-args", "-L", "-l", "--max-lines", NULL};
    *m = (struct manner){.ends = p->replace ? "\n" : " \t\n", .lines = p->replace != NULL};
    *each = p->replace ? 1 : SIZE_MAX;
    for (size_t i = 0; i < p->c->options_count; i++) {
        const struct option_fact *o = &p->c->options[i];
        const char *value = o->value ? o->value->text : "";
        if (is_named(o, others))
            return false;
        if (is_named(o, delimiter)) {
            bool newline = !strcmp(value, "\\n") || !strcmp(value, "\n");
            if (!newline && (strlen(value) != 1 || *value == HOLE))
                return false;
            m->ends = newline ? "\n" : value;
            m->plain = true;
        }
        if (is_named(o, counts))
            *each = (size_t)atol(value) > 0 ? (size_t)atol(value) : 1;
    }
    return true;
}

static void add_item(struct peeling *p, struct items *items, const struct arg *text, size_t from,
                     size_t len)
{
    struct expansion e = walk_expansion(p->w, p->in);
    const char *copy = arena_text(&p->w->facts->arena, text->text + from, len);
    struct arg item = arg_literal(copy ? copy : "");
    size_t holes = 0;
    for (size_t i = 0; i < len && copy; i++)
        holes += copy[i] == HOLE;
    items->known &= copy != NULL && items->args.count < ITEMS_MAX;
    if (holes) {
        items->holes = true;
        item.kind = holes == len ? ARG_DYNAMIC : ARG_PARTIAL;
        item.splits = item.climbs = text->climbs;
    }
    args_add(&e, &items->args, item);
}

/* What xargs reads: a file that the same text wrote, or its input. NULL: not known. */
static const struct arg *read_input(struct peeling *p)
{
    const struct option_fact *file = option_of(p->c, "-a");
    file = file ? file : option_of(p->c, "--arg-file");
    return !file         ? produce_input(p->w, p->c)
           : file->value ? disk_content(p->w, p->c->cwds, file->value)
                         : NULL;
}

static struct items read_items(struct peeling *p)
{
    struct items items = {0};
    struct manner m;
    const struct arg *text = read_input(p);
    if (!text || text->splits || !read_manner(p, &m, &items.each) ||
        (!m.plain && strpbrk(text->text, "'\"\\")))
        return items;
    items.known = true;
    for (size_t i = 0; i < text->len && items.known;) {
        size_t len = strcspn(text->text + i, m.ends);
        size_t blank = m.lines ? strspn(text->text + i, " \t") : 0;
        if (len > blank)
            add_item(p, &items, text, i + blank, len - blank);
        i += len + (i + len < text->len);
    }
    if (items.each != SIZE_MAX && items.args.count > items.each * ROUNDS_MAX)
        items.known = false;
    for (size_t i = 0; i < items.args.count; i++)
        items.args.items[i].changes = items.args.count > items.each;
    return items;
}

/* One argument in which the item stands for `mark`. */
static struct arg replaced(struct peeling *p, const struct arg *a, const char *mark,
                           const struct arg *item)
{
    size_t count = 0, step = strlen(mark);
    for (const char *at = a->text; step && (at = strstr(at, mark)); at += step)
        count++;
    char *text = walk_new(p->w, a->len + count * item->len + 1, 1), *to = text;
    if (!text || !count)
        return arg_hole();
    const char *from = a->text;
    for (const char *at; (at = strstr(from, mark)); from = at + step)
        to = mempcpy(mempcpy(to, from, (size_t)(at - from)), item->text, item->len);
    strcpy(to, from);
    struct arg made = *a;
    made.text = text;
    made.len = strlen(text);
    made.changes |= item->changes;
    made.splits |= item->splits;
    made.climbs |= item->climbs;
    if (memchr(text, HOLE, made.len))
        made.kind = made.len == 1 ? ARG_DYNAMIC : ARG_PARTIAL;
    return made;
}

/* The command of one round: with known items from `from` on, with what find found, or with what is
 * not known. */
static struct command_fact *make_round(struct peeling *p, size_t at, const struct items *items,
                                       size_t from)
{
    struct command_fact *c = inner_command(p, at, at);
    struct expansion e = walk_expansion(p->w, p->in);
    const struct command_fact *find = p->c->upstream;
    struct arg hole = arg_hole();
    struct args read = {0};
    if (items->known)
        for (size_t i = from; i < items->args.count && i - from < items->each; i++)
            args_add(&e, &read, items->args.items[i]);
    else if (find && find->name && !strcmp(find->name, "find"))
        sweep_found(p, find, &read);
    else
        args_add(&e, &read, arg_hole());
    for (size_t i = at; i < p->c->argv.count && c; i++) {
        const struct arg *a = &p->c->argv.items[i];
        bool whole = p->replace && !strcmp(a->text, p->replace) && i > at;
        if (!p->replace || !strstr(a->text, p->replace))
            args_add(&e, &c->argv, *a);
        else if (items->known)
            args_add(&e, &c->argv, replaced(p, a, p->replace, &read.items[0]));
        else
            for (size_t k = 0; k < (whole ? read.count : 1); k++)
                args_add(&e, &c->argv, whole ? read.items[k] : replaced(p, a, p->replace, &hole));
    }
    for (size_t k = 0; k < read.count && c && !p->replace; k++)
        args_add(&e, &c->argv, read.items[k]);
    return c;
}

struct flow sweep_run(struct peeling *p, size_t at, const struct cwds *in)
{
    bool reads = p->row->kind == RUN; /* fd finds */
    struct items items = reads ? read_items(p) : (struct items){0};
    size_t from = 0;
    if (items.known && !items.args.count && p->replace)
        return flow_same(p->in);
    do {
        struct command_fact *c = make_round(p, at, &items, from);
        if (!c || !c->argv.count)
            break;
        c->swept = !items.known || items.holes;
        c->context |= CONTEXT_LOOP;
        record_command(p->w, c, in);
        from += items.each;
    } while (items.known && items.each != SIZE_MAX && from < items.args.count);
    return flow_same(p->in);
}
