/* rows_empty.h - reads the rows below a MESSAGE as nothing, for readers that want only the
 * messages' names. */
#define TEXT(field, max, required, doc)
#define CHOICE(field, required, choices, doc)
#define LONG(field, max, required, doc)
#define BLOB(field, max, required, doc)
#define INT(field, required, min, max, unit, doc)
#define REAL(field, required, min, max, unit, doc)
#define BOOL(field, required, doc)
#define RECORD(field, message, required, doc)
#define TEXTS(field, max, max_count, required, doc)
#define RECORDS(field, message, max_count, required, doc)
#define SINCE(minor)
#define END(name)
