/* expand.h - what a word becomes as arguments, as far as its text tells.
 *
 * Done: braces, quote removal, ~, variables and what substitutions write where it is known, and the
 * splitting of both. Everything else that expands is a hole: one byte HOLE stands for it in the
 * text, so that the rest of the text can be judged. (That byte cannot come from outside:
 * trouble_look reports control characters, and a text with one is cut there.)
 */
#pragma once

#include "engine/shell/arena.h"
#include "engine/shell/syntax.h"
#include "engine/shell/trouble.h"

enum { HOLE = 1, EXPAND_MAX_ARGS = 1024, /* of one word */ EXPAND_MAX_ATOMS = 256 * 1024 };

enum arg_kind {
    ARG_LITERAL, /* no hole */
    ARG_PARTIAL, /* some text, some holes */
    ARG_DYNAMIC  /* nothing but holes */
};

struct arg {
    enum arg_kind kind;
    const char *text; /* NUL-terminated */
    size_t len;
    size_t glob_at; /* the first unquoted * ? or [ that is a pattern; SIZE_MAX without */
    bool splits;    /* a hole that may become no argument, or several */
    bool process;   /* has a <( ) or >( ) */
    bool climbs;    /* a hole may be any text, "/.." too; false: numbers, names found in a place */
    bool changes;   /* what differs from round to round: a hole of a variable, an item of xargs */
    const char *content; /* of one <( ): what reading it gives; NULL: not known */
};

struct args {
    struct arg *items;
    size_t count, room;
};

/* What the walk learned of the commands in a part, for the expansion that follows. */
struct heard {
    const struct arg *output; /* what they write, without newlines at its end; NULL: not known */
    const struct source_fact *sources; /* them */
};

enum { CHOICES_MAX = 8, CHOICE_PINS = 6 };

/* Which of several possible values each expansion takes: the expansion is done again for each `at`
 * below `total`, which grows while it is done, up to CHOICES_MAX. */
struct choices {
    size_t at, total, radix;
    struct {
        const void *key;
        size_t picked;
    } pins[CHOICE_PINS]; /* what has several values takes the same one each time */
    size_t pinned;
};

struct expansion {
    struct arena *arena;
    struct trouble *trouble;
    const char *home;   /* NULL: not known */
    const char *pwd;    /* NULL: not known */
    size_t *atoms_left; /* what braces may still make of one text: starts at EXPAND_MAX_ATOMS */
    size_t *work_left;  /* bytes that values may still add, steps that patterns may still take */
    const struct vars *vars;            /* NULL: no variable is known */
    struct choices *choices;            /* NULL: what has several values is a hole */
    const struct source_fact **sources; /* gathers the commands whose output is in it, or NULL */
    unsigned *aborts;                   /* counts what may fail, and so end the line; or NULL */
    bool posix;                         /* for a shell that is not bash */
    const unsigned *loop;               /* in a loop: vars.changes at its beginning; or NULL */
};

enum { EXPAND_MAX_WORK = 2 * 1024 * 1024 };

/* Which of `count` possible values to take, 2 or more; count when they must be a hole. */
size_t expand_choose(const struct expansion *e, const void *key, size_t count);

/* True when so much more may be done for values; then it is counted. */
bool expand_may_work(const struct expansion *e, size_t steps);

/* Notes that it may be an error: bash then drops the rest of the line. */
void expand_abort(const struct expansion *e);

/* Notes the commands whose output is in what is being expanded. */
void expand_note(const struct expansion *e, const struct source_fact *sources);

/* Appends what the word becomes. Too many arguments, or no memory, is trouble. */
void expand_word(const struct expansion *e, const struct word *w, struct args *to);

/* One argument without brace expansion: the value of an assignment, a subject, a here-document. */
struct arg expand_parts(const struct expansion *e, const struct part *parts);

/* Appends one argument. */
void args_add(const struct expansion *e, struct args *to, struct arg a);

/* An argument of text that is known. */
struct arg arg_literal(const char *text);

/* An argument about which nothing is known. */
struct arg arg_hole(void);

/* An argument that is one number, or one name in a place, which is not known. */
struct arg arg_tame_hole(void);

/* A literal argument without a pattern, equal to this text. */
bool arg_is(const struct arg *a, const char *text);
