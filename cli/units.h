/* units.h - values with units, as people write and read them.
 *
 * The readers have the form of option_read (options.h) and are exact: no floating point.
 */
#pragma once

#include "base/bytes.h"
#include "base/err.h"

#include <stdint.h>

/* "500ms", "5s", "1.5m", "2h", "1d", or a number of seconds, to an int64_t of ms, 1 or more.
 * ERR_INVALID. */
int units_duration_ms(const char *text, void *to, struct err *err);

/* "64m", "1g", "1.5GiB", "2t", or a number of MiB, to an int64_t of MiB, 1 or more. ERR_INVALID. */
int units_memory_mb(const char *text, void *to, struct err *err);

/* "1.5" cores to an int64_t of 1/1000 core, 1 or more. ERR_INVALID. */
int units_cpu_millis(const char *text, void *to, struct err *err);

/* A whole number, 1 or more, to an int64_t. ERR_INVALID. */
int units_count(const char *text, void *to, struct err *err);

/* "1h" (ago), "2026-01-31", "2026-01-31T12:00:00Z" or "…+02:00" to an int64_t of ns since 1970.
 * ERR_INVALID. */
int units_time_ns(const char *text, void *to, struct err *err);

/* Checks key=value whose key is a name (text_is_name), then adds it to a struct texts. ERR_INVALID.
 */
int units_tag(const char *text, void *to, struct err *err);

/* Checks K=V, then adds it to a struct texts. ERR_INVALID. */
int units_env(const char *text, void *to, struct err *err);

/* Adds each part of "a,b,c" (none of them empty) to a struct texts; `text`, which is a word of
 * argv, is cut at the commas. ERR_INVALID. */
int units_commas(const char *text, void *to, struct err *err);

enum { UNITS_SHOWN_BYTES = 32 };

/* "3d 4h", "12m 5s", "1.5s", "20ms". */
void units_show_ms(char to[UNITS_SHOWN_BYTES], int64_t ms);

/* "512 B", "1.5 MiB". */
void units_show_bytes(char to[UNITS_SHOWN_BYTES], int64_t bytes);
