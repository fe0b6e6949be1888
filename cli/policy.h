/* policy.h - what the `corral policy` commands share: the rules, where a command would run, and
 * lines of JSON with commands in them. Nothing here asks a service.
 */
#pragma once

#include "cli/cli.h"
#include "data/pack.h"
#include "engine/policy/context.h"
#include "engine/policy/judgement.h"
#include "engine/policy/ruleset.h"

struct policy_room;

/* What the options of every such command fill, and what is loaded from it. */
struct policy_setup {
    const char *profile, *rules, *cwd, *home; /* NULL: the default */
    const char *tenant, *agent;               /* NULL: nobody known, as to conditions */
    struct texts tags;                        /* of the sandbox */
    struct ruleset *set;
    struct policy_context context;
    struct policy_room *room; /* for facts, reused from command to command */
};

/* The rows of these options; `rows` has POLICY_OPTIONS places. */
enum { POLICY_OPTIONS = 7 };
void policy_options(struct policy_setup *setup, struct option *rows);

/* Rule files of a tenant that are named one by one: each is a file, or a directory of them. */
enum { RULE_SOURCES_MAX = 64 };
struct rule_sources {
    struct ruleset_source items[RULE_SOURCES_MAX];
    struct bytes texts[RULE_SOURCES_MAX]; /* of those that are files */
    size_t count;
};

/* Adds one; the path is borrowed. ERR_INVALID too many, or too large; ERR_IO. */
int rule_sources_add(struct rule_sources *sources, const char *path, struct err *err);

/* Frees what was read; fine on a zeroed struct. */
void rule_sources_close(struct rule_sources *sources);

/* Loads the rules of setup->rules, or of `sources` when there are some. ERR_CONFIG, ERR_INVALID,
 * ERR_IO, ERR_MEMORY. */
int policy_load(struct policy_setup *setup, const struct rule_sources *sources, struct err *err);

/* Frees and zeroes; fine on a zeroed struct. */
void policy_close(struct policy_setup *setup);

/* How a decision is coloured. */
enum colour policy_colour(enum policy_decision decision);

/* Appends {"command", "decision", "risk", "rules", "unanalysable"} in one line, without its end. */
int policy_json(struct view command, const struct judgement *j, struct bytes *to, struct err *err);

/* What is done with the lines of a file: `each` gets one as msgpack. An ERR_INVALID of a line goes
 * to `wrong`, with the line's number from 1, and the next line is read; when `wrong` is NULL or
 * fails, that line is the last one. */
struct policy_lines {
    int (*each)(void *context, struct view packed, struct err *err);
    int (*wrong)(void *context, long number, const struct err *why, struct err *err);
    void *context;
};

/* Reads a file of JSON Lines, "-" is stdin; empty lines are passed over. An error names the line.
 */
int policy_each_line(const char *path, const struct policy_lines *lines, struct err *err);

/* The value of a key of a map: 1 with *at behind its header, 0 when it is not there, -1. */
int policy_get(struct view packed, const char *key, struct value *out, struct view *at,
               struct err *err);

/* The commands below `corral policy`. */
command_run policy_check, policy_lint, policy_replay, policy_test, policy_keys, policy_show,
    policy_reload;
