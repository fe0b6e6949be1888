/* produce.h - what commands write, as far as the text tells: the value of $( ), the code of a shell
 * that reads it, the text of a file. Only for those whose output is their arguments or their input
 * through a filter; whatever else writes makes it unknown.
 */
#pragma once

#include "engine/shell/peel.h"

/* Arguments from `from` on, joined by spaces as eval and echo do; NULL when one is not known. */
char *produce_joined(struct peeling *p, const struct args *argv, size_t from);

/* Walks what a shell reads from its standard input. */
struct flow produce_stdin(struct peeling *p);

/* Walks the text of a script that the same text wrote, if it is known; args: behind its name. */
void produce_script(struct peeling *p, const struct arg *file);

/* Where a command's stdout goes by its redirects. */
enum produce_way { PRODUCE_STDOUT, PRODUCE_FILE, PRODUCE_ELSEWHERE };
enum produce_way produce_way(const struct command_fact *c);

/* Adds what the command writes to the sink at hand and to the file that its redirects name. */
void produce_emit(struct walk *w, const struct command_fact *c);

/* What a sink took; NULL when it is not known. `trim`: without newlines at its end, as $( ). */
const struct arg *sink_text(struct walk *w, const struct sink *sink, bool trim);

/* What the command reads from its stdin; NULL when it is not known. */
const struct arg *produce_input(struct walk *w, const struct command_fact *c);

/* The same behind the redirects of a compound command; `input`: of the compound command. */
const struct arg *produce_redirected(struct walk *w, const struct command_fact *c,
                                     const struct cwds *in, const struct arg *input);

/* What printf makes of the arguments from its format on; false when it is not known. */
bool produce_printf(struct walk *w, const struct command_fact *c, size_t format, struct arg *to);

/* What comes behind && of it certainly runs. */
bool produce_never_fails(const struct command_fact *c);
