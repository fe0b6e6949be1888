/* record.h - where the record's database is, and the key that it is checked by: for the commands
 * that look at the database itself and ask no service. They work beside a running audit and on a
 * copy alike.
 */
#pragma once

#include "cli/cli.h"
#include "engine/record/note.h"

/* What such a command exits with when there was nothing that could be looked at. */
enum { RECORD_UNREADABLE = 5 };

/* The database: `file`, or the one of the state directory. Errors of place_state. */
int record_database(const struct cli *cli, const char *file, char path[256], struct err *err);

/* A public key: a line of checkpoint.pub, 64 hex digits, or the name of a file with either.
 * `origin` is "" when the key does not say whose it is. ERR_INVALID, ERR_NOT_FOUND, ERR_IO. */
int record_key(const char *text, char origin[ORIGIN_BYTES], uint8_t public_key[KEY_BYTES],
               struct err *err);

/* Says why nothing could be looked at; the exit code for that, or -1 for a wrong option. */
int record_unreadable(const struct cli *cli, const struct err *err);
