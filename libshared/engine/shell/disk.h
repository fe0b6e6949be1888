/* disk.h - the files that a text writes, as far as it tells: by whom, with what in them, and which
 * of them are links. For the files of walk.h only.
 *
 * Paths are lexical. A file that a subshell or a branch writes counts from then on for all that
 * follows: this tells what may be reached, not what must.
 */
#pragma once

#include "engine/shell/cwds.h"
#include "engine/shell/expand.h"

#include <stdbool.h>

struct walk;
struct command_fact;
struct source_fact;
struct written;

struct disk {
    struct written **buckets;          /* NULL until something is written */
    const struct source_fact *unknown; /* writers of files whose path is not known */
    bool links;                        /* there is a link */
    bool programs;                     /* there is a copy of a program */
};

/* Adds the sources that come from the files which the command touches, and the files that it
 * reaches through links; then notes what it writes. Its files, redirects and directories are
 * complete. */
void disk_note(struct walk *w, struct command_fact *c);

/* Notes what a command with this output writes: its redirects and, for tee, its operands. */
void disk_note_output(struct walk *w, const struct command_fact *c, const struct arg *output);

/* The text of a file of the same text: NULL when it is not known. */
const struct arg *disk_content(struct walk *w, const struct cwds *cwds, const struct arg *path);

/* The same for a file that is run as code. What a text runs of the files that it wrote is bounded
 * in all: beyond that it is trouble, and not known. */
const struct arg *disk_code(struct walk *w, const struct cwds *cwds, const struct arg *path);

/* The program of the system that the text copied or linked to this path; NULL: none. */
const char *disk_program(struct walk *w, const struct cwds *cwds, const struct arg *path);

/* Adds to `to` the directories that a path leads to through links. */
void disk_follow(struct walk *w, const struct cwds *from, const struct arg *path, struct cwds *to);

/* True when the text writes a file in the directory. */
bool disk_writes_in(struct walk *w, const struct cwds *cwds, const struct arg *directory);
