/* table.h - aligned columns for a terminal, safe whatever stands in them.
 *
 * Cells are added row by row, left to right. What is put in is escaped (text_show): names, commands
 * and reasons come from strangers. A table that is wider than its screen cuts the columns that may
 * shrink, the widest first, and marks the cut with "…". Not thread-safe.
 */
#pragma once

#include "base/bytes.h"

#include <stdbool.h>
#include <stddef.h>

enum colour { PLAIN, RED, GREEN, YELLOW, DIM, BOLD };

struct column {
    const char *name;
    bool right;   /* numbers */
    bool shrinks; /* long texts */
};

/* Where a table is shown. */
struct screen {
    int width; /* columns; 0: unlimited */
    bool colour;
};

struct table {
    const struct column *columns; /* borrowed */
    size_t column_count;
    struct bytes cells; /* of each: a byte with its colour, its text, a NUL */
    size_t cell_count;
};

enum { TABLE_MAX_COLUMNS = 16, TABLE_MAX_BYTES = 4 * 1024 * 1024 };

/* A table without rows. Close it with table_close. */
struct table table_open(const struct column *columns, size_t count);
void table_close(struct table *table);

/* Adds the next cell. ERR_OVERLOADED the table is over TABLE_MAX_BYTES; ERR_MEMORY. */
int table_cell(struct table *table, enum colour colour, struct err *err, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Appends the header and the rows, which must be whole. Errors as bytes_add. */
int table_print(const struct table *table, const struct screen *screen, struct bytes *to,
                struct err *err);

/* How stdout is shown: the terminal's width and colours, unlimited and plain when it is no
 * terminal; no colours with $NO_COLOR or a dumb terminal. `fd` is the descriptor to look at. */
struct screen screen_of(int fd);

/* Terminal sequence that begins a colour; "" for PLAIN and on screens without. Static. */
const char *screen_colour(const struct screen *screen, enum colour colour);

/* The sequence that ends it, "" where there is none. */
const char *screen_plain(const struct screen *screen);

/* Columns that a text of UTF-8 takes. */
int screen_width_of(const char *text);
