/* key.h - what keys.def says: each key of a match with its kind of value and its test. */
#pragma once

#include "engine/policy/subject.h"

enum key_kind {
    KIND_GLOBS,
    KIND_PATHS,
    KIND_HOSTS,
    KIND_PORTS,
    KIND_REGEXES,
    KIND_FEEDS,     /* command names */
    KIND_FED_PATHS, /* paths */
    KIND_FLAG,
    KIND_NUMBER,
    KIND_CONTEXTS,
    KIND_TROUBLES,
    KIND_REDIRECTS
};

/* With `sure` what is not known does not hold: for not_<key>, and for what only raises. */
typedef bool key_test(const struct subject *s, const struct rule_key *key, bool sure);

struct key_row {
    const char *name;
    enum key_kind kind;
    unsigned needs; /* set of enum fact_need */
    key_test *test;
    unsigned argument; /* of the test */
    const char *doc;
};

/* The rows of keys.def; their order is that of a match's keys. */
const struct key_row *key_rows(size_t *count);

/* The row of a name; NULL when there is none. */
const struct key_row *key_find(const char *name);

/* A name of a set as rule files write it ("self-call"), and its bit; from 0 until NULL. */
const char *key_name_at(enum key_kind kind, size_t i, unsigned *bit);

/* Whether a text is a list of texts for this kind; else it is one flag or number. */
bool key_takes_list(enum key_kind kind);
