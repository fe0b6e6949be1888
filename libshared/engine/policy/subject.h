/* subject.h - what rules are tried on: one record of the facts, and what was found out about it so
 * far, so that no rule finds it out again. */
#pragma once

#include "engine/policy/feed.h"
#include "engine/policy/path.h"

/* What a record has to have for a key to hold; lets a match be passed over without a look. */
enum fact_need {
    NEED_NAME = 1, /* a known name */
    NEED_CONTEXT = 1 << 1,
    NEED_TROUBLE = 1 << 2, /* of the whole text */
    NEED_REDIRECTS = 1 << 3,
    NEED_ARGS = 1 << 4,
    NEED_ENV = 1 << 5,
    NEED_WRAPPER = 1 << 6,
    NEED_HOSTS = 1 << 7,
    NEED_PATHS = 1 << 8, /* an operand or a file */
    NEED_SOURCES = 1 << 9,
    NEED_CODE = 1 << 10
};

/* Beside enum file_touch, for the keys of paths. */
enum { TOUCH_OPERAND = 1 << 16, TOUCH_ANY = 0xffff };

/* Hosts that a command may talk to without being outside. */
struct known_hosts {
    const char *const *items;
    size_t count;
};

/* The paths of one record. */
struct place_list {
    struct place *places;
    size_t count;
    bool read;
};

/* What trying the rules on one text may cost, in steps of its arena: at 7 to 25 ns each no more
 * than 0.1 s. Behind that the text is not understood. Of 485 shell scripts in a Debian 8 cost more,
 * the largest 6.3 million steps; half of them cost less than a hundredth of the bound. */
enum {
    SUBJECT_STEPS_MAX = 1 << 22,
    SUBJECT_PATTERN_STEPS = 64, /* a pattern against a pattern */
    SUBJECT_BYTES_A_STEP = 8    /* that a regular expression looks at */
};

struct subject {
    struct facts *facts; /* of the record; its arena gives memory */
    uint64_t steps_end;  /* of the arena: where trying ends */
    const struct policy_context *context;
    const struct known_hosts *known_hosts;
    struct feeds *feeds;
    const struct command_fact *c;
    enum policy_op op;
    unsigned has; /* set of enum fact_need */
    const struct rule_match *match;

    /* found out at the first question */
    struct place_list *paths; /* of all records, by index, zeroed; NULL: only `own` is kept */
    struct place_list own;
    struct view args;
};

/* Turns to a record; forgets what was found out about the one before. */
void subject_turn(struct subject *s, const struct command_fact *c, enum policy_op op);

/* Begins to count what trying costs. */
void subject_begin(struct subject *s);

/* True when it costs too much: what is tried from here on is not to be believed. */
bool subject_is_spent(const struct subject *s);

/* The paths of the record: operands and files. */
const struct place *subject_places(struct subject *s, size_t *count);

/* A walk over operands; starts zeroed. */
struct operands {
    size_t at;
    bool ended; /* "--" was met */
};

/* A record's next operand; NULL behind the last. */
const struct arg *subject_operand(const struct command_fact *c, struct operands *walk);

/* Name and arguments joined by blanks. */
struct view subject_args(struct subject *s);
