/* messages.c - every message's table of fields, read from the .def rows; see message.h. */
#include "schema/message.h"

#include "base/scope.h"

#include <stddef.h>

/* A function for each message, because only there can rows name their struct: row_struct. */
#define MESSAGE(name_, direction_, doc_)                                                           \
    static const struct field *rows_##name_(size_t *count);                                        \
    const struct message message_##name_ = {#name_, direction_, doc_, sizeof(struct name_),        \
                                            rows_##name_};                                         \
    static const struct field *rows_##name_(size_t *count)                                         \
    {                                                                                              \
        typedef struct name_ row_struct;                                                           \
        static const struct field rows[] = {
#define ROW(kind, field, required_, doc_)                                                          \
    .name = #field, .type = kind, .required = required_, .offset = offsetof(row_struct, field),    \
    .doc = doc_
#define TEXT(field, max_, required, doc) {ROW(FIELD_TEXT, field, required, doc), .max = max_},
#define CHOICE(field, required, choices_, doc)                                                     \
    {ROW(FIELD_CHOICE, field, required, doc), .max = CHOICE_BYTES - 1, .choices = choices_},
#define LONG(field, max_, required, doc) {ROW(FIELD_LONG, field, required, doc), .max = max_},
#define BLOB(field, max_, required, doc) {ROW(FIELD_BLOB, field, required, doc), .max = max_},
#define INT(field, required, min_, max_, unit_, doc)                                               \
    {ROW(FIELD_INT, field, required, doc), .min = min_, .max = max_, .unit = unit_},
#define REAL(field, required, min_, max_, unit_, doc)                                              \
    {ROW(FIELD_REAL, field, required, doc), .min = min_, .max = max_, .unit = unit_},
#define BOOL(field, required, doc) {ROW(FIELD_BOOL, field, required, doc)},
#define RECORD(field, message, required, doc)                                                      \
    {ROW(FIELD_RECORD, field, required, doc), .record = &message_##message},
#define TEXTS(field, max_, max_count_, required, doc)                                              \
    {ROW(FIELD_TEXTS, field, required, doc), .max = max_, .max_count = max_count_},
#define RECORDS(field, message, max_count_, required, doc)                                         \
    {ROW(FIELD_RECORDS, field, required, doc), .record = &message_##message,                       \
     .max_count = max_count_},
#define SINCE(minor) {.type = FIELD_SINCE, .min = minor, .offset = sizeof(row_struct)},
#define END(name)                                                                                  \
    }                                                                                              \
    ;                                                                                              \
    *count = COUNT(rows);                                                                          \
    return rows;                                                                                   \
    }
#include "schema/messages.def"
#include "schema/rows_undef.h"

const struct message *const schema_messages[] = {
#define MESSAGE(name, direction, doc) &message_##name,
#include "schema/rows_empty.h"
#include "schema/messages.def"
    NULL,
};
