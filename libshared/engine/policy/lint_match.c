/* lint_match.c - matches that can never hold; see lint_own.h. */
#include "engine/policy/cover.h"
#include "engine/policy/lint_own.h"
#include "engine/shell/facts.h"

#include <float.h>
#include <stdio.h>
#include <string.h>

static bool is(const struct rule_key *key, const char *name)
{
    return !strcmp(key->row->name, name);
}

/* Keys that count the same thing, and how it is called. */
static const char *counted(const struct rule_key *key)
{
    return is(key, "operands_min") || is(key, "operands_max") ? "operands"
           : is(key, "depth_min")                             ? "wrappers"
           : is(key, "size_over_mb")                          ? "MiB"
                                                              : NULL;
}

/* What a number leaves: at least, at most. */
static void bound(const struct rule_key *key, double *least, double *most)
{
    bool whole = !is(key, "size_over_mb");
    bool above = is(key, "operands_max") == key->negated;
    double number = key->number;
    if (above && key->negated) /* not_operands_max */
        number += 1;
    if (!above && key->negated && whole) /* not_operands_min, not_depth_min */
        number -= 1;
    if (above && number > *least)
        *least = number;
    if (!above && number < *most)
        *most = number;
}

static bool numbers_contradict(const struct rule_match *match, const struct rule_key *key,
                               char why[LINT_WHY_BYTES])
{
    const char *what = counted(key);
    double least = 0, most = !strcmp(what, "wrappers") ? FACTS_MAX_PEELED : DBL_MAX;
    bool over = !strcmp(what, "MiB"), asks_operand = false;
    for (size_t i = 0; i < match->count; i++) {
        const struct rule_key *other = &match->keys[i];
        if (counted(other) && !strcmp(counted(other), what))
            bound(other, &least, &most);
        asks_operand |=
            !other->negated && (is(other, "first_operand") || is(other, "operands_any"));
    }
    if (!strcmp(what, "operands") && asks_operand && least < 1)
        least = 1;
    if (least < most || (least <= most && !over))
        return false;
    snprintf(why, LINT_WHY_BYTES, "it asks for %s %g %s and for at most %g",
             over ? "more than" : "at least", least, what, most < 0 ? 0 : most);
    return true;
}

/* True when whatever `yes` asks for is what `no` forbids. */
static bool lists_contradict(const struct rule_key *yes, const struct rule_key *no)
{
    if (yes->row == no->row && cover_asks_all(yes->row))
        return cover_all(no, yes); /* each that is forbidden together is there */
    size_t len = strlen(yes->row->name);
    bool all = cover_asks_all(yes->row) && yes->row->kind == no->row->kind &&
               !strncmp(yes->row->name, no->row->name, len - 3) &&
               !strcmp(no->row->name + len - 3, "any");
    if (!all)
        return cover_follows(yes->row, no->row) && cover_items(no, yes);
    for (size_t i = 0; i < yes->count; i++)
        for (size_t k = 0; k < no->count; k++)
            if (cover_item(no->row, no->items[k], yes->items[i]))
                return true;
    return (yes->bits & no->bits) != 0;
}

static bool is_list_of_unknowns(const struct rule_match *match, const struct rule_key *key)
{
    return (match->paths_unknown && key->row->kind == KIND_PATHS && key->row->argument) ||
           (match->flags_unknown && !strncmp(key->row->name, "flags_a", strlen("flags_a")));
}

static bool pair_contradicts(const struct rule_match *match, const struct rule_key *yes,
                             const struct rule_key *no, char why[LINT_WHY_BYTES])
{
    bool found;
    if (yes->row->kind == KIND_FLAG)
        found = yes->row == no->row && cover_wants(yes) != cover_wants(no);
    else
        found = key_takes_list(yes->row->kind) && key_takes_list(no->row->kind) && !yes->negated &&
                no->negated && !is_list_of_unknowns(match, yes) && lists_contradict(yes, no);
    if (found)
        snprintf(why, LINT_WHY_BYTES, "all that %s asks for is excluded by %s%s", yes->row->name,
                 no->negated ? "not_" : "", no->row->name);
    return found;
}

bool lint_contradicts(const struct rule_match *match, char why[LINT_WHY_BYTES])
{
    for (size_t i = 0; i < match->count; i++) {
        const struct rule_key *key = &match->keys[i];
        bool beside_list = (match->asks_paths && is(key, "paths_unknown")) ||
                           (match->asks_flags && is(key, "flags_unknown"));
        if (beside_list && key->negated) {
            snprintf(why, LINT_WHY_BYTES, "not_%s beside a list never holds", key->row->name);
            return true;
        }
        if (key_takes_list(key->row->kind) && !key->count && !key->bits && !key->negated &&
            !is_list_of_unknowns(match, key)) {
            snprintf(why, LINT_WHY_BYTES, "%s has no entry, for its lists are empty",
                     key->row->name);
            return true;
        }
        if (key->row->kind == KIND_NUMBER && numbers_contradict(match, key, why))
            return true;
        for (size_t k = 0; k < match->count; k++)
            if (k != i && !beside_list && pair_contradicts(match, key, &match->keys[k], why))
                return true;
    }
    return false;
}

int lint_matches(struct linting *l, const struct rule *rule)
{
    char why[LINT_WHY_BYTES], which[32] = "";
    size_t at = 0;
    for (const struct rule_match *m = rule->matches; m; m = m->next) {
        at++;
        if (rule->matches->next)
            snprintf(which, sizeof which, "match %zu: ", at);
        if (lint_contradicts(m, why)) {
            if (lint_rule(l, rule, "cannot-match", "mend the keys, or remove the match",
                          "%scan never match: %s", which, why))
                return -1;
            continue;
        }
        for (size_t i = 0; i < m->count; i++) {
            const struct rule_key *key = &m->keys[i];
            if (key_takes_list(key->row->kind) && !key->count && !key->bits && key->negated &&
                lint_rule(l, rule, "says-nothing", "fill the list, or remove the key",
                          "%snot_%s excludes nothing, for its lists are empty", which,
                          key->row->name))
                return -1;
        }
    }
    return 0;
}
