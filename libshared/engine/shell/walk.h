/* walk.h - the walk over a tree that makes facts; for the files of facts.h only.
 *
 * walk.c follows the control flow, loop.c the loops, record.c turns simple commands into records,
 * builtins.c and assign.c know what changes the shell, peel.c knows what the wrappers run,
 * produce.c what commands write.
 */
#pragma once

#include "engine/shell/disk.h"
#include "engine/shell/facts.h"
#include "engine/shell/vars.h"

/* Where a node stands. */
struct place {
    unsigned context;
    const struct command_fact *upstream; /* see command_fact */
    const struct command_fact *wrapper;
    bool swept;                        /* see command_fact */
    bool forks;                        /* in a pipe or the background of the function at hand */
    bool waits;                        /* the loop at hand waits for what it starts */
    const struct source_fact *feeds;   /* whose output its stdin is: WAY_PIPE */
    const struct arg *input;           /* what its stdin gives; NULL: not known */
    const struct command_fact *writer; /* around it: what >( ) reads */
};

/* A function that the text defines. */
struct function {
    const char *name;
    const struct node *body;
    bool running; /* its body is being walked: do not walk it inside itself */
    bool called;
    bool sure;          /* its definition certainly ran */
    struct place place; /* of the definition */
    struct cwds cwds;
    struct function *next, *next_body; /* of the same bucket: by name, by body */
    struct function *older;            /* the one defined before */
};

struct alias {
    const char *name;
    const char *code;
    struct alias *next;
};

/* A variable that a function made its own, and what it was before. */
struct local {
    const char *name;
    const struct state *before;
    unsigned unsure; /* walk.unsure where it was declared */
    struct local *older;
};

/* What the commands at hand write to their stdout, as long as it is known. */
struct sink {
    char *text;
    size_t len, room;
    bool climbs, unknown;
};

/* Functions that call each other, in texts within texts, are walked no deeper than so many nodes:
 * the stack is not endless. */
enum { FUNCTION_BUCKETS = 64, UNROLLS_MAX = 64, WALK_MAX_DEPTH = 512 };

struct walk {
    struct facts *facts;
    bool pwd_known; /* the text did not set PWD or CDPATH */
    bool posix;     /* the text at hand is for sh, not for bash */
    bool lastpipe;  /* the last stage of a pipe runs in this shell */
    bool aliases_expand;
    bool echo_escapes;    /* echo reads backslashes */
    bool later, shifts;   /* code runs at another time; HOME or IFS is set */
    unsigned depth;       /* nodes around what is being walked */
    unsigned peeled;      /* texts and wrappers around what is being walked */
    unsigned unsure;      /* branches, loops, handlers around it: it may not run */
    unsigned in_function; /* functions around it */
    unsigned processes;   /* other shells around it */
    bool forks;           /* see place */
    const unsigned *loop; /* around all loops: vars.changes there; NULL outside of loops */
    unsigned escapes;     /* of break, continue, return so far */
    unsigned aborts;      /* what may have been an error, and so ended the line */
    unsigned unrolls_left;
    size_t atoms_left, work_left;
    struct vars vars;
    struct choices *choices; /* of the command at hand */
    struct disk disk;
    struct function *functions[FUNCTION_BUCKETS], *bodies[FUNCTION_BUCKETS], *newest;
    struct alias *aliases;
    struct local *locals;
    struct sink *sink;                 /* NULL: nobody reads it */
    size_t emitted;                    /* commands whose output was looked at so far */
    const struct arg *input;           /* what the stdin of the command at hand gives, or NULL */
    const struct command_fact *simple; /* the record of the simple command walked last */
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

/* Where it may be after either. */
struct cwds flow_any(const struct flow *flow);

/* Nothing more is recorded once there are too many records or no memory. */
bool walk_is_full(const struct walk *w);

/* So much was done that nothing is walked twice any more: what differs is unknown instead. */
bool walk_hurries(const struct walk *w);

void *walk_new(struct walk *w, size_t count, size_t size);

/* Walks a node; NULL does nothing. */
struct flow walk_node(struct walk *w, const struct node *node, struct place place,
                      const struct cwds *in);

/* Walks the children of a node one after the other. */
struct flow walk_list(struct walk *w, const struct node *node, struct place place,
                      const struct cwds *in);

/* Parses a text that a command runs as shell code and walks it. */
struct flow walk_code(struct walk *w, const char *text, bool posix, struct place place,
                      const struct cwds *in);

/* Walks the substitutions in parts and words. */
void walk_parts(struct walk *w, const struct part *parts, struct place place,
                const struct cwds *in);
void walk_words(struct walk *w, const struct word *words, struct place place,
                const struct cwds *in);

/* NODE_FOR, NODE_LOOP. Their words and redirects were walked. */
struct flow loop_for(struct walk *w, const struct node *node, struct place place,
                     const struct cwds *in);
struct flow loop_while(struct walk *w, const struct node *node, struct place place,
                       const struct cwds *in);

/* The expansion of words at these directories. */
struct expansion walk_expansion(struct walk *w, const struct cwds *in);

/* Records a simple command and everything that it runs. */
struct flow record_simple(struct walk *w, const struct node *node, struct place place,
                          const struct cwds *in);

/* Records the redirects of a compound command; gives the place inside them. */
struct place record_redirects(struct walk *w, const struct node *node, struct place place,
                              const struct cwds *in);

/* Records argv, which is not empty, and everything that it runs. c is of the arena and complete but
 * for its name and directories. */
struct flow record_command(struct walk *w, struct command_fact *c, const struct cwds *in);

/* Walks what a command runs, if it is a wrapper. */
struct flow peel(struct walk *w, const struct command_fact *c, const struct cwds *in);

/* True when the command is a row of wrappers.def; *quiet: it writes nothing of its own. */
bool peel_is_wrapper(const struct command_fact *c, bool *quiet);

/* Nothing is known of any variable from here on. `elsewhere`: by code that is not in the text, or
 * that runs at another time: that leaves HOME and IFS alone. */
void walk_forget(struct walk *w, bool elsewhere);

/* Notes that the text sets a variable outside of our sight: nothing is known of it. */
void record_set(struct walk *w, const char *name);

/* Runs a function, if the command may be one: *any. True: it certainly is. */
bool function_call(struct walk *w, const struct command_fact *c, struct place place,
                   const struct cwds *in, struct flow *flow, bool *any);

/* The body of such a function is being walked. */
bool function_is_running(struct walk *w, const char *name);

void function_define(struct walk *w, const struct node *node, struct place place,
                     const struct cwds *in);

/* Walks the functions that nothing called. */
void function_rest(struct walk *w);

/* Where a command stands, for what it runs in its place. */
struct place place_of(struct walk *w, const struct command_fact *c);

/* The command is a builtin that builtin_run knows. */
bool builtin_is(const struct command_fact *c);

/* What a builtin does to the shell; true when the command is one. */
bool builtin_run(struct walk *w, const struct command_fact *c, const struct cwds *in,
                 struct flow *flow);

/* Assignments: what a word assigns, and assigning it. */
const struct state *assign_state(struct walk *w, const struct word *word, const struct cwds *in);
void assign_set(struct walk *w, const char *name, const struct state *state);

/* NAME=value as an argument: notes what it means beyond its value. */
void assign_note(struct walk *w, const char *name, const struct arg *value);

/* The positional parameters are these arguments from here on. */
void assign_params(struct walk *w, const struct arg *items, size_t count);

/* The names in an arithmetic expression that it may change are not known any more. */
void assign_arith(struct walk *w, const struct part *parts, const struct cwds *in);
