/* hosts.h - the hosts that a command talks to or listens as, by its operands, options and
 * redirects; for the files of facts.h only.
 */
#pragma once

#include "engine/shell/options.h"
#include "engine/shell/walk.h"

/* Finds them. The arguments are read already. */
void hosts_find(struct walk *w, struct command_fact *c);
