/* audit.h - the commands below `corral audit`, and what they share. */
#pragma once

#include "cli/cli.h"
#include "cli/connect.h"

command_run audit_summary, audit_stats, audit_trends, audit_export, audit_verify;

/* Copies an option's text into a field of `size` bytes. ERR_INVALID it is longer. */
int audit_fill(char *to, size_t size, const char *option, const char *text, struct err *err);

/* Prints a title and a table of struct counted; nothing for an empty list. */
int audit_print_counts(const struct cli *cli, const char *title, struct list counts,
                       struct err *err);
