/* export.h - records as other programs read them: JSON Lines, CSV, OCSF 1.3.
 *
 * Every format is a line a record, in which nothing moves a terminal: control characters, bidi
 * controls and line separators are escaped, in JSON as \uNNNN, in CSV as text_show does.
 *
 *   jsonl  the log_row; numbers above 2^53, which many readers round, are strings
 *   csv    RFC 4180, CRLF, a header; texts are quoted; one that begins with = + - or @, which a
 *          spreadsheet would run as a formula, has a ' in front
 *   ocsf   events of OCSF 1.3.0 as JSON Lines: what was denied and kills are Detection Finding
 *          (2004), commands Process Activity (1007), all else API Activity (6003); `unmapped`
 *          holds the whole row, as jsonl has it
 */
#pragma once

#include "schema/message.h"

struct export_format {
    const char *name;
    int (*begin)(struct bytes *to, struct err *err); /* appends what stands first; NULL: nothing */
    int (*row)(const struct log_row *row, struct bytes *to, struct err *err);
};

/* By its name; NULL when there is none. */
const struct export_format *export_format(const char *name);

int export_jsonl(const struct log_row *row, struct bytes *to, struct err *err);
int export_csv_begin(struct bytes *to, struct err *err);
int export_csv(const struct log_row *row, struct bytes *to, struct err *err);
int export_ocsf(const struct log_row *row, struct bytes *to, struct err *err);

/* Appends a value's JSON and a line end; numbers above 2^53 become strings. ERR_INVALID what is no
 * msgpack; errors as bytes_add. */
int export_line(struct view packed, struct bytes *to, struct err *err);
