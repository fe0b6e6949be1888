/* log.c - log lines; see log.h. */
#include "base/log.h"

#include "base/clock.h"
#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static enum log_level least = LOG_INFO;

void log_set_level(enum log_level level)
{
    least = level;
}

void log_line(enum log_level level, const char *format, ...)
{
    static const char *const names[] = {"error", "warn", "info", "debug"};
    if (level > least)
        return;
    char raw[1024], when[32];
    va_list args;
    va_start(args, format);
    vsnprintf(raw, sizeof raw, format, args);
    va_end(args);
    clock_show(when, clock_wall_ns());

    struct err err;
    struct bytes line = bytes_open(8192);
    if (!bytes_addf(&line, &err, "%s %s ", when, names[level]) &&
        !text_show(&line, raw, strlen(raw), &err) && !bytes_add(&line, "\n", 1, &err)) {
        ssize_t n = write(STDERR_FILENO, line.data, line.len);
        (void)n; /* nowhere left to complain */
    }
    bytes_close(&line);
}
