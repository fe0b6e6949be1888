/* scriptfile.h - files of code: what reads one that is executed itself, and what a shell's does.
 *
 * Shared by those who find the files that a command runs and those who judge them, so that both
 * read them the same way.
 */
#pragma once

#include "engine/shell/facts.h"

enum { SCRIPTFILE_NAME_BYTES = 64 };

enum scriptfile_kind {
    SCRIPTFILE_PROGRAM, /* the machine's own code, no text */
    SCRIPTFILE_SHELL,   /* without a "#!" line: a shell that executes it reads it itself */
    SCRIPTFILE_NAMED
};

/* Reads a file's first line as the kernel does.
 *
 *   f      SCRIPTFILE_NAMED: the facts become those of the line, with "./script" for the file;
 *          otherwise they stay
 *   name   out: the program that reads the file in the end, behind env and others that run
 *          programs; "sh" for SCRIPTFILE_SHELL; "" where there is none, or it is not known
 */
enum scriptfile_kind scriptfile_reader(struct facts *f, const struct facts_setting *s,
                                       struct view text, char name[SCRIPTFILE_NAME_BYTES]);

/* True for a shell whose language engine/shell reads. */
bool scriptfile_is_shell(const char *name);

/* Replaces the facts by those of a shell's file.
 *
 *   args    its arguments as words of a shell; "": none
 *   store   room that the facts borrow until the next read or facts_close
 */
void scriptfile_read(struct facts *f, const struct facts_setting *s, const char *args,
                     struct view text, struct bytes *store);
