/* describe.c - see describe.h. */
#include "engine/shell/describe.h"

#include "engine/shell/options.h"

void describe(struct walk *w, struct command_fact *c)
{
    arguments_read(w, c);
}
