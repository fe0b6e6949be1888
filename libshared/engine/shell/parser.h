/* parser.h - makes the tree of a shell text, as bash 5.2 would read it; linear in its length.
 *
 * The grammar is that of bash's parse.y, read by recursive descent, at most SHELL_MAX_DEPTH deep.
 * What bash would refuse, and what we are not sure of, is noted in *trouble; the tree then holds
 * what came before, because bash runs complete lines before it sees an error in a later one. So a
 * tree with trouble is a lower bound of what runs, never the whole.
 *
 * Lists, pipelines and simple commands are in parser.c, redirects in redirect.c, the other commands
 * in compound.c and condition.c, words in words.c, expansion.c and builder.c, characters in
 * lexer.c.
 */
#pragma once

#include "engine/shell/lexer.h"

/* The tree of a whole text without NUL bytes, which is borrowed for as long as the arena is used.
 *
 *   posix   the text is for dash or another POSIX shell: bash's own forms are trouble there
 *   depth   levels around this text (code of eval, of sh -c); 0 at the top
 *
 * NULL when there is no memory or the text is too large; *trouble says so. */
struct node *parser_read(struct arena *arena, struct trouble *trouble, struct view text, bool posix,
                         unsigned depth);

/* For the files of the parser: a list up to END, ) or a keyword that cannot begin a command. */
struct node *parser_list(struct parser *p);

/* A text inside this one that is parsed on its own: what stands in backticks. */
struct node *parser_nested(struct parser *p, const char *text, size_t len);

/* A node of the tree; NULL after parser_fail. */
struct node *parser_node(struct parser *p, enum node_kind kind);

/* The word at the start of a command, read but not taken. NULL when no word begins there. */
struct word *parser_peek_word(struct parser *p);

/* Takes this keyword; false when something else is next. */
bool parser_accept(struct parser *p, const char *keyword);

/* Takes this keyword or fails. */
void parser_expect(struct parser *p, const char *keyword);

/* True when a redirect is next. The position is then behind its fd, which goes to *fd. */
bool parser_redirect_begins(struct parser *p, int *fd);

/* Reads redirects until something else is next; appends them. True when there was one. */
bool parser_redirects(struct parser *p, struct redirect **tail);

/* A simple command or the definition of a function. */
struct node *parser_simple(struct parser *p);

/* A compound command if one is next: keyword or parenthesis. NULL and nothing consumed otherwise.
 * Its redirects are read too. */
struct node *compound_read(struct parser *p);

/* A function's body behind its name and parentheses. */
struct node *compound_function(struct parser *p, const char *name);

/* [[ … ]], the opening consumed: the words in it, after checking that they make a condition. */
struct word *condition_read(struct parser *p);
