/* log.c - log lines; see log.h. */
#include "base/log.h"

#include "base/clock.h"
#include "base/secret.h"
#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { LINE_BYTES = 1023, RAW_BYTES = 4096 /* so that no secret is cut by the line's end */ };

static enum log_level least = LOG_INFO;

void log_set_level(enum log_level level)
{
    least = level;
}

/* A secret in the text of an error, which may quote what a client sent. */
static int add_clean(struct bytes *to, struct view raw, struct err *err)
{
    struct secret_search search = secret_search(SECRET_PLAIN, raw);
    size_t at = 0;
    for (struct secret s; secret_next(&search, &s); at = s.at + s.len)
        if (bytes_add(to, raw.data + at, s.at - at, err) ||
            bytes_addf(to, err, "[redacted:%s:%zu]", s.kind, s.len))
            return -1;
    return bytes_add(to, raw.data + at, raw.len - at, err);
}

void log_line(enum log_level level, const char *format, ...)
{
    static const char *const names[] = {"error", "warn", "info", "debug"};
    if (level > least)
        return;
    char raw[RAW_BYTES], when[32];
    va_list args;
    va_start(args, format);
    vsnprintf(raw, sizeof raw, format, args);
    va_end(args);
    clock_show(when, clock_wall_ns());

    struct err err;
    struct bytes clean = bytes_open(64 * RAW_BYTES);
    struct bytes line = bytes_open(8192);
    if (!bytes_addf(&line, &err, "%s %s ", when, names[level]) &&
        !add_clean(&clean, view_of(raw), &err) &&
        !text_show(&line, clean.data, clean.len < LINE_BYTES ? clean.len : LINE_BYTES, &err) &&
        !bytes_add(&line, "\n", 1, &err)) {
        ssize_t n = write(STDERR_FILENO, line.data, line.len);
        (void)n; /* nowhere left to complain */
    }
    bytes_close(&clean);
    bytes_close(&line);
}
