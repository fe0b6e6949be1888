/* describe.c - see describe.h. */
#include "engine/shell/describe.h"

#include "engine/shell/code.h"
#include "engine/shell/files.h"
#include "engine/shell/hosts.h"

void describe(struct walk *w, struct command_fact *c)
{
    arguments_read(w, c);
    files_find(w, c);
    hosts_find(w, c);
    code_find(w, c);
}
