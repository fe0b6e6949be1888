/* describe.h - what a recorded command means: its options and operands, the files and hosts it
 * touches, the code it holds; for the files of facts.h only.
 */
#pragma once

#include "engine/shell/walk.h"

/* Fills options, operands, files, hosts and code of a record that is complete but for them. */
void describe(struct walk *w, struct command_fact *c);
