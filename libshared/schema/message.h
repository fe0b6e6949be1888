/* message.h - messages as tables: one row gives the struct member, the codec, the checks and the
 * printed reference.
 *
 * A message is written once, in messages/<topic>.def:
 *
 *   MESSAGE(name, "who -> whom", "What it is.")
 *   TEXT   (field, max_bytes, REQUIRED, "…")              char field[max_bytes + 1], UTF-8 without
 * NUL CHOICE (field, OPTIONAL, "a|b|c", "…")                char field[CHOICE_BYTES], one of the
 * listed words LONG   (field, max_bytes, OPTIONAL, "…")              struct view of UTF-8 without
 * NUL BLOB   (field, max_bytes, OPTIONAL, "…")              struct view of any bytes INT    (field,
 * OPTIONAL, min, max, "unit", "…")       int64_t REAL   (field, OPTIONAL, min, max, "unit", "…")
 * double, finite BOOL   (field, OPTIONAL, "…")                         bool RECORD (field, message,
 * OPTIONAL, "…")                struct message, in place TEXTS  (field, max_bytes, max_count,
 * OPTIONAL, "…")   struct list of texts RECORDS(field, message, max_count, OPTIONAL, "…") struct
 * list of messages SINCE  (minor)                                        rows below exist since
 * that minor version END(name)
 *
 * A message owns nothing. Texts are arrays in the struct; views and lists point into the decoded
 * frame and live as long as it does, so decoding allocates nothing and cannot fail for memory. An
 * optional field that is absent is zero or empty; `present` (bit i for the i-th field) tells absent
 * from zero. Encoding writes required fields, optional ones that are not zero, and those marked
 * with schema_mark.
 */
#pragma once

#include "base/bytes.h"

#include <stdbool.h>
#include <stdint.h>

enum { OPTIONAL = 0, REQUIRED = 1 };
enum { CHOICE_BYTES = 32, MESSAGE_MAX_FIELDS = 64, SCHEMA_MAJOR = 1, SCHEMA_MINOR = 1 };

enum field_type {
    FIELD_TEXT,
    FIELD_CHOICE,
    FIELD_LONG,
    FIELD_BLOB,
    FIELD_INT,
    FIELD_REAL,
    FIELD_BOOL,
    FIELD_RECORD,
    FIELD_TEXTS,
    FIELD_RECORDS,
    FIELD_SINCE /* no field: a mark in the table */
};

/* Items as msgpack, one behind the other, checked by the decoder. Copy it and take items off the
 * copy. */
struct list {
    struct view raw;
    uint32_t count;
};

struct message;

struct field {
    const char *name;
    enum field_type type;
    bool required;
    size_t offset;       /* of the member in the struct */
    int64_t min, max;    /* INT, REAL: range; TEXT, LONG, BLOB, TEXTS: max is bytes of one text */
    uint32_t max_count;  /* TEXTS, RECORDS */
    const char *unit;    /* INT, REAL: may be "" */
    const char *choices; /* CHOICE */
    const struct message *record; /* RECORD, RECORDS */
    const char *doc;
};

struct message {
    const char *name, *direction, *doc;
    size_t size; /* of the struct */
    const struct field *(*rows)(size_t *count);
};

/* Who wrote the bytes: a client's message must hold nothing unknown; between services and at rest
 * unknown keys are skipped. */
enum schema_mode { SCHEMA_STRICT, SCHEMA_LENIENT };

/* Decodes a whole frame (the pre-scan of data/pack.h runs first) into *out, a struct of
 * message->size bytes. Views in *out point into the frame. ERR_INVALID "message.field: why". */
int schema_decode(const struct message *message, struct view frame, enum schema_mode mode,
                  void *out, struct err *err);

/* Appends the message as one msgpack map, fields in table order, so equal structs give equal bytes.
 * Every bound is checked as the decoder would. ERR_INVALID "message.field: why"; errors of
 * bytes_add. `to` is unspecified after a failure. */
int schema_encode(const struct message *message, const void *in, struct bytes *to, struct err *err);

/* Says that an optional field is there although it is zero. The name must be a field's. */
void schema_mark(const struct message *message, void *in, const char *field);

/* True when the decoded message had this field. */
bool schema_has(const struct message *message, const void *in, const char *field);

/* Appends the message as JSON for people and scripts; indent 0 is one line. Blobs that are no UTF-8
 * become <field>_base64. Errors as schema_encode. */
int schema_json(const struct message *message, const void *in, unsigned indent, struct bytes *to,
                struct err *err);

/* Reads JSON strictly. A blob has no form in JSON that could be read back: a message that holds one
 * is refused. The views in *out point into *packed, which the caller opens before and closes after
 * use. ERR_INVALID with line or "message.field: why". */
int schema_from_json(const struct message *message, struct view text, struct bytes *packed,
                     void *out, struct err *err);

/* Takes the first text off a list of texts; false at its end. The view lives as long as the frame.
 */
bool list_next_text(struct list *rest, struct view *out);

/* Takes the first record off a list of records; false at its end. */
bool list_next(struct list *rest, const struct message *message, void *out);

/* Appends an item behind `store` and makes *list cover all of it. Use one struct bytes for one
 * list. Errors as bytes_add and schema_encode. */
int list_add_text(struct bytes *store, struct list *list, struct view text, struct err *err);
int list_add(struct bytes *store, struct list *list, const struct message *message,
             const void *item, struct err *err);

/* Appends the printed reference of a message: a heading, its sentence, a table of its fields. */
int schema_describe(const struct message *message, struct bytes *to, struct err *err);

/* All messages in the order of messages.def, then NULL. */
extern const struct message *const schema_messages[];

/* The structs. */
#include "schema/rows_struct.h"
#include "schema/messages.def"
#include "schema/rows_undef.h"

/* The tables: message_<name>. */
#define MESSAGE(name, direction, doc) extern const struct message message_##name;
#include "schema/rows_empty.h"
#include "schema/messages.def"
#include "schema/rows_undef.h"
