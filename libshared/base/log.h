/* log.h - one line on stderr for each thing worth knowing: time, level, event name, then key=value.
 *
 * Services log, libraries return. What came from outside cannot forge a line: the finished line is
 * escaped. What base/secret.h takes for a secret is replaced by [redacted:KIND:LEN]. Thread-safe: a
 * line is one write.
 */
#pragma once

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };

/* The least important level still written; LOG_INFO at start. */
void log_set_level(enum log_level level);

/* Writes "2026-01-31T12:00:00.000Z info sandbox.created sandbox=sb_… agent=…". The event name comes
 * first in the format. Control characters in the finished line are escaped. A line is cut at 1 KiB.
 */
void log_line(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

#define log_error(...) log_line(LOG_ERROR, __VA_ARGS__)
#define log_warn(...) log_line(LOG_WARN, __VA_ARGS__)
#define log_info(...) log_line(LOG_INFO, __VA_ARGS__)
#define log_debug(...) log_line(LOG_DEBUG, __VA_ARGS__)
