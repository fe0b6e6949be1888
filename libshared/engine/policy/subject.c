/* subject.c - see subject.h. */
#include "engine/policy/subject.h"

#include "base/scope.h"

#include <string.h>

static unsigned facts_of(const struct facts *f, const struct command_fact *c)
{
    unsigned has = 0;
    has |= c->name && *c->name ? NEED_NAME : 0;
    has |= c->context ? NEED_CONTEXT : 0;
    has |= f->trouble.kinds ? NEED_TROUBLE : 0;
    has |= c->redirects_count ? NEED_REDIRECTS | NEED_PATHS : 0;
    has |= c->argv.count > 1 ? NEED_ARGS | NEED_PATHS | NEED_ENV : 0;
    has |= c->assigns_count ? NEED_ENV : 0;
    has |= c->wrapper ? NEED_WRAPPER : 0;
    has |= c->hosts ? NEED_HOSTS : 0;
    has |= c->files ? NEED_PATHS : 0;
    has |= c->sources || c->upstream ? NEED_SOURCES : 0;
    has |= c->code ? NEED_CODE : 0;
    return has;
}

void subject_begin(struct subject *s)
{
    s->steps_end = s->facts->arena.steps + SUBJECT_STEPS_MAX;
}

bool subject_is_spent(const struct subject *s)
{
    return s->facts->arena.steps > s->steps_end;
}

void subject_turn(struct subject *s, const struct command_fact *c, enum policy_op op)
{
    s->c = c;
    s->op = op;
    s->has = facts_of(s->facts, c);
    s->own = (struct place_list){0};
    s->args = (struct view){0};
}

static bool is_option(const struct arg *a)
{
    return a->text[0] == '-' && a->text[1];
}

const struct arg *subject_operand(const struct command_fact *c, struct operands *walk)
{
    if (c->operands_count || c->options_count)
        return walk->at < c->operands_count ? c->operands[walk->at++] : NULL;
    while (walk->at + 1 < c->argv.count) {
        const struct arg *a = &c->argv.items[++walk->at];
        if (!walk->ended && !strcmp(a->text, "--"))
            walk->ended = true;
        else if (walk->ended || !is_option(a))
            return a;
    }
    return NULL;
}

static size_t count_paths(const struct command_fact *c, const struct file_fact *files)
{
    size_t count = 0;
    for (const struct file_fact *f = files; f; f = f->next)
        count++;
    return count + c->argv.count;
}

/* Whether a directory itself stays when it is touched so. */
static bool is_about_contents(unsigned touches)
{
    return touches & TOUCH_SEARCH || !(touches & (TOUCH_DELETE | TOUCH_MODE | TOUCH_MOVE));
}

static void read_places(struct subject *s, struct place_list *out)
{
    const struct command_fact *c = s->c;
    struct arena *arena = &s->facts->arena;
    out->read = true;
    out->places = arena_new(arena, count_paths(c, c->files) + 1, sizeof *out->places);
    if (!out->places) {
        trouble_add(&s->facts->trouble, TROUBLE_MEMORY, "there is no memory to look at its paths");
        return;
    }
    for (const struct file_fact *f = c->files; f; f = f->next) {
        struct place *p = &out->places[out->count++];
        place_read(arena, s->context, c->cwds, &f->path, p);
        p->touches = f->touches;
        p->recursive = f->recursive;
        if (is_about_contents(p->touches))
            place_look_inside(p);
    }
    for (struct operands walk = {0};;) {
        const struct arg *operand = subject_operand(c, &walk);
        if (!operand)
            return;
        struct place *p = &out->places[out->count++];
        place_read(arena, s->context, c->cwds, operand, p);
        p->operand = true;
    }
}

const struct place *subject_places(struct subject *s, size_t *count)
{
    struct place_list *list = s->paths ? &s->paths[s->c->index] : &s->own;
    if (!list->read)
        read_places(s, list);
    *count = list->count;
    return list->places;
}

struct view subject_args(struct subject *s)
{
    const struct args *argv = &s->c->argv;
    size_t len = 0;
    if (s->args.data)
        return s->args;
    for (size_t i = 0; i < argv->count; i++)
        len += argv->items[i].len + 1;
    char *text = arena_new(&s->facts->arena, len + 1, 1), *to = text;
    for (size_t i = 0; text && i < argv->count; i++) {
        if (i)
            *to++ = ' ';
        to = (char *)memcpy(to, argv->items[i].text, argv->items[i].len) + argv->items[i].len;
    }
    if (!text)
        trouble_add(&s->facts->trouble, TROUBLE_MEMORY, "there is no memory to look at it");
    s->args = (struct view){(const uint8_t *)text, text ? (size_t)(to - text) : 0};
    return s->args;
}
