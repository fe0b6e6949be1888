/* vars.h - the variables of a text while it is walked: what each may hold at the point at hand.
 *
 * A variable has up to VALUES_MAX possible values, because branches may or may not have run; a
 * value may itself hold holes. What is not known is one value that is a hole. Whoever cannot tell
 * which of several values holds must consider all of them.
 *
 * The walk is in the order of execution, so a change is noted in a log. A subshell is undone from
 * the log (vars_undo); branches are walked one after the other from the same base and then joined
 * (vars_branches, vars_next, vars_join). All of this costs in proportion to what changed, not to
 * what exists. Everything lives in the arena; without memory a variable is not known.
 */
#pragma once

#include "engine/shell/expand.h"

enum { VALUES_MAX = 4, VALUE_MAX_BYTES = 4096 /* of a text; a longer one is a hole */ };

struct source_fact;

/* One possible value; never changed once made. */
struct value {
    bool set;                /* false: unset, or not known to be set when it is a hole */
    bool array;              /* NAME=( ), and the positional parameters, whose name is "@" */
    const struct arg *items; /* what is no array has one */
    size_t count;
};

/* What a variable may be; never changed once made. */
struct state {
    const struct value *values[VALUES_MAX];
    unsigned count; /* 1 or more */
    bool exported;
    const struct source_fact *sources; /* commands whose output is in it */
};

struct variable;
struct change;

struct vars {
    struct arena *arena;
    struct variable **buckets;
    size_t count, room;     /* variables, buckets */
    struct change *log;     /* newest first */
    unsigned changes;       /* so far: what vars_changed compares with */
    unsigned epoch, epochs; /* a state of another epoch was forgotten; epochs given out */
    const struct inherited *inherited; /* epochs whose exported states are known all the same */
    bool lost;        /* names are not what they seem (nameref, no memory): nothing is known */
    unsigned refused; /* assignments to what is protected */
    bool taints;      /* what is set now may change at any time: traps, aliases */
};

struct vars vars_open(struct arena *arena);

/* What the variable may be here; never NULL. Valid as long as the arena. */
const struct state *vars_get(const struct vars *v, const char *name);

/* From here on it is this. Nothing is logged when it was the same already. */
void vars_set(struct vars *v, const char *name, const struct state *state);

/* True when the variable was set since there were so many changes, taken back or not. */
bool vars_changed(const struct vars *v, const char *name, unsigned since);

/* vars_set with one value, which is exported if the variable was. */
void vars_set_value(struct vars *v, const char *name, struct value value,
                    const struct source_fact *sources);

/* vars_set_value of one argument as a scalar. */
void vars_set_arg(struct vars *v, const char *name, struct arg arg,
                  const struct source_fact *sources);

/* From here on nothing is known of it. */
void vars_forget(struct vars *v, const char *name);

/* From here on nothing is known of any variable. */
void vars_forget_all(struct vars *v);

/* Nothing is ever known of it again: it is an integer, a nameref, set by a trap. */
void vars_spoil(struct vars *v, const char *name);

/* An assignment may fail from here on. */
void vars_protect(struct vars *v, const char *name);

/* Another process begins: only what is exported is known, and IFS, which no shell inherits. */
void vars_enter_process(struct vars *v);

struct change *vars_now(const struct vars *v); /* a point in the log */

/* Back to what was known at the mark; what vars_spoil did stays. */
void vars_undo(struct vars *v, struct change *mark);

/* Branches that begin at the same point. */
struct branches {
    struct change *base; /* may be moved between branches by what runs in all that follow */
    struct joint *joints;
    unsigned walked;
    bool forgot;
};

struct branches vars_branches(const struct vars *v);

/* One branch was walked: notes what it changed and goes back to the base. `all`: it may have been
 * left at any point, so every value that it set counts. */
void vars_next(struct vars *v, struct branches *b, bool all);

/* Whatever any branch set is possible from here on; what was before, too, unless one of the
 * branches certainly ran (`exhaustive`). */
void vars_join(struct vars *v, struct branches *b, bool exhaustive);

/* What was done since the mark may have been done in part or not at all. */
void vars_maybe(struct vars *v, struct change *mark);

/* What was done since the mark may be done any number of times: goes back to the mark and makes
 * what changed unknown, beside the values that were seen. False when all of it was that already.
 * *blank: nothing at all was known at the mark, or is from here on. */
bool vars_repeat(struct vars *v, struct change *mark, bool *blank);

/* A state of one value, of the arena; that of nothing known without memory. */
const struct state *vars_state(struct vars *v, struct value value,
                               const struct source_fact *sources, bool exported);

/* The same, exported. */
const struct state *vars_exported(struct vars *v, const struct state *state);

/* Whatever either of them may be. */
const struct state *vars_either(struct vars *v, const struct state *a, const struct state *b);

/* The state of which nothing is known, and its value. */
const struct state *vars_unknown(void);

/* An array of these arguments. */
struct value value_array(const struct arg *items, size_t count);
struct value value_unset(void);
