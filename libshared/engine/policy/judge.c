/* judge.c - see judge.h. */
#include "engine/policy/judge.h"

#include "base/scope.h"
#include "base/text.h"
#include "engine/policy/match.h"

#include <stdio.h>
#include <string.h>

const char *policy_decision_name(enum policy_decision decision)
{
    static const char *const names[] = {"allow", "require_approval", "deny"};
    return names[decision];
}

const char *policy_risk_name(enum policy_risk risk)
{
    static const char *const names[] = {"low", "medium", "high", "critical"};
    return names[risk];
}

/* What is found while every rule is tried on every record. */
struct trial {
    struct subject subject;
    struct judgement *out;
    const struct rule *worst; /* the most severe match so far, and the command it is about */
    const struct command_fact *worst_command;
    uint64_t matched[RULESET_MAX_RULES / 64];
    const struct rule *rules[JUDGEMENT_RULES_MAX]; /* the most severe, most severe first */
    size_t rules_count;
    bool any; /* something matched the record at hand */
};

static bool is_worse(const struct rule *a, const struct rule *b)
{
    if (!b || a->action != b->action)
        return !b || a->action > b->action;
    return a->risk != b->risk ? a->risk > b->risk : a->index < b->index;
}

/* Keeps the list in order; where there is no room the mildest one goes. */
static void note_rule(struct trial *t, const struct rule *rule)
{
    uint64_t *word = &t->matched[rule->index / 64], bit = (uint64_t)1 << rule->index % 64;
    if (*word & bit)
        return;
    *word |= bit;
    size_t at = t->rules_count;
    if (at == JUDGEMENT_RULES_MAX && !is_worse(rule, t->rules[at - 1]))
        return;
    if (at == JUDGEMENT_RULES_MAX)
        at--;
    else
        t->rules_count++;
    for (; at && is_worse(rule, t->rules[at - 1]); at--)
        t->rules[at] = t->rules[at - 1];
    t->rules[at] = rule;
}

static void on_match(void *context, const struct rule *rule)
{
    struct trial *t = context;
    t->any = true;
    note_rule(t, rule);
    if (rule->risk > t->out->risk)
        t->out->risk = rule->risk;
    if (is_worse(rule, t->worst)) {
        t->worst = rule;
        t->worst_command = t->subject.c;
    }
}

/* The command as a person would write it, cut; holes are shown as "…". */
static void show_command(char *to, size_t size, const struct command_fact *c)
{
    struct err err;
    SCOPED(bytes_close) struct bytes raw = bytes_open(512);
    SCOPED(bytes_close) struct bytes shown = bytes_open(4096);
    for (size_t i = 0; i < c->argv.count && raw.len < 200; i++) {
        const char *text = c->argv.items[i].text;
        if (i && bytes_add(&raw, " ", 1, &err))
            break;
        for (; *text && raw.len < 200; text++)
            if (bytes_add(&raw, *text == HOLE ? "\xe2\x80\xa6" : text, *text == HOLE ? 3 : 1, &err))
                break;
    }
    for (size_t i = 0; !c->argv.count && i < c->redirects_count && raw.len < 200; i++)
        if (bytes_addf(&raw, &err, "> %.100s", c->redirects[i].target.text))
            break;
    if (raw.len && !text_show(&shown, raw.data, raw.len, &err))
        text_copy(to, size, (const char *)shown.data);
    else
        text_copy(to, size, "a command");
}

static void explain(const struct trial *t)
{
    struct judgement *out = t->out;
    char command[128], reason[512];
    show_command(command, sizeof command, t->worst_command);
    snprintf(reason, sizeof reason, "\"%s\" %s.", command, t->worst->description);
    text_copy(out->reason, sizeof out->reason, reason);
    if (out->decision != DECISION_ALLOW)
        text_copy(out->hint, sizeof out->hint, t->worst->message);
}

