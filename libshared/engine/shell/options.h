/* options.h - how a program reads its arguments: what is an option, a value, an operand, and what
 * each of them stands for; for the files of facts.h only.
 *
 * The rows are data (options_*.def), one a program or sub-command ("git push"). `shorts` and
 * `longs` list the options without their dashes:
 *
 *   fv        no value
 *   o:w       a value: the rest of the cluster, behind "=", or the next argument
 *   i?        a value only when it is the rest of the cluster, or behind "="
 *   bind;     two values, the next arguments (long options only)
 *   rR!R      no value, with an effect on the operands; all letters of the run have it
 *
 * The letter behind ":" or "?", if a space follows it, is what the value stands for (enum role),
 * behind "!" it is an effect. `operands` says what the operands are: a role for each, "*" repeats
 * the role before it, what follows the star counts from the end; a first role in parentheses falls
 * away when an option took its place (roles c, i, q). "(-)m*" of chmod: nothing, then files whose
 * mode changes. "!" stands for a program that files.c knows by name.
 *
 * A program without a row: clusters are split, no option has a value, but for "--x=y".
 */
#pragma once

#include "engine/shell/facts.h"

struct walk;

/* What a value or an operand stands for. */
enum role {
    ROLE_NOTHING = '-',
    ROLE_READ = 'r',
    ROLE_WRITE = 'w',
    ROLE_BOTH = 'b', /* read and written */
    ROLE_DELETE = 'd',
    ROLE_MOVE = 'v', /* goes to another name */
    ROLE_MODE = 'm',
    ROLE_SEARCH = 's',  /* read; with an effect R, all that is below it */
    ROLE_TREE = 't',    /* read with all that is below it */
    ROLE_RUN = 'x',     /* a script, a program, a file of instructions that can run programs */
    ROLE_PRESS = 'z',   /* read, and replaced by a file of nearly that name */
    ROLE_FROM = 'C',    /* the directory that relative paths are seen from */
    ROLE_INTO = 'D',    /* the directory that takes what is written; all operands are sources */
    ROLE_AT = '@',      /* data, or @file that is read */
    ROLE_FORM = 'F',    /* name=@file or name=<file */
    ROLE_CODE = 'c',    /* code in the program's language */
    ROLE_SCRIPT = 'i',  /* a file with such code; takes the place of the first operand */
    ROLE_INSTEAD = 'q', /* takes the place of the first operand, no file */
    ROLE_COMMAND = 'k', /* a command line that a shell runs */
    ROLE_URL = 'u',     /* a URL, or a host with a path behind it */
    ROLE_HOST = 'h',    /* a host, perhaps with a port */
    ROLE_LOGIN = 'l',   /* [user@]host, or ssh:// */
    ROLE_REMOTE = 'p',  /* a source: [user@]host:path, a URL, or a file that is read */
    ROLE_TARGET = 'P',  /* a target: the same, or a file that is written */
    ROLE_PLACE = 'U',   /* a URL, host:path, or a file that is read, with what is below it */
    ROLE_ANY = 'a',     /* a host where it looks like a URL */
    ROLE_THROUGH = 'y', /* name:port:host, the host that is meant */
    ROLE_PORT = 'o',    /* the port of the hosts */
    ROLE_LISTEN = 'L',  /* where it listens: port, host:port */
    ROLE_MOUNT = 'M',   /* container volume: SOURCE:TARGET[:ro], or type=…,source=… */
    ROLE_ASSIGN = 'e'   /* NAME=value for the environment of what runs */
};

/* What an option without a value does to the operands. */
enum effect {
    EFFECT_RECURSIVE = 'R', /* with all that is below them */
    EFFECT_READS = 'Y',     /* they are read, which is not the rule */
    EFFECT_WRITES = 'W',    /* they are changed in place */
    EFFECT_DELETES = 'X',   /* they are removed afterwards */
    EFFECT_KEEPS = 'K',     /* they are not removed or changed although that is the rule */
    EFFECT_MAKES = 'N',     /* they are directories to make */
    EFFECT_EMPTIES = 'T',   /* what is in the target and not in the sources is deleted */
    EFFECT_LOOKS = 'V',     /* help, a version, a listing: nothing happens */
    EFFECT_NAMES = 'O',     /* what is fetched is written under the name in its URL */
    EFFECT_LISTENS = 'S'    /* it waits for others to connect */
};

enum program_trait {
    STOPS = 1,            /* options end at the first operand */
    COMMANDS = 1 << 1,    /* the first operand is a sub-command with a row of its own */
    WORDS = 1 << 2,       /* one dash begins a word, not a cluster */
    PLUS = 1 << 3,        /* "+x" is an option, too, and "-" ends the options */
    DASH = 1 << 4,        /* "-" is an option */
    OLD_CLUSTER = 1 << 5, /* the first argument is a cluster without its dash */
    SIGNALS = 1 << 6,     /* "-SIGNAL" may come first; negative numbers are operands */
    EXPRESSION = 1 << 7,  /* find's: operands, then words; -exec up to ";" */
    SHARED = 1 << 8,      /* its options may also stand behind the sub-command */
    CODE_ENDS = 1 << 9,   /* what stands behind an option with code is operands */
    SAME_ROW = 1 << 10    /* another name of the program whose name is in `shorts` */
};

struct program {
    const char *name;
    unsigned traits; /* set of enum program_trait */
    const char *shorts, *longs, *operands;
};

/* How one command's arguments were read. */
struct reading {
    const struct program *program; /* NULL: not known; else the sub-command's, if it has a row */
    const char *roles; /* of the options, in their order: enum role, enum effect, or 0 */
    size_t commands;   /* so many operands name the sub-command */
    size_t dashes;     /* the argument behind "--"; 0 without */
    bool effects[128]; /* by enum effect: an option has it */
    bool instead;      /* an option took the place of the first operand */
    bool unknown;      /* a known program with an option that its row does not list */
};

/* The row of a program, or of "program sub-command", under its first name. A version behind the
 * name does not count
 * ("python3.11"), nor does what follows a dot ("mkfs.ext4"). NULL: there is none. Static. */
const struct program *program_find(const char *name);

/* Reads the arguments of c: sets its options, operands and reading. */
void arguments_read(struct walk *w, struct command_fact *c);

/* The option of this name, NULL without; the last one where there are several. */
const struct option_fact *option_of(const struct command_fact *c, const char *name);

/* The argument from a character on. */
struct arg arg_behind(const struct arg *a, size_t from);
