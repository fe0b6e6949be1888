/* peel.c - wrappers and their options, by the rows of wrappers.def; see walk.h and peel.h. */
#include "engine/shell/peel.h"

#include "base/scope.h"

#include <string.h>

static const struct wrapper wrappers[] = {
#define WRAPPER(name, kind, traits, flags, values, optional, long_flags, long_values, operands)    \
    {name, kind, traits, flags, values, optional, long_flags, long_values, operands},
#include "engine/shell/wrappers.def"
#undef WRAPPER
};

struct flow peel_unsure(struct peeling *p, enum trouble_kind kind, const char *why)
{
    trouble_add(&p->w->facts->trouble, kind, "%s %s", p->c->name, why);
    return flow_same(p->in);
}

const struct arg *peel_argument(const struct peeling *p, size_t at)
{
    return at < p->c->argv.count ? &p->c->argv.items[at] : NULL;
}

static bool in_list(const char *list, const char *word, size_t len)
{
    for (const char *at = list; (at = strstr(at, word)); at++) {
        bool begins = at == list || at[-1] == ' ';
        if (begins && (at[len] == ' ' || !at[len]))
            return true;
    }
    return false;
}

/* Notes what a value of an option means to us. */
static void take_value(struct peeling *p, char letter, const struct arg *value)
{
    if (letter == 'c' && p->row->kind == SU)
        p->code = value;
    if (letter == 'S' && p->row->traits & SPLITS)
        p->code = value;
    if (letter == 'I' && p->row->traits & SWEEPS)
        p->replace = value->text;
    if ((letter == 'C' || letter == 'D') && p->row->traits & MOVES)
        p->moved = (struct cwds){.unknown = true};
}

static void take_flag(struct peeling *p, char letter)
{
    p->takes_code |= letter == 'c' && p->row->kind == SHELL;
    p->takes_stdin |= letter == 's' && p->row->kind == SHELL;
    p->looks_only |= (letter == 'v' || letter == 'V') && p->row->traits & BUILTIN;
}

/* "--name", "--name=value", "--name value". False when the option is not known. */
static bool skip_long(struct peeling *p, const struct arg *a)
{
    char name[40];
    size_t len = strcspn(a->text, "=");
    if (len >= sizeof name)
        return false;
    memcpy(name, a->text, len);
    name[len] = 0;
    bool value = in_list(p->row->long_values, name, len);
    if (!value && !in_list(p->row->long_flags, name, len) && !a->text[len])
        return false; /* with "=" its value cannot be the command */
    p->looks_only |= !strcmp(name, "--version") || !strcmp(name, "--help");
    p->at++;
    if (!strcmp(name, "--replace"))
        p->replace = a->text[len] ? a->text + len + 1 : "{}";
    if (!value)
        return true;
    const struct arg *given = a->text[len] ? NULL : peel_argument(p, p->at++);
    struct arg *behind = NULL;
    if (a->text[len] && (behind = walk_new(p->w, 1, sizeof *behind)))
        *behind = arg_literal(a->text + len + 1);
    if (!given)
        given = behind;
    char letter = !strcmp(name, "--chdir")                                           ? 'C'
                  : !strcmp(name, "--split-string")                                  ? 'S'
                  : !strcmp(name, "--command") || !strcmp(name, "--session-command") ? 'c'
                                                                                     : 0;
    if (given)
        take_value(p, letter, given);
    return true;
}

/* "-abc", "-n5", "-n 5". False when a letter is not known. */
static bool skip_cluster(struct peeling *p, const struct arg *a)
{
    p->at++;
    for (const char *letter = a->text + 1; *letter; letter++) {
        if (strchr(p->row->optional, *letter)) {
            if (*letter == 'i' && p->row->traits & SWEEPS)
                p->replace = letter[1] ? letter + 1 : "{}";
            return true;
        }
        if (strchr(p->row->values, *letter)) {
            const struct arg *value = letter[1] ? NULL : peel_argument(p, p->at++);
            struct arg *behind = letter[1] ? walk_new(p->w, 1, sizeof *behind) : NULL;
            if (behind) {
                *behind = arg_literal(letter + 1);
                value = behind;
            }
            if (value)
                take_value(p, *letter, value);
            return true;
        }
        if (!strchr(p->row->flags, *letter))
            return false;
        take_flag(p, *letter);
    }
    return true;
}

bool peel_is_assignment(const struct arg *a)
{
    size_t len = strcspn(a->text, "=");
    return len && a->text[len] && !memchr(a->text, '/', len) && a->text[0] != HOLE;
}

/* Moves to the first argument that is no option; false when one is not understood. */
static bool skip_options(struct peeling *p)
{
    bool shell = p->row->kind == SHELL;
    for (p->at = 1; p->at < p->c->argv.count;) {
        const struct arg *a = peel_argument(p, p->at);
        bool plus = shell && a->text[0] == '+';
        if (a->text[0] == HOLE)
            return true; /* a command, code or script that is not known */
        if (a->kind != ARG_LITERAL && a->text[0] == '-')
            return false;
        if (!strcmp(a->text, "--")) {
            p->at++;
            return true;
        }
        if (!strcmp(a->text, "-") && (shell || p->row->traits & ASSIGNS || p->row->kind == SU)) {
            p->at++;
            if (shell)
                return true;
            continue;
        }
        if ((a->text[0] != '-' && !plus) || a->len < 2) {
            if (p->row->kind != SU)
                return true;
            p->at++; /* su takes options behind the user, too */
            continue;
        }
        if (!(a->text[1] == '-' ? skip_long(p, a) : skip_cluster(p, a)))
            return false;
    }
    return true;
}

struct flow peel(struct walk *w, const struct command_fact *c, const struct cwds *in)
{
    const struct wrapper *row = NULL;
    for (size_t i = 0; i < COUNT(wrappers) && !row; i++)
        if (!strcmp(wrappers[i].name, c->name))
            row = &wrappers[i];
    struct peeling p = {.w = w, .row = row, .c = c, .in = in, .moved = *in};
    if (!row)
        return flow_same(in);
    bool plain = row->kind == EVAL || row->kind == FIND || row->kind == SOURCE;
    if (!plain && !skip_options(&p))
        return peel_unsure(&p, TROUBLE_DYNAMIC, "has an option that is not understood");
    return inner_walk(&p);
}
