/* code.h - code that interpreters which are no shell run from their arguments or their input; for
 * the files of facts.h only.
 */
#pragma once

#include "engine/shell/options.h"
#include "engine/shell/walk.h"

/* Finds it. The arguments are read already. Code that is known only when it runs is a hole. */
void code_find(struct walk *w, struct command_fact *c);

/* Adds the files that the code touches by name to the record's. The code is found already. */
void code_files(struct walk *w, struct command_fact *c);
