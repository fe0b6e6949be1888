/* produce.h - what commands write, as far as the text tells: the code of shells that read it.
 */
#pragma once

#include "engine/shell/peel.h"

/* Arguments from `from` on, joined by spaces as eval and echo do; NULL when one is not known. */
char *produce_joined(struct peeling *p, const struct args *argv, size_t from);

/* Walks what a shell reads from its standard input. */
struct flow produce_stdin(struct peeling *p);

/* What the command reads from its stdin; NULL when it is not known. */
const struct arg *produce_input(struct walk *w, const struct command_fact *c);
