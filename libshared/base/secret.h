/* secret.h - finds secrets in a text: passwords, tokens, keys, by the rows of secret.def.
 *
 * Three things are taken for a secret: the value of a name or an option that says so
 * (DB_PASSWORD=…, "password": "…", --token …, mysql -p…), the password of a URL
 * (scheme://user:password@, https://token@), and what looks like nothing else (cloud keys, JWT,
 * blocks of a PEM private key, bearer tokens). A value that a shell makes only when it runs
 * ($TOKEN, $(cat file)) is none, and the value of an assignment ends where an unquoted word does,
 * so that nobody hides a command behind it; where a shell's quotes cannot be told for certain
 * (here- documents, $'…') any ; | & or line end ends it, too.
 *
 * What was replaced before, "[redacted:KIND:…]", is passed over. Linear in the text's length;
 * nothing is allocated.
 */
#pragma once

#include "base/bytes.h"

#include <stdbool.h>

/* How a text is to be read. */
enum secret_form {
    SECRET_PLAIN, /* output, a message: values to the end of a word, of NAME=… at the beginning of
                     a line to the end of the line */
    SECRET_SHELL, /* a shell's text */
    SECRET_WORDS, /* a program and its arguments, a NUL between them */
    SECRET_PAIR   /* one K=V; the value is all that follows the first = */
};

struct secret {
    size_t at, len;   /* in the text; len > 0 */
    const char *kind; /* as in secret.def, or url, jwt, pem. Static */
};

/* A search under way. Copyable; the text has to outlive it. */
struct secret_search {
    enum secret_form form;
    struct view text;
    size_t at;
    unsigned programs;   /* rows of OPTION that the command's program has, as a set */
    char quote;          /* of a shell's text: the quotation that `at` stands in; 0: none */
    size_t passed;       /* where the last one ended; 0: there was none */
    bool has_value;      /* of a K=V: `at` is behind its = */
    bool is_escaped;     /* a backslash stands before `at` */
    bool is_strict;      /* a shell's text whose quotes cannot be told for certain */
    uint8_t starts[128]; /* pairs of bytes that a PREFIX begins with, hashed, as a set */
};

struct secret_search secret_search(enum secret_form form, struct view text);

/* The next one, in order and without overlap; false at the end. */
bool secret_next(struct secret_search *search, struct secret *out);

/* Bytes of a complete "[redacted:KIND:LEN:HASH]" or "[redacted:KIND:LEN]" at the beginning of a
 * text, or of one that is cut by the text's end; 0: there is none. */
size_t secret_mark(struct view text);

/* Appends the rows of secret.def as tables in markdown. Errors as bytes_add. */
int secret_describe(struct bytes *to, struct err *err);
