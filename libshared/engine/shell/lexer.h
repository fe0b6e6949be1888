/* lexer.h - characters of a shell text: continuation lines, blanks, comments, here-documents.
 *
 * Shared by the files of the parser; users of the parser need only parser.h. A failed parser gives
 * no more characters, so every loop over them ends.
 */
#pragma once

#include "engine/shell/arena.h"
#include "engine/shell/syntax.h"
#include "engine/shell/trouble.h"

enum {
    SHELL_MAX_BYTES = 64 * 1024,      /* without the bodies of here-documents that are quoted */
    SHELL_MAX_RAW_BYTES = 256 * 1024, /* with them: one frame */
    SHELL_MAX_DEPTH = 64,             /* of nesting of any kind */
    HEREDOC_MAX = 16                  /* waiting at one newline, as in bash */
};

enum { END = -1 };

struct parser {
    struct arena *arena;
    struct trouble *trouble;
    const char *text;
    size_t len, at;
    size_t exempt_bytes; /* of quoted here-documents so far */
    unsigned depth;
    bool posix;           /* dash and its kin: bash's own forms mean something else there */
    bool failed;          /* the rest cannot be read; trouble says why */
    struct word *ahead;   /* a word read at the start of a command and not taken yet */
    bool keyword_follows; /* a compound command without redirects just ended */
    struct redirect *waiting[HEREDOC_MAX]; /* here-documents that begin after the next newline */
    unsigned waiting_from, waiting_count;  /* those of the innermost substitution */
};

/* Notes trouble and ends the parse. Always NULL, so that a refusal is one line. */
void *parser_fail(struct parser *p, enum trouble_kind kind, const char *why);

/* Zeroed memory of the arena; NULL after parser_fail. */
void *parser_new(struct parser *p, size_t count, size_t size);

/* One level deeper; false after parser_fail. Every true is followed by parser_leave. */
bool parser_enter(struct parser *p);
void parser_leave(struct parser *p);

/* bash means one thing and dash another by this form: trouble in a POSIX shell's text. */
void parser_bash_only(struct parser *p, const char *form);

/* The next character after any continuation lines, or END; nothing is consumed but these lines. */
int lexer_peek(struct parser *p);

/* The character behind the one that lexer_peek just returned, continuation lines skipped. */
int lexer_peek_second(struct parser *p);

/* Consumes the character that lexer_peek returns. */
void lexer_skip(struct parser *p);

/* Consumes one raw character: a backslash before a newline is a backslash. END at the end. */
int lexer_raw(struct parser *p);

/* Consumes `c` if it is next. */
bool lexer_accept(struct parser *p, int c);

/* Spaces, tabs and a comment; newlines stay. */
void lexer_blanks(struct parser *p);

/* Blanks, comments and newlines; here-documents that wait are read. False when nothing of it was a
 * newline. */
bool lexer_newlines(struct parser *p);

/* True for characters that end an unquoted word. */
bool lexer_is_meta(int c);

/* The text of a here-document begins after the next newline. */
void lexer_await(struct parser *p, struct redirect *heredoc);
