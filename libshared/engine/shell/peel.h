/* peel.h - a wrapper while it is peeled; for peel.c, which reads options, and inner.c, which finds
 * what runs.
 */
#pragma once

#include "engine/shell/walk.h"

enum wrapper_kind { RUN, SHELL, EVAL, SU, FIND, SOURCE, TRAP, ALIAS };

enum wrapper_trait {
    ASSIGNS = 1,
    SWEEPS = 1 << 1,
    BUILTIN = 1 << 2,
    SPLITS = 1 << 3,
    MOVES = 1 << 4,
    POSIX = 1 << 5,
    TAKES_CODE = 1 << 6
};

struct wrapper {
    const char *name;
    enum wrapper_kind kind;
    unsigned traits; /* set of enum wrapper_trait */
    const char *flags, *values, *optional, *long_flags, *long_values;
    size_t operands;
};

/* One command being peeled. */
struct peeling {
    struct walk *w;
    const struct wrapper *row;
    const struct command_fact *c;
    const struct cwds *in;
    struct cwds moved;      /* where the command runs, if not in `in` */
    size_t at;              /* the argument at hand */
    const struct arg *code; /* value of -c or -S */
    const char *replace;    /* xargs -I: stands for what is read; NULL: appended */
    bool takes_code;        /* a shell saw -c: the first operand is code */
    bool takes_stdin;       /* a shell saw -s */
    bool looks_only;        /* command -v: nothing runs */
};

/* Walks what the command runs; options are read and p->at is the first operand. */
struct flow inner_walk(struct peeling *p);

/* Runs a text as shell code: by this shell, by the one that is named, or by sh. */
struct flow inner_text(struct peeling *p, const struct arg *code);

/* A script that is no plain file: its text may come from anywhere. */
bool inner_is_odd_file(const struct peeling *p, const struct arg *a);

/* Notes that the command runs something that the text does not tell. */
struct flow peel_unsure(struct peeling *p, enum trouble_kind kind, const char *why);

/* The argument, or NULL behind the last one. */
const struct arg *peel_argument(const struct peeling *p, size_t at);

/* "NAME=…" with a known name. */
bool peel_is_assignment(const struct arg *a);
