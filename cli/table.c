/* table.c - aligned columns; see table.h. */
#include "cli/table.h"

#include "base/scope.h"
#include "base/text.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <wchar.h>

enum { GAP = 2, NARROWEST = 8 };

struct screen screen_of(int fd)
{
    const char *no_colour = getenv("NO_COLOR"), *terminal = getenv("TERM");
    struct screen screen = {0};
    struct winsize size;
    if (!isatty(fd))
        return screen;
    if (!ioctl(fd, TIOCGWINSZ, &size))
        screen.width = size.ws_col;
    screen.colour = !(no_colour && *no_colour) && terminal && strcmp(terminal, "dumb") != 0;
    return screen;
}

const char *screen_colour(const struct screen *screen, enum colour colour)
{
    static const char *const sequences[] = {
        [PLAIN] = "",          [RED] = "\033[31m", [GREEN] = "\033[32m",
        [YELLOW] = "\033[33m", [DIM] = "\033[2m",  [BOLD] = "\033[1m",
    };
    return screen->colour ? sequences[colour] : "";
}

const char *screen_plain(const struct screen *screen)
{
    return screen->colour ? "\033[0m" : "";
}

/* Columns of the character at `text` and its bytes in *bytes. */
static int character(const char *text, size_t *bytes)
{
    uint32_t point = 0;
    *bytes = text_decode(text, strnlen(text, 4), &point);
    if (!*bytes)
        *bytes = 1;
    int width = wcwidth((wchar_t)point);
    return width < 0 ? 1 : width; /* the locale may not know it */
}

int screen_width_of(const char *text)
{
    int width = 0;
    for (size_t bytes = 0; *text; text += bytes)
        width += character(text, &bytes);
    return width;
}

struct table table_open(const struct column *columns, size_t count)
{
    assert(count <= TABLE_MAX_COLUMNS);
    return (struct table){
        .columns = columns, .column_count = count, .cells = bytes_open(TABLE_MAX_BYTES)};
}

void table_close(struct table *table)
{
    bytes_close(&table->cells);
}

int table_cell(struct table *table, enum colour colour, struct err *err, const char *format, ...)
{
    char *text = NULL;
    va_list list;
    va_start(list, format);
    int len = vasprintf(&text, format, list);
    va_end(list);
    if (len < 0)
        return err_set(err, ERR_MEMORY, "no memory for a table");
    const char mark[] = {(char)('0' + colour)};
    int failed = bytes_add(&table->cells, mark, sizeof mark, err) ||
                 text_show(&table->cells, text, (size_t)len, err) ||
                 bytes_add(&table->cells, "", 1, err);
    free(text);
    if (!failed)
        table->cell_count++;
    return failed ? -1 : 0;
}

/* Natural widths, then cut to the screen. */
static void measure(const struct table *table, int screen_width, int widths[TABLE_MAX_COLUMNS])
{
    int total = 0;
    for (size_t c = 0; c < table->column_count; c++)
        widths[c] = screen_width_of(table->columns[c].name);
    const char *cell = (const char *)table->cells.data;
    for (size_t i = 0; i < table->cell_count; i++, cell += strlen(cell) + 1) {
        int width = screen_width_of(cell + 1);
        if (widths[i % table->column_count] < width)
            widths[i % table->column_count] = width;
    }
    for (size_t c = 0; c < table->column_count; c++)
        total += widths[c] + (c ? GAP : 0);

    while (screen_width && total > screen_width) {
        size_t widest = table->column_count;
        for (size_t c = 0; c < table->column_count; c++)
            if (table->columns[c].shrinks && widths[c] > NARROWEST &&
                (widest == table->column_count || widths[c] > widths[widest]))
                widest = c;
        if (widest == table->column_count)
            return;
        widths[widest]--;
        total--;
    }
}

/* Bytes of `text` that fit in `width` columns. */
static size_t fitting(const char *text, int width)
{
    size_t used = 0, bytes = 0;
    for (; text[used]; used += bytes) {
        width -= character(text + used, &bytes);
        if (width < 0)
            break;
    }
    return used;
}

struct place {
    const struct column *column;
    int width;
    bool first, last; /* of its line */
};

static int print_cell(const struct place *place, const char *text, enum colour colour,
                      const struct screen *screen, struct bytes *to, struct err *err)
{
    int used = screen_width_of(text);
    bool cut = used > place->width;
    size_t bytes = cut ? fitting(text, place->width - 1) : strlen(text);
    int room = cut ? 0 : place->width - used;
    int before = (place->first ? 0 : GAP) + (place->column->right ? room : 0);
    int after = place->last || place->column->right ? 0 : room;
    return bytes_addf(to, err, "%*s%s%.*s%s%s%*s", before, "", screen_colour(screen, colour),
                      (int)bytes, text, cut ? "…" : "", colour ? screen_plain(screen) : "", after,
                      "");
}

int table_print(const struct table *table, const struct screen *screen, struct bytes *to,
                struct err *err)
{
    assert(table->column_count && table->cell_count % table->column_count == 0);
    int widths[TABLE_MAX_COLUMNS];
    measure(table, screen->width, widths);
    const char *cell = (const char *)table->cells.data;
    size_t columns = table->column_count;
    for (size_t i = 0; i < table->cell_count + columns; i++) {
        size_t c = i % columns;
        bool header = i < columns;
        struct place place = {&table->columns[c], widths[c], !c, c == columns - 1};
        const char *text = header ? table->columns[c].name : cell + 1;
        enum colour colour = header ? BOLD : (enum colour)(cell[0] - '0');
        if (print_cell(&place, text, colour, screen, to, err) ||
            (place.last && bytes_add(to, "\n", 1, err)))
            return -1;
        if (!header)
            cell += strlen(cell) + 1;
    }
    return 0;
}
