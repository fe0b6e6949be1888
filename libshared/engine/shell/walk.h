/* walk.h - the walk over a tree that makes facts; for the files of facts.h only.
 *
 * walk.c follows the control flow, record.c turns simple commands into records and knows the
 * builtins that change the shell, peel.c knows what the wrappers run.
 */
#pragma once

#include "engine/shell/facts.h"

/* A function that the text defines. */
struct function {
    const char *name;
    const struct node *body;
    bool running; /* its body is being walked: do not walk it inside itself */
    struct function *next;
};

struct alias {
    const char *name;
    struct alias *next;
};

struct walk {
    struct facts *facts;
    const char *home; /* NULL once the text changed it */
    bool pwd_known;   /* the text did not set PWD or CDPATH */
    bool posix;       /* the text at hand is for sh, not for bash */
    unsigned peeled;  /* texts and wrappers around what is being walked */
    size_t atoms_left;
    struct function *functions;
    struct alias *aliases;
    const struct command_fact *simple; /* the record of the simple command walked last */
};

/* Where a node stands. */
struct place {
    unsigned context;
    const struct command_fact *upstream; /* see command_fact */
    const struct command_fact *wrapper;
    bool swept; /* see command_fact */
};

/* The directories after a node: where it succeeded, where it failed. */
struct flow {
    struct cwds ok, failed;
};

/* What changes no directory. */
static inline struct flow flow_same(const struct cwds *in)
{
    return (struct flow){.ok = *in, .failed = *in};
}

/* Nothing more is recorded once there are too many records or no memory. */
bool walk_is_full(const struct walk *w);

void *walk_new(struct walk *w, size_t count, size_t size);

/* Walks a node; NULL does nothing. */
struct flow walk_node(struct walk *w, const struct node *node, struct place place,
                      const struct cwds *in);

/* Parses a text that a command runs as shell code and walks it. */
struct flow walk_code(struct walk *w, const char *text, bool posix, struct place place,
                      const struct cwds *in);

/* Walks the substitutions in parts and words. */
void walk_parts(struct walk *w, const struct part *parts, struct place place,
                const struct cwds *in);

/* The expansion of words at these directories. */
struct expansion walk_expansion(struct walk *w, const struct cwds *in);

/* Records a simple command and everything that it runs. */
struct flow record_simple(struct walk *w, const struct node *node, struct place place,
                          const struct cwds *in);

/* Records the redirects of a compound command. */
void record_redirects(struct walk *w, const struct node *node, struct place place,
                      const struct cwds *in);

/* Records argv, which is not empty, and everything that it runs. c is of the arena and complete but
 * for its name and directories. */
struct flow record_command(struct walk *w, struct command_fact *c, const struct cwds *in);

/* Walks what a command runs, if it is a wrapper. */
struct flow peel(struct walk *w, const struct command_fact *c, const struct cwds *in);

/* Notes that the text sets a variable: what is known of HOME and PWD may end here. */
void record_set(struct walk *w, const char *name);
