/* options.h - the words of a command line: strict options, and the arguments that are left.
 *
 * A command writes its options as rows that point at its own locals; the same rows give the help.
 * Options may stand before and behind arguments, up to "--". Accepted forms: --name VALUE,
 * --name=VALUE, -n VALUE, -nVALUE, and flags, also joined: -qh. What is not in the rows is an error
 * that names the nearest option. Nothing is copied: values point into argv.
 */
#pragma once

#include "base/bytes.h"
#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>

/* Reads a value into *to. `text` is NULL for a flag. ERR_INVALID says what is accepted; the name of
 * the option is put in front. */
typedef int option_read(const char *text, void *to, struct err *err);

struct option {
    const char *name;  /* without the dashes; NULL ends the rows */
    char letter;       /* 0: none */
    const char *value; /* how help names the value, such as "DIR"; NULL: a flag */
    option_read *read; /* NULL: a word that people try here; refused with `doc` */
    void *to;          /* what `read` fills */
    const char *doc;   /* a line of help; for a refused word, what to write instead */
};

/* What is left of a command line. */
struct args {
    char **items; /* into argv, which was reordered */
    int count;
    int before; /* how many of them stood before "--"; count when there was none */
    bool ended; /* there was a "--" */
    bool help;  /* -h or --help was met; everything behind it was not looked at */
};

/* Values of an option that may be given several times. */
enum { TEXTS_MAX = 128 };
struct texts {
    const char *items[TEXTS_MAX];
    size_t count;
};

/* Reads argv[0..argc) by the rows of up to two tables; `common` may be NULL. With `stop` it ends at
 * the first argument, which and all behind it are then the arguments. ERR_INVALID. */
int options_parse(const struct option *rows, const struct option *common, bool stop, int argc,
                  char **argv, struct args *args, struct err *err);

/* Appends one line of help for each row. Errors as bytes_add. */
int options_help(const struct option *rows, struct bytes *to, struct err *err);

/* Of the words that `next` names one by one (until NULL, from 0), the one that differs from `word`
 * in so few letters that it may have been meant; NULL when none does. */
const char *options_nearest(const char *word, const char *(*next)(const void *context, size_t at),
                            const void *context);

/* Values: a flag sets a bool; a text sets a const char *; a list adds to a struct texts. More in
 * units.h. */
option_read option_flag;
option_read option_text;
option_read option_list;
