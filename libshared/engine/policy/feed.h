/* feed.h - what reaches a command from others: its sources, followed all the way, answered for all
 * records and all questions in one pass.
 *
 * A question is a key such as stdin_from = ["curl"]. Each has a bit; a record has the bits of what
 * it is or reads itself, and those that reach it. Records feed later ones, but for loops; so the
 * pass is made again while something changed, and after FEED_MAX_PASSES what is in doubt holds.
 */
#pragma once

#include "engine/policy/path.h"

enum { FEED_MAX_PASSES = 8, FEED_MAX_QUESTIONS = 512 };

enum feed_kind {
    FEED_STDIN, /* commands, through stdin and <( ) */
    FEED_ANY,   /* commands, in any way */
    FEED_RUNS,  /* commands that wrote a file which this one runs, or reach one that did */
    FEED_ARGS,  /* arguments of commands, in any way */
    FEED_READS  /* files read, in any way, also by the command itself */
};

/* A command's name, or a pattern of names, and the questions that it answers. */
struct feed_name {
    const char *name; /* NULL: free */
    uint64_t *bits;
};

/* The questions of a rule set; each key's `feed` is its place here. */
struct feed_questions {
    const struct rule_key *const *keys;
    size_t count;
    struct feed_name *names; /* a hash table; its size is a power of two */
    size_t size;
    struct feed_name *patterns;
    size_t patterns_count;
    const struct rule_key **others; /* about arguments and files */
    size_t others_count;
};

/* What was found out about the facts at hand; zeroed at their beginning. */
struct feeds {
    const struct feed_questions *questions;
    uint64_t *self, *piped, *any, *ran; /* words for each record; NULL: not looked yet */
    bool failed;                        /* no memory: every answer is yes */
};

/* Files the questions by name, once all are known; memory is of the arena. False: there is none. */
bool feed_index(struct arena *arena, struct feed_questions *questions);

struct subject;

/* True when what the key asks for reaches the subject's record. */
bool feed_reaches(const struct subject *s, const struct rule_key *key);
