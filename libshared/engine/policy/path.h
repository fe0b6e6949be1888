/* path.h - where a path lies: workspace, home, system, device, …; and whether a list has it.
 *
 * Lexical only: the guardian sees no host's files. A path is seen from each directory that its
 * command may run in; a cd may have failed.
 */
#pragma once

#include "engine/policy/context.h"
#include "engine/policy/rule.h"
#include "engine/shell/facts.h"

/* Where a path lies, as far as the text tells; set of bits, one or more for each directory. */
enum path_class {
    PATH_ROOT = 1,        /* "/", a directory in it, or a pattern of them */
    PATH_SYSTEM = 1 << 1, /* below those */
    PATH_HOME = 1 << 2,   /* the home directory, or everything in it */
    PATH_HOME_INSIDE = 1 << 3,
    PATH_WORKSPACE_ALL = 1 << 4, /* the workspace, or everything in it */
    PATH_WORKSPACE = 1 << 5,
    PATH_TEMPORARY = 1 << 6,
    PATH_DEVICE = 1 << 7,
    PATH_HARMLESS = 1 << 8, /* /dev/null and its kin */
    PATH_UNKNOWN = 1 << 9
};

/* A path of a command, read once and then compared with many lists. */
struct place {
    const struct arg *arg;
    unsigned touches; /* set of enum file_touch; 0: an operand and nothing more is known */
    bool operand, recursive;
    unsigned classes; /* set of enum path_class */
    bool exact;       /* nothing in it is a pattern or known only when it runs */
    bool pattern;     /* bash expands it: glob_at says from where */
    bool near_home;   /* it may match a pattern that begins with "~" */
    unsigned count;
    struct seen {
        const char *path;      /* normal; a pattern or hole follows as it was written */
        size_t known, glob_at; /* bytes of the directory that is known; where a pattern begins */
    } seen[CWDS_MAX];          /* one for each directory, as long as that is known */
};

/* Reads one argument. Texts are of the arena; without memory the place is PATH_UNKNOWN. */
void place_read(struct arena *arena, const struct policy_context *context, const struct cwds *cwds,
                const struct arg *a, struct place *out);

/* Makes the place what lies in it: a search of /tmp does nothing to /tmp itself. */
void place_look_inside(struct place *place);

/* True when the key's classes or patterns have the place: what bash expands may match (a pattern
 * whose directory is listed does), what is known only when it runs must. With `sure`, both must. */
bool place_is_listed(const struct policy_context *context, const struct place *place,
                     const struct rule_key *key, bool sure);

/* The classes of a tag such as "@system"; 0 when it is none. */
unsigned path_tag(const char *tag);
