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

/* The most severe match so far. */
struct verdict_of_rules {
    const struct rule *rule;
    const struct command_fact *command;
};

static void note_rule(struct judgement *out, const char *id)
{
    for (size_t i = 0; i < out->rules_count; i++)
        if (!strcmp(out->rules[i], id))
            return;
    if (out->rules_count < JUDGEMENT_RULES_MAX)
        out->rules[out->rules_count++] = id;
}

/* Puts the rule that decided in front of the others; it is there even where some had no room. */
static void note_decisive(struct judgement *out, const char *id)
{
    size_t at = 0;
    while (at < out->rules_count && strcmp(out->rules[at], id) != 0)
        at++;
    if (at == out->rules_count && at < JUDGEMENT_RULES_MAX)
        out->rules_count++;
    else if (at == out->rules_count)
        at--;
    memmove(out->rules + 1, out->rules, at * sizeof out->rules[0]);
    out->rules[0] = id;
}

static bool is_worse(const struct rule *a, const struct rule *b)
{
    return !b || a->action > b->action || (a->action == b->action && a->risk > b->risk);
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

static void explain(struct judgement *out, const struct verdict_of_rules *worst)
{
    char command[128];
    show_command(command, sizeof command, worst->command);
    char reason[512];
    snprintf(reason, sizeof reason, "\"%s\" %s.", command, worst->rule->description);
    text_copy(out->reason, sizeof out->reason, reason);
    if (out->decision != DECISION_ALLOW)
        text_copy(out->hint, sizeof out->hint, worst->rule->hint);
}

/* A command of unknown name that is given a path of the system is worse than any unknown one. */
static bool names_system_path(const struct facts *f, const struct policy_context *context)
{
    for (const struct command_fact *c = f->first; c; c = c->next)
        for (size_t i = 1; !c->name && i < c->argv.count; i++)
            if (path_classes(context, c->cwds, &c->argv.items[i]) &
                    (PATH_ROOT | PATH_SYSTEM | PATH_DEVICE | PATH_HOME) &&
                strchr(c->argv.items[i].text, '/'))
                return true;
    return false;
}

static void judge_trouble(const struct facts *f, const struct policy_context *context,
                          struct judgement *out)
{
    out->unanalysable = true;
    bool high = f->trouble.kinds & TROUBLE_CODE || names_system_path(f, context);
    enum policy_risk risk = high ? RISK_HIGH : RISK_MEDIUM;
    if (out->risk < risk)
        out->risk = risk;
    if (out->decision >= DECISION_REQUIRE_APPROVAL) {
        note_rule(out, POLICY_UNANALYSABLE);
        return;
    }
    note_decisive(out, POLICY_UNANALYSABLE);
    out->decision = DECISION_REQUIRE_APPROVAL;
    snprintf(out->reason, sizeof out->reason, "The command cannot be analysed: %s.",
             f->trouble.why);
    text_copy(out->hint, sizeof out->hint,
              "Write the command out plainly, with literal names and no code that it computes.");
}

void policy_judge(const struct facts *f, const struct policy_context *context,
                  struct rule_set rules, struct judgement *out)
{
    struct verdict_of_rules worst = {0};
    *out = (struct judgement){0};
    for (const struct command_fact *c = f->first; c; c = c->next) {
        for (size_t i = 0; i < rules.count; i++) {
            const struct rule *rule = &rules.rules[i];
            if (!match_rule(&rule->match, context, c))
                continue;
            note_rule(out, rule->id);
            if (rule->risk > out->risk)
                out->risk = rule->risk;
            if (is_worse(rule, worst.rule))
                worst = (struct verdict_of_rules){rule, c};
        }
    }
    if (worst.rule && worst.rule->action == ACTION_DENY)
        out->decision = DECISION_DENY;
    else if (worst.rule && worst.rule->action == ACTION_REQUIRE_APPROVAL)
        out->decision = DECISION_REQUIRE_APPROVAL;
    text_copy(out->reason, sizeof out->reason, "No rule matched.");
    if (worst.rule) {
        note_decisive(out, worst.rule->id);
        explain(out, &worst);
    }
    if (f->trouble.kinds)
        judge_trouble(f, context, out);
}
