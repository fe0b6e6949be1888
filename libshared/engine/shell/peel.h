/* peel.h - a wrapper while it is peeled; for peel.c, which knows what options mean, inner.c and
 * line.c, which find what runs.
 */
#pragma once

#include "engine/shell/options.h"
#include "engine/shell/walk.h"

enum wrapper_kind {
    RUN,
    LINE,
    SHELL,
    INPUT,
    EVAL,
    SU,
    FIND,
    SOURCE,
    TRAP,
    ALIAS,
    ARGS,
    ITEMS,
    CONTAINER,
    CRON,
    MAKE
};

enum wrapper_trait {
    ASSIGNS = 1,
    SWEEPS = 1 << 1,
    BUILTIN = 1 << 2,
    SPLITS = 1 << 3,
    MOVES = 1 << 4,
    POSIX = 1 << 5,
    TAKES_CODE = 1 << 6,
    ELSEWHERE = 1 << 7,
    DASHES = 1 << 8,
    NEEDS_DASHES = 1 << 9
};

struct wrapper {
    const char *name;
    enum wrapper_kind kind;
    unsigned traits; /* set of enum wrapper_trait */
    size_t operands;
};

/* One command being peeled. */
struct peeling {
    struct walk *w;
    const struct wrapper *row; /* a program that only has options with code: of no kind */
    const struct command_fact *c;
    const struct cwds *in;
    struct cwds moved;      /* where the command runs, if not in `in` */
    unsigned context;       /* of what it runs, besides its own */
    size_t at;              /* the argument at hand */
    const struct arg *code; /* value of -c or -S */
    const char *replace;    /* xargs -I: stands for what is read; NULL: appended */
    bool takes_code;        /* a shell saw -c: the first operand is code */
    bool takes_stdin;       /* a shell saw -s */
    bool looks_only;        /* command -v: nothing runs */
};

/* Walks what the command runs; options are read and p->at is the first operand. */
struct flow inner_walk(struct peeling *p);

/* Runs a text as shell code: of this shell, of the one that is named, or of sh. */
struct flow inner_text(struct peeling *p, const struct arg *code);

/* The same where the command runs: on another host, or in a directory that an option named. */
struct flow inner_text_there(struct peeling *p, const struct arg *code);

/* Runs the arguments from p->at on as a command. */
struct flow inner_run(struct peeling *p);

/* The arguments [at, end) as a command of their own, run by p->c. NULL without memory. */
struct command_fact *inner_command(struct peeling *p, size_t at, size_t end);

/* Runs the arguments from `at` on as a command that gets more of them from a search or its input:
 * once for each round of xargs where the input is known. */
struct flow sweep_run(struct peeling *p, size_t at, const struct cwds *in);

/* Adds what find finds: something below each place where it starts. */
void sweep_found(struct peeling *p, const struct command_fact *find, struct args *to);

/* A script that is no plain file: its text may come from anywhere. */
bool inner_is_odd_file(const struct peeling *p, const struct arg *a);

/* The kinds of line.c: see wrappers.def. */
struct flow line_joined(struct peeling *p);
struct flow line_input(struct peeling *p);
struct flow line_args(struct peeling *p);
struct flow line_items(struct peeling *p);
struct flow line_container(struct peeling *p);
struct flow line_cron(struct peeling *p);
struct flow line_make(struct peeling *p);

/* Walks the shell commands that the record's code runs, where they are literals. */
void calls_walk(struct peeling *p);

/* Walks options and operands that hold a command line, whatever the program. */
void line_values(struct peeling *p);

/* Notes that the command runs something that the text does not tell. */
struct flow peel_unsure(struct peeling *p, enum trouble_kind kind, const char *why);

/* The argument, or NULL behind the last one. */
const struct arg *peel_argument(const struct peeling *p, size_t at);

/* Moves behind the operands that stand before the command; false when one may be several. */
bool peel_skip_operands(struct peeling *p);

/* "NAME=…" with a known name. */
bool peel_is_assignment(const struct arg *a);
