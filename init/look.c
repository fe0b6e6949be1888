/* look.c - directories and files, looked at; see look.h. */
#include "init/look.h"

#include "base/scope.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A file as it was found. */
struct sight {
    char cwd[PATH_MAX]; /* "": the directory could not be opened */
    int64_t bytes;      /* -1: no file */
    bool has_data;
    struct bytes data;
    int error; /* errno, 0 */
};

static void sight_close(struct sight *s)
{
    bytes_close(&s->data);
}

/* One byte more than fits shows that it is too large. */
static int read_file(int fd, struct sight *s)
{
    struct err err;
    uint8_t piece[16 * 1024];
    s->data = bytes_open(FRAME_CHUNK_BYTES + sizeof piece);
    while (s->data.len <= FRAME_CHUNK_BYTES) {
        ssize_t n = read(fd, piece, sizeof piece);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return errno;
        if (!n)
            break;
        if (bytes_add(&s->data, piece, (size_t)n, &err))
            return ENOMEM;
    }
    s->has_data = s->data.len <= FRAME_CHUNK_BYTES;
    return 0;
}

static int see_file(int directory, const char *path, struct sight *s)
{
    struct stat st;
    SCOPED(fd_close) int fd = openat(directory, path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st))
        return errno;
    if (!S_ISREG(st.st_mode))
        return EINVAL;
    s->bytes = st.st_size;
    return read_file(fd, s);
}

static int see_directory(int directory, struct sight *s)
{
    char link[32];
    snprintf(link, sizeof link, "/proc/self/fd/%d", directory);
    ssize_t n = readlink(link, s->cwd, sizeof s->cwd - 1);
    s->cwd[n > 0 ? n : 0] = 0;
    if (n < 0)
        return errno;
    if (s->cwd[0] != '/' || strlen(s->cwd) >= sizeof s->cwd - 1) {
        s->cwd[0] = 0; /* no longer reachable, or too long to be told */
        return ENOENT;
    }
    return 0;
}

/* Texts of frames have no NUL inside; a view of one is copied to get one behind it. */
static int see(struct view cwd, struct view path, struct sight *s)
{
    char directory[PATH_MAX], file[PATH_MAX];
    *s = (struct sight){.bytes = -1};
    if (!text_copy_view(directory, sizeof directory, cwd) ||
        (path.data && !text_copy_view(file, sizeof file, path)))
        return ENAMETOOLONG;
    SCOPED(fd_close) int fd = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return errno;
    int error = see_directory(fd, s);
    return error || !path.data ? error : see_file(fd, file, s);
}

int look_answer(const struct frame_look *m, struct bytes *out, struct err *err)
{
    SCOPED(sight_close) struct sight s;
    int error = see(m->cwd, m->path, &s);
    struct frame_seen seen = {.nonce = m->nonce, .error = error, .bytes = s.bytes};
    if (s.cwd[0])
        seen.cwd = view_of(s.cwd);
    if (!error && s.has_data)
        seen.data = (struct view){s.data.data ? s.data.data : (const uint8_t *)"", s.data.len};
    return frame_put_seen(out, &seen, err);
}

int look_compare(const struct frame_check *m)
{
    SCOPED(sight_close) struct sight s;
    int error = see(m->cwd, m->path, &s);
    if (error)
        return error;
    return s.has_data && view_equal(bytes_view(&s.data), m->data) ? 0 : ESTALE;
}
