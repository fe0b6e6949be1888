/* files.h - the files that a command touches, by its redirects, operands and options; for the files
 * of facts.h only.
 */
#pragma once

#include "engine/shell/options.h"
#include "engine/shell/walk.h"

/* Adds a file to a record; "-" and what is empty are none. */
void files_add(struct walk *w, struct command_fact *c, unsigned touches, bool recursive,
               const struct arg *path);

/* Finds what the redirects, and the row of the program, say. The arguments are read already. */
void files_find(struct walk *w, struct command_fact *c);

/* `path` as seen from the directory `dir`, which may be NULL: what the caller sees. NULL without
 * memory. */
const struct arg *files_below(struct walk *w, const struct arg *dir, const struct arg *path);

/* The last component of a path or URL, without a query; NULL when it is not known. */
const struct arg *files_base(struct walk *w, const struct arg *path);

/* A copy that the record may keep. NULL without memory. */
const struct arg *files_keep(struct walk *w, struct arg a);

/* The role of the operand at `i`, by the row's operands; ROLE_NOTHING where there is none. */
char operand_role(const struct command_fact *c, size_t i);

/* What an argument is in a program that takes "host:path", URLs and files. */
bool is_remote(const struct arg *a);

/* The directory that options let operands be seen from; NULL without. */
const struct arg *files_from(struct walk *w, const struct command_fact *c);

/* Programs whose operands have a grammar of their own: rows with "!". */
void files_special(struct walk *w, struct command_fact *c);
