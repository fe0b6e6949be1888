/* touch.h - the files of records that no table describes: redirects, and the operands of a few
 * common commands. */
#pragma once

#include "engine/shell/facts.h"

/* The record's own files, or what its redirects and operands tell. Of the arena. */
const struct file_fact *touch_files(struct arena *arena, const struct command_fact *c);
