/* lint.h - what is odd about a rule set that loads: rules that cannot match, that decide nothing,
 * exemptions that exempt nothing, lists that nobody uses. For people who write rules; a set with
 * findings judges like any other. Only what is sure is found: regular expressions, and globs of
 * which only several together cover one, are not seen through.
 */
#pragma once

#include "engine/policy/ruleset.h"

/* One finding. Borrowed until the call that gets it returns. */
struct lint_finding {
    const char *kind;    /* "cannot-match", …: one of a few words, for programs */
    const char *file;    /* as errors call it */
    int line;            /* of the rule, override or list */
    const char *subject; /* a rule's or list's name; "" for an override */
    const char *problem; /* one sentence without its full stop */
    const char *advice;  /* what to do, likewise */
};

typedef int lint_found(void *context, const struct lint_finding *finding, struct err *err);

/* Looks at everything but what a base says, and gives each finding, file by file as it was read.
 *
 *   now_s    since 1970: what has expired
 *   err      what `found` failed with
 */
int ruleset_lint(const struct ruleset *set, int64_t now_s, lint_found *found, void *context,
                 struct err *err);
