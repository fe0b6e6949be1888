/* facts.h - what a command does, as records a judge can match: one per simple command, at any
 * depth.
 *
 * facts_read_shell parses a text and walks it in the order of execution: through lists, subshells,
 * substitutions, functions (at each call, or at the end if nothing calls them), and through
 * programs that run other programs (wrappers.def): "sudo env X=1 sh -c 'rm -rf /'" gives records
 * for sudo, env, sh and rm. A command is recorded once for each value that its variables may have,
 * and again for the rounds of a loop in which they differ. What cannot be known from the text is
 * trouble, never silence; a judge must not allow facts with trouble without asking a person. The
 * records are then what is known, not all that runs.
 *
 * A struct facts is reused from command to command and owned by one thread. A zeroed one is empty;
 * one that was read may not be moved.
 */
#pragma once

#include "engine/shell/cwds.h"
#include "engine/shell/expand.h"

enum { FACTS_MAX_COMMANDS = 2000, FACTS_MAX_PEELED = 8 };

enum fact_context {
    CONTEXT_SUBSTITUTION = 1, /* in $( ) or backticks */
    CONTEXT_PROCESS = 1 << 1, /* in <( ) or >( ) */
    CONTEXT_FUNCTION = 1 << 2,
    CONTEXT_LOOP = 1 << 3,
    CONTEXT_BACKGROUND = 1 << 4,
    CONTEXT_SUBSHELL = 1 << 5,
    CONTEXT_PIPED_IN = 1 << 6, /* its stdin is the stage before */
    CONTEXT_TRAP = 1 << 7,
    CONTEXT_ALIAS = 1 << 8,
    CONTEXT_ENDLESS = 1 << 9,    /* in a loop that its own condition never ends */
    CONTEXT_SELF_CALL = 1 << 10, /* a function calls itself in a pipe or the background */
    CONTEXT_ELSEWHERE = 1 << 11, /* on another host or in a container: paths mean others there */
    CONTEXT_SPAWNS = 1 << 12     /* in the background, again and again without end or wait */
};

struct assign_fact {
    const char *name;
    struct arg value;
};

struct redirect_fact {
    enum redirect_op op;
    int fd;            /* the one that is meant, FD_VARIABLE for {name} */
    struct arg target; /* here-documents and here-strings: the text */
};

/* An option as the command's row in options_*.def reads it. */
struct option_fact {
    const char *name;        /* "-r", "--recursive"; an abbreviated long one is written out */
    const struct arg *value; /* NULL: none */
};

enum file_touch {
    TOUCH_READ = 1,
    TOUCH_WRITE = 1 << 1, /* made, changed, or cut short */
    TOUCH_DELETE = 1 << 2,
    TOUCH_MODE = 1 << 3,   /* its mode or owner changes */
    TOUCH_RUN = 1 << 4,    /* executed, or read as code */
    TOUCH_SEARCH = 1 << 5, /* looked through, with what is below it */
    TOUCH_MOVE = 1 << 6    /* goes to another name; TOUCH_DELETE is set, too */
};

/* A file that a command touches by a redirect, an operand or an option. */
struct file_fact {
    unsigned touches; /* set of enum file_touch */
    bool recursive;   /* with all that is below it */
    struct arg path;  /* as typed; seen from the command's cwds */
    const struct file_fact *next;
};

/* A host that a command talks to, or listens as. */
struct host_fact {
    const char *name; /* lower case; addresses in their normal form, without brackets; a HOLE where
                         it is known only when it runs */
    const char *scheme; /* "https", "ssh", "tcp", …; NULL: not known */
    unsigned port;      /* 0: not given */
    bool is_local;      /* this sandbox itself: localhost, 127.0.0.0/8, ::1 */
    bool listens;
    const struct host_fact *next;
};

/* Code that an interpreter which is no shell runs from its arguments or its input. */
struct code_fact {
    const char
        *language; /* "python", "perl", "ruby", "node", "php", "lua", "awk", "sed", "sql", … */
    struct arg text;
    const struct code_fact *next;
};

enum source_way {
    WAY_PIPE,         /* its stdin is what another wrote, or read from a file it wrote */
    WAY_SUBSTITUTION, /* an argument or a value is what another wrote */
    WAY_PROCESS,      /* an argument is <( ) */
    WAY_ARGS,         /* xargs, find: arguments that another found or wrote */
    WAY_RUN,          /* it runs a file that another wrote */
    WAY_FILE          /* a file it touches was written by another command of the same text */
};

/* Another command whose output reaches this one. Follow `from` for what reached that one. */
struct source_fact {
    enum source_way way;
    const struct command_fact *from; /* recorded earlier, but for loops and >( ) */
    const struct source_fact *next;
};

struct command_fact {
    size_t index;     /* its place among the records, from 0 */
    const char *name; /* basename, of a copy that the text made: of its source; NULL: known only
                         when it runs; "": only assignments, redirects */
    struct args argv;
    const struct assign_fact *assigns;
    size_t assigns_count;
    const struct redirect_fact *redirects;
    size_t redirects_count;
    const void *origin; /* where it stands: the same for all records of one command of the text;
                           NULL: a program runs it */
    size_t choice;      /* which of the values that its variables may have there, from 0 */
    unsigned context;   /* set of enum fact_context */
    unsigned depth;     /* wrappers around it */
    bool swept;         /* it gets arguments that another program finds */
    bool looks_only;    /* it shows its help or its version and does nothing else */
    bool external;      /* run by a program, so neither builtin nor function */
    const struct command_fact *wrapper;  /* what runs it; NULL: the shell */
    const struct command_fact *upstream; /* the simple command that its stdin comes from, or NULL */
    const struct option_fact *options;
    size_t options_count;
    const struct arg *const *operands; /* arguments that are neither options nor their values */
    size_t operands_count;
    const struct file_fact *files;
    const struct host_fact *hosts;
    const struct code_fact *code;
    const struct source_fact *sources;
    const struct reading *reading; /* how its arguments were read: options.h */
    const struct cwds *cwds;
    struct command_fact *next;
};

/* Where the command would run. */
struct facts_setting {
    const char *cwd;  /* absolute */
    const char *home; /* absolute */
};

struct facts {
    struct arena arena;
    struct trouble trouble;
    struct command_fact *first, **tail;
    size_t count;
};

/* Replaces the facts by those of a shell text. Cannot fail: what goes wrong is trouble. The text is
 * borrowed until the next read or facts_close. */
void facts_read_shell(struct facts *f, const struct facts_setting *s, struct view text);

/* The same for an argument vector that is run without a shell; argv[0] names the program. */
void facts_read_argv(struct facts *f, const struct facts_setting *s, const struct view *argv,
                     size_t argc);

/* Where a find begins its search: so many arguments from *from on; 0 means where it runs. */
size_t facts_find_starts(const struct command_fact *c, size_t *from);

/* Frees and zeroes; fine on a zeroed struct. */
void facts_close(struct facts *f);
