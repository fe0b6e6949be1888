/* err.c - codes and texts of failures; see err.h. */
#include "base/err.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct row {
    const char *name;
    int exit_code;
    const char *doc;
};

static const struct row rows[ERR_COUNT] = {
    [ERR_NONE] = {"none", 0, "No error."},
#define ERROR(symbol, name, exit_code, doc) [ERR_##symbol] = {name, exit_code, doc},
#include "base/err.def"
#undef ERROR
};

int err_set(struct err *err, enum err_code code, const char *format, ...)
{
    assert(err && code > ERR_NONE && code < ERR_COUNT);
    va_list args;
    va_start(args, format);
    err->code = code;
    vsnprintf(err->text, sizeof err->text, format, args);
    va_end(args);
    return -1;
}

int err_sys(struct err *err, const char *format, ...)
{
    int cause = errno;
    assert(err);
    va_list args;
    va_start(args, format);
    int n = vsnprintf(err->text, sizeof err->text, format, args);
    va_end(args);
    err->code = cause == ENOMEM ? ERR_MEMORY : ERR_IO;
    if (n >= 0 && (size_t)n < sizeof err->text)
        snprintf(err->text + n, sizeof err->text - (size_t)n, ": %s", strerror(cause));
    errno = cause;
    return -1;
}

int err_add(struct err *err, const char *format, ...)
{
    assert(err);
    struct err old = *err;
    va_list args;
    va_start(args, format);
    int n = vsnprintf(err->text, sizeof err->text, format, args);
    va_end(args);
    int left = (int)sizeof err->text - 1 - n; /* what ": cause" may use */
    if (n >= 0 && left > 2)
        snprintf(err->text + n, (size_t)left + 1, ": %.*s", left - 2, old.text);
    return -1;
}

const char *err_name(enum err_code code)
{
    return (unsigned)code < ERR_COUNT ? rows[code].name : "unknown";
}

enum err_code err_from_name(const char *name)
{
    assert(name);
    for (int i = 0; i < ERR_COUNT; i++)
        if (!strcmp(rows[i].name, name))
            return (enum err_code)i;
    return ERR_COUNT;
}

int err_config(struct err *err)
{
    if (err->code != ERR_MEMORY)
        err->code = ERR_CONFIG;
    return -1;
}

int err_exit_code(enum err_code code)
{
    return (unsigned)code < ERR_COUNT ? rows[code].exit_code : 125;
}

const char *err_doc(enum err_code code)
{
    return (unsigned)code < ERR_COUNT ? rows[code].doc : "";
}
