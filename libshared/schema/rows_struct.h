/* rows_struct.h - reads .def rows as structs. Included by message.h only. */
#define MESSAGE(name, direction, doc)                                                              \
    struct name {                                                                                  \
        uint64_t present;
#define TEXT(field, max, required, doc) char field[(max) + 1];
#define CHOICE(field, required, choices, doc) char field[CHOICE_BYTES];
#define LONG(field, max, required, doc) struct view field;
#define BLOB(field, max, required, doc) struct view field;
#define INT(field, required, min, max, unit, doc) int64_t field;
#define REAL(field, required, min, max, unit, doc) double field;
#define BOOL(field, required, doc) bool field;
#define RECORD(field, message, required, doc) struct message field;
#define TEXTS(field, max, max_count, required, doc) struct list field;
#define RECORDS(field, message, max_count, required, doc) struct list field;
#define SINCE(minor)
#define END(name)                                                                                  \
    }                                                                                              \
    ;
