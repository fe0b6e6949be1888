/* expand.h - what a word becomes as arguments, as far as its text tells.
 *
 * Done: braces, quote removal, ~, $HOME and $PWD where they are known. Everything else that expands
 * is a hole: one byte HOLE stands for it in the text, so that the rest of the text can be judged.
 * (That byte cannot come from outside: trouble_look reports control characters, and a text with one
 * is cut there.)
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
};

struct args {
    struct arg *items;
    size_t count, room;
};

struct expansion {
    struct arena *arena;
    struct trouble *trouble;
    const char *home;   /* NULL: not known */
    const char *pwd;    /* NULL: not known */
    size_t *atoms_left; /* what braces may still make of one text: starts at EXPAND_MAX_ATOMS */
};

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

/* A literal argument without a pattern, equal to this text. */
bool arg_is(const struct arg *a, const char *text);
