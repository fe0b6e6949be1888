/* glob.h - patterns of paths. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* True when the pattern matches the whole path: * is a run within one component, ** also across
 * "/"; "/x/ **" (without the blank) matches /x itself, too, and a ** that begins a pattern also
 * nothing. Everything else in both is a character like any other. */
bool glob_matches_path(const char *pattern, const char *path);

/* False when nothing can match both: what stands before the first wildcard of either differs. Looks
 * at len bytes of the pattern; the path's wildcards begin at glob_at. */
bool glob_begins_alike(const char *pattern, size_t len, const char *path, size_t glob_at);

/* True when some path matches both: the pattern, and a path in which bash still expands the * ? and
 * [ ] from byte glob_at on. A wildcard does not begin a name with a dot. Costs at most
 * GLOB_MAX_PATH bytes times the pattern; for longer paths the answer is yes. */
enum { GLOB_MAX_PATH = 1024 };
bool glob_meets_path(const char *pattern, const char *path, size_t glob_at);
