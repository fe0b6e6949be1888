/* trouble.h - why a text cannot be analysed. A text with any trouble is never simply allowed.
 *
 * Whoever is not sure says so with trouble_add and goes on, so that what was understood is judged
 * as well. The first reason is kept for people.
 */
#pragma once

#include "base/bytes.h"

enum trouble_kind {
    TROUBLE_SYNTAX = 1,       /* bash would refuse it, or reads it in a way that we do not */
    TROUBLE_DYNAMIC = 1 << 1, /* the name of a command is known only when it runs */
    TROUBLE_TOO_LARGE = 1 << 2,
    TROUBLE_TOO_DEEP = 1 << 3,
    TROUBLE_INVISIBLE = 1 << 4, /* control, bidi, zero-width or tag characters, broken UTF-8 */
    TROUBLE_MEMORY = 1 << 5,
    TROUBLE_CODE = 1 << 6 /* a shell runs a text that is known only when it runs */
};

struct trouble {
    unsigned kinds; /* set of enum trouble_kind; 0: everything was understood */
    char why[160];  /* the first reason, a part of a sentence; safe for a terminal */
};

/* Notes a reason. */
void trouble_add(struct trouble *t, enum trouble_kind kind, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Notes TROUBLE_INVISIBLE when the text has characters that a reader does not see or that reorder
 * what he sees: C0 but tab and newline, DEL, C1, bidi controls, zero-width and tag characters (a
 * joiner inside an emoji is fine), and bytes that are no UTF-8. */
void trouble_look(struct trouble *t, struct view text);
