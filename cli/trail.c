/* trail.c - log lines of services; see trail.h. */
#include "cli/trail.h"

#include "base/bytes.h"
#include "base/file.h"
#include "base/scope.h"
#include "base/text.h"

#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int open_file(struct trail *trail, struct err *err)
{
    trail->file = open(trail->path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
    struct stat st;
    if (trail->file < 0 || fstat(trail->file, &st))
        return err_sys(err, "opening %s", trail->path);
    trail->file_bytes = st.st_size;
    return 0;
}

int trail_open(struct trail *trail, const char *name, const char *state, struct err *err)
{
    *trail = (struct trail){.name = name, .file = -1, .screen = screen_of(STDERR_FILENO)};
    if (!state)
        return 0;
    snprintf(trail->path, sizeof trail->path, "%s/%s.log", state, name);
    return open_file(trail, err);
}

void trail_close(struct trail *trail)
{
    fd_close(&trail->file);
}

/* The full file becomes <service>.log.1; what was there before is gone. */
static void rotate(struct trail *trail)
{
    char old[sizeof trail->path + 2];
    struct err err;
    snprintf(old, sizeof old, "%s.1", trail->path);
    rename(trail->path, old);
    fd_close(&trail->file);
    if (open_file(trail, &err))
        fd_close(&trail->file); /* lines are still kept in memory, and the next one tries again */
}

static void to_file(struct trail *trail, const char *line)
{
    struct err ignored; /* a full disk must not stop the supervisor */
    char whole[TRAIL_LINE_BYTES + 1];
    int len = snprintf(whole, sizeof whole, "%s\n", line);
    if (trail->file < 0 || trail->file_bytes + len > TRAIL_FILE_BYTES)
        rotate(trail);
    if (trail->file >= 0 && !file_write_all(trail->file, whole, (size_t)len, &ignored))
        trail->file_bytes += len;
}

static bool stderr_takes(void)
{
    struct pollfd wait = {.fd = STDERR_FILENO, .events = POLLOUT};
    return poll(&wait, 1, 0) == 1 && wait.revents & POLLOUT;
}

static void to_stderr(struct trail *trail, const char *line)
{
    if (!stderr_takes()) {
        trail->dropped++;
        return;
    }
    const char *begin = screen_colour(&trail->screen, DIM), *end = screen_plain(&trail->screen);
    if (trail->dropped)
        dprintf(STDERR_FILENO, "%s%-8s |%s (%llu lines dropped)\n", begin, trail->name, end,
                (unsigned long long)trail->dropped);
    trail->dropped = 0;
    dprintf(STDERR_FILENO, "%s%-8s |%s %s\n", begin, trail->name, end, line);
}

static bool hides(const char *line)
{
    uint32_t point = 0;
    for (size_t n; *line; line += n) {
        n = text_decode(line, strnlen(line, 4), &point);
        if (!n || text_hides(point))
            return true;
    }
    return false;
}

static void add_line(struct trail *trail, const char *line)
{
    struct err ignored;
    SCOPED(bytes_close) struct bytes shown = bytes_open(4 * TRAIL_LINE_BYTES);
    if (hides(line) && !text_show(&shown, line, strlen(line), &ignored))
        line = (const char *)shown.data;
    char *kept = trail->lines[trail->count++ % TRAIL_LINES];
    text_copy(kept, TRAIL_LINE_BYTES, line);
    if (trail->path[0])
        to_file(trail, kept);
    else
        to_stderr(trail, kept);
}

static void end_line(struct trail *trail)
{
    trail->partial[trail->partial_bytes] = 0;
    trail->partial_bytes = 0;
    add_line(trail, trail->partial);
}

void trail_take(struct trail *trail, const char *data, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (data[i] == '\n') {
            end_line(trail);
            continue;
        }
        trail->partial[trail->partial_bytes++] = data[i] ? data[i] : ' ';
        if (trail->partial_bytes == TRAIL_LINE_BYTES - 1)
            end_line(trail);
    }
}

void trail_say(struct trail *trail, const char *format, ...)
{
    char line[TRAIL_LINE_BYTES];
    va_list list;
    va_start(list, format);
    vsnprintf(line, sizeof line, format, list);
    va_end(list);
    add_line(trail, line);
}

void trail_show(const struct trail *trail)
{
    uint64_t first = trail->count > TRAIL_LINES ? trail->count - TRAIL_LINES : 0;
    for (uint64_t i = first; i < trail->count; i++)
        dprintf(STDERR_FILENO, "    %s\n", trail->lines[i % TRAIL_LINES]);
}
