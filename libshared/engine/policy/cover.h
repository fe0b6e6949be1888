/* cover.h - does one part of a rule match all that another one matches? Answers yes only where that
 * is sure: by equal texts, by globs that contain globs, by ranges, by keys that follow from others.
 * For people who look for rules that decide nothing (lint.h); no judgement asks.
 */
#pragma once

#include "engine/policy/key.h"

/* True when an entry of the row's kind matches whatever the other one matches: "*" for "a*", "/x/
 * **" (without the blank) for "/x/y". */
bool cover_item(const struct key_row *row, const char *wide, const char *narrow);

/* True when each entry of `narrow` is matched by one of `wide`; what the keys are is not looked at.
 */
bool cover_items(const struct rule_key *wide, const struct rule_key *narrow);

/* The same for keys all of whose entries have to hold: each of `wide` matches one of `narrow`. */
bool cover_all(const struct rule_key *wide, const struct rule_key *narrow);

/* True when what has the one key's entry has the other's: reads_any, and files_any. Also of a row
 * and itself. */
bool cover_follows(const struct key_row *from, const struct key_row *to);

/* True for keys all of whose entries have to hold: flags_all. */
bool cover_asks_all(const struct key_row *row);

/* Whether the key asks that its flag is so; not_x = false asks for x. */
bool cover_wants(const struct rule_key *key);

/* True for a key that only says how others count: paths_unknown beside a list of paths. */
bool cover_is_manner(const struct rule_match *match, const struct rule_key *key);

/* True when every record that `narrow` matches is matched by `wide`. */
bool cover_match(const struct rule_match *wide, const struct rule_match *narrow);