/* A command of unknown name that is given a path of the system is worse than any unknown one. */
static bool names_system_path(struct trial *t)
{
    enum { BAD = PATH_ROOT | PATH_SYSTEM | PATH_DEVICE | PATH_HOME };
    struct facts *f = t->subject.facts;
    for (const struct command_fact *c = f->first; c; c = c->next) {
        for (size_t i = 1; !c->name && i < c->argv.count; i++) {
            struct place place;
            if (!strchr(c->argv.items[i].text, '/'))
                continue;
            place_read(&f->arena, t->subject.context, c->cwds, &c->argv.items[i], &place);
            if (place.classes & BAD)
                return true;
        }
    }
    return false;
}

/* Puts an id in front of, or behind, those that are there; the last one makes room. */
static void add_id(struct judgement *out, const char *id, bool in_front)
{
    if (out->rules_count == JUDGEMENT_RULES_MAX)
        out->rules_count--;
    size_t at = in_front ? 0 : out->rules_count;
    memmove(out->rules + at + 1, out->rules + at, (out->rules_count - at) * sizeof out->rules[0]);
    out->rules[at] = id;
    out->rules_count++;
}

static enum policy_decision decision_of(enum policy_action action)
{
    return action == ACTION_DENY               ? DECISION_DENY
           : action == ACTION_REQUIRE_APPROVAL ? DECISION_REQUIRE_APPROVAL
                                               : DECISION_ALLOW;
}

static void judge_trouble(struct trial *t, const struct default_verdict *verdict)
{
    struct judgement *out = t->out;
    struct facts *f = t->subject.facts;
    bool high = f->trouble.kinds & TROUBLE_CODE || names_system_path(t);
    enum policy_risk risk = high && verdict->risk < RISK_HIGH ? RISK_HIGH : verdict->risk;
    out->unanalysable = true;
    if (out->risk < risk)
        out->risk = risk;
    enum policy_decision decision = decision_of(verdict->action);
    bool decides = decision > out->decision;
    add_id(out, POLICY_UNANALYSABLE, decides);
    if (!decides)
        return;
    out->decision = decision;
    snprintf(out->reason, sizeof out->reason, "The command cannot be analysed: %s.",
             f->trouble.why);
    text_copy(out->hint, sizeof out->hint,
              "Write the command out plainly, with literal names and no code that it computes.");
}

/* A command that no rule knows. */
static void judge_unmatched(struct trial *t, const struct default_verdict *verdict)
{
    struct judgement *out = t->out;
    enum policy_decision decision = decision_of(verdict->action);
    if (verdict->risk > out->risk)
        out->risk = verdict->risk;
    if (decision <= out->decision)
        return;
    out->decision = decision;
    add_id(out, verdict->flag[0] ? verdict->flag : POLICY_UNMATCHED, true);
    text_copy(out->reason, sizeof out->reason, "No rule knows the command.");
    text_copy(out->hint, sizeof out->hint, "Use a command that the rules know.");
}

/* Tries every rule on every record; true when some command was known to none. */
static bool try_all(struct trial *t, const struct ruleset *set)
{
    bool unmatched = false;
    for (const struct command_fact *c = t->subject.facts->first; c; c = c->next) {
        t->any = false;
        subject_turn(&t->subject, c, OP_EXEC);
        rules_try(set, &t->subject, on_match, t);
        unmatched |= !t->any && c->name && *c->name;
    }
    return unmatched;
}

void policy_judge(struct facts *f, const struct policy_context *context, const struct ruleset *set,
                  struct judgement *out)
{
    struct feeds feeds = {.questions = &set->questions};
    struct trial t = {.subject = {.facts = f,
                                  .context = context,
                                  .known_hosts = &set->known_hosts,
                                  .feeds = &feeds},
                      .out = out};
    *out = (struct judgement){0};
    bool unmatched = try_all(&t, set);
    for (size_t i = 0; i < t.rules_count; i++)
        out->rules[out->rules_count++] = t.rules[i]->id;
    text_copy(out->reason, sizeof out->reason, "No rule matched.");
    if (t.worst) {
        out->decision = decision_of(t.worst->action);
        explain(&t);
    }
    if (unmatched)
        judge_unmatched(&t, &set->defaults.unmatched);
    if (f->trouble.kinds)
        judge_trouble(&t, &set->defaults.unanalysable);
}
