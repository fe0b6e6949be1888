/* err.h - how a function says why it failed.
 *
 * A function that can fail returns 0, or -1 with *err filled: a code from err.def and a text of at
 * most 255 bytes for a person. The struct lives on the caller's stack; nothing is allocated and
 * nothing is global. Each caller on the way up may put its context in front with err_add; whoever
 * ends the journey logs or answers, once.
 */
#pragma once

#include <stddef.h>

enum err_code {
    ERR_NONE = 0,
#define ERROR(symbol, name, exit_code, doc) ERR_##symbol,
#include "base/err.def"
#undef ERROR
    ERR_COUNT
};

struct err {
    enum err_code code;
    char text[256]; /* NUL-terminated; cut, never overrun */
};

/* Fills *err and returns -1, so that a refusal is one line: return err_set(err, ERR_INVALID, "…").
 */
int err_set(struct err *err, enum err_code code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* As err_set with ": <strerror(errno)>" behind the text. Code ERR_MEMORY for ENOMEM, otherwise
 * ERR_IO. */
int err_sys(struct err *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Puts context in front of the text: "context: text". The code stays. Returns -1. */
int err_add(struct err *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The code's wire name, such as "not_found"; "none" for 0, "unknown" outside the table. Static. */
const char *err_name(enum err_code code);

/* The code of a wire name; ERR_COUNT when the name is not in the table. */
enum err_code err_from_name(const char *name);

/* Makes a failure to take up a file or an option ERR_CONFIG: a person has to change it, and trying
 * again is no use. ERR_MEMORY stays, because it passes. Returns -1. */
int err_config(struct err *err);

/* What the CLI exits with for this code; 125 outside the table. */
int err_exit_code(enum err_code code);

/* One sentence for docs and --describe. Static. */
const char *err_doc(enum err_code code);
