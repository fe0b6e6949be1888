/* judge.c - see judge.h. */
#include "engine/policy/judge.h"

#include "base/scope.h"
#include "base/text.h"
#include "engine/policy/match.h"
#include "engine/policy/message.h"
#include "engine/policy/when.h"

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

/* A rule that matched, and on what; milder than the rule where an override says so. */
struct hit {
    const struct rule *rule;
    const struct command_fact *command;
    bool is_of_text; /* the match is about the whole text */
    enum policy_action action;
    enum policy_risk risk;
};

/* What is found while every rule is tried on every record. */
struct trial {
    struct subject subject;
    struct judgement *out;
    struct hit hits[JUDGEMENT_RULES_MAX]; /* the most severe, most severe first */
    size_t hits_count;
    enum policy_action would; /* of rules that are not enforced */
    bool any;                 /* something matched the record at hand */
};

static bool is_worse(const struct hit *a, const struct hit *b)
{
    if (a->action != b->action)
        return a->action > b->action;
    if (a->risk != b->risk)
        return a->risk > b->risk;
    if (a->rule == b->rule) /* what names a command says more than what names the text */
        return !a->is_of_text && b->is_of_text;
    return a->rule->index < b->rule->index;
}

/* Keeps the list in order and every id once; where there is no room the mildest one goes. */
static void note_hit(struct trial *t, const struct hit *hit)
{
    size_t at = 0;
    while (at < t->hits_count && strcmp(t->hits[at].rule->id, hit->rule->id) != 0)
        at++;
    if (at == JUDGEMENT_RULES_MAX)
        at--;
    else if (at == t->hits_count)
        t->hits[t->hits_count++] = *hit;
    if (is_worse(hit, &t->hits[at]))
        t->hits[at] = *hit;
    for (; at && is_worse(&t->hits[at], &t->hits[at - 1]); at--) {
        struct hit milder = t->hits[at - 1];
        t->hits[at - 1] = t->hits[at];
        t->hits[at] = milder;
    }
}

static void note_aside(const char **ids, size_t *count, const char *id)
{
    for (size_t i = 0; i < *count; i++)
        if (!strcmp(ids[i], id))
            return;
    if (*count < JUDGEMENT_ASIDE_MAX)
        ids[(*count)++] = id;
}

/* What the overrides leave of a hit: the mildest that one of them says. False: nothing. */
static bool soften(struct trial *t, struct hit *hit)
{
    enum policy_action action = hit->action;
    for (size_t i = 0; i < hit->rule->overrides_count; i++) {
        const struct rule_override *o = hit->rule->overrides[i];
        if (o->action >= action || !override_holds(o, t->subject.context))
            continue;
        bool holds = !o->only;
        for (const struct rule_match *m = o->only; m && !holds; m = m->next)
            holds = match_holds(m, &t->subject);
        if (holds && !subject_is_spent(&t->subject))
            action = o->action;
    }
    if (action == hit->action)
        return true;
    note_aside(t->out->exempted, &t->out->exempted_count, hit->rule->id);
    hit->action = action;
    if (action < ACTION_REQUIRE_APPROVAL)
        hit->risk = RISK_LOW;
    else if (hit->risk > RISK_HIGH)
        hit->risk = RISK_HIGH; /* or the floor for critical would take the override back */
    return action != ACTION_ALLOW;
}

static void on_match(void *context, const struct rule *rule)
{
    struct trial *t = context;
    struct hit hit = {rule, t->subject.c, match_asks_text(t->subject.match), rule->action,
                      rule->risk};
    /* a rule file that the sandbox may write makes no command known */
    t->any |= rule->tier <= TIER_TENANT && rule->enforced;
    if (!rule->enforced) {
        note_aside(t->out->shadow, &t->out->shadow_count, rule->id);
        if (rule->action > t->would)
            t->would = rule->action;
        return;
    }
    if (rule->overrides_count && !soften(t, &hit))
        return;
    note_hit(t, &hit);
    if (hit.risk > t->out->risk)
        t->out->risk = hit.risk;
}

static void explain(struct trial *t)
{
    struct judgement *out = t->out;
    const struct hit *worst = &t->hits[0];
    char command[128], does[256], reason[640];
    message_command(command, sizeof command, worst->command);
    message_text(does, sizeof does, worst->rule->description);
    if (worst->is_of_text)
        snprintf(reason, sizeof reason, "The text %s: %s.", does, t->subject.facts->trouble.why);
    else
        snprintf(reason, sizeof reason, "\"%s\" %s.", command, does);
    text_copy(out->reason, sizeof out->reason, reason);
    if (out->decision == DECISION_ALLOW)
        return;
    subject_turn(&t->subject, worst->command, t->subject.op);
    message_fill(out->hint, sizeof out->hint, worst->rule, &t->subject);
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
    enum { TOO_MUCH = TROUBLE_TOO_LARGE | TROUBLE_TOO_DEEP | TROUBLE_MEMORY };
    struct judgement *out = t->out;
    struct facts *f = t->subject.facts;
    bool high =
        !t->subject.context->is_script && (f->trouble.kinds & TROUBLE_CODE || names_system_path(t));
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
    text_copy(
        out->hint, sizeof out->hint,
        f->trouble.kinds & TOO_MUCH
            ? "Run it in smaller parts."
            : "Write the command out plainly, with literal names and no code that it computes.");
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
static bool try_all(struct trial *t, const struct ruleset *set, enum policy_op op)
{
    bool unmatched = false;
    struct facts *f = t->subject.facts;
    subject_begin(&t->subject);
    for (const struct command_fact *c = f->first; c && !subject_is_spent(&t->subject);
         c = c->next) {
        t->any = false;
        subject_turn(&t->subject, c, op);
        rules_try(set, &t->subject, on_match, t);
        unmatched |= !t->any && c->name && *c->name;
    }
    if (subject_is_spent(&t->subject))
        trouble_add(&f->trouble, TROUBLE_TOO_LARGE, "it has too much for the rules to look at");
    return unmatched;
}

/* No decision is milder than its risk allows, and none waits for somebody who is not there. */
static void settle(struct judgement *out, const struct policy_defaults *defaults,
                   const struct policy_context *context)
{
    enum policy_decision least = decision_of(defaults->risk_floor[out->risk]);
    if (out->decision < least) {
        out->decision = least;
        if (!out->hint[0])
            text_copy(out->hint, sizeof out->hint, "Ask the operator.");
    }
    if (out->decision == DECISION_REQUIRE_APPROVAL && context->no_approver)
        out->decision = decision_of(defaults->no_approver);
}

static void finish(struct judgement *out, const struct policy_defaults *defaults,
                   const struct policy_context *context, enum policy_action would)
{
    settle(out, defaults, context);
    out->would = decision_of(would) > out->decision ? decision_of(would) : out->decision;
}

static void judge_own(struct facts *f, const struct policy_context *context,
                      const struct ruleset *set, enum policy_op op, struct judgement *out)
{
    struct feeds feeds = {.questions = &set->questions};
    struct trial t = {.subject = {.facts = f,
                                  .context = context,
                                  .known_hosts = &set->known_hosts,
                                  .feeds = &feeds},
                      .out = out};
    *out = (struct judgement){0};
    t.subject.paths = arena_new(&f->arena, f->count + 1, sizeof *t.subject.paths);
    bool unmatched = try_all(&t, set, op);
    for (size_t i = 0; i < t.hits_count; i++)
        out->rules[out->rules_count++] = t.hits[i].rule->id;
    text_copy(out->reason, sizeof out->reason, "No rule matched.");
    if (t.hits_count) {
        out->decision = decision_of(t.hits[0].action);
        explain(&t);
    }
    if (unmatched)
        judge_unmatched(&t, &set->defaults.unmatched);
    if (f->trouble.kinds)
        judge_trouble(&t, context->is_script ? &set->defaults.unanalysable_script
                                             : &set->defaults.unanalysable);
    finish(out, &set->defaults, context, t.would);
}

static size_t place_of(const char *const *ids, size_t count, const char *id)
{
    size_t at = 0;
    while (at < count && strcmp(ids[at], id) != 0)
        at++;
    return at;
}

static void put_first(struct judgement *out, const char *id)
{
    size_t at = place_of(out->rules, out->rules_count, id);
    if (at < out->rules_count)
        memmove(out->rules + at, out->rules + at + 1,
                (--out->rules_count - at) * sizeof out->rules[0]);
    add_id(out, id, true);
}

/* A layer makes a rule of its base more severe. */
static void raise_rule(struct judgement *out, const struct rule *rule)
{
    enum policy_decision decision = decision_of(rule->action);
    if (!rule->enforced) {
        note_aside(out->shadow, &out->shadow_count, rule->id);
        out->would = decision > out->would ? decision : out->would;
        return;
    }
    if (rule->risk > out->risk)
        out->risk = rule->risk;
    if (decision <= out->decision)
        return;
    out->decision = decision;
    put_first(out, rule->id);
    char does[256];
    message_text(does, sizeof does, rule->description);
    snprintf(out->reason, sizeof out->reason, "The command %.240s.", does);
    if (!out->hint[0])
        message_text(out->hint, sizeof out->hint,
                     strchr(rule->message, '{') ? "Ask the operator." : rule->message);
}

/* Also a rule that an override takes away from the base: a layer wants it all the same. */
static void raise_all(struct judgement *out, const struct policy_context *context,
                      const struct ruleset *set)
{
    for (size_t i = 0; i < set->count; i++) {
        const struct rule *rule = set->rules[i];
        bool matched = place_of(out->rules, out->rules_count, rule->id) < out->rules_count ||
                       place_of(out->exempted, out->exempted_count, rule->id) < out->exempted_count;
        if (!rule->matches && matched && when_holds(&rule->when, context) &&
            when_holds(&rule->scope, context))
            raise_rule(out, rule);
    }
    settle(out, &set->defaults, context);
    if (out->would < out->decision)
        out->would = out->decision;
}

static void judge(struct facts *f, const struct policy_context *context, const struct ruleset *set,
                  enum policy_op op, struct judgement *out)
{
    struct judgement own;
    if (!set->base) {
        judge_own(f, context, set, op, out);
        return;
    }
    judge(f, context, set->base, op, out);
    judge_own(f, context, set, op, &own);
    judgement_add(out, &own);
    raise_all(out, context, set);
}

void policy_judge(struct facts *f, const struct policy_context *context, const struct ruleset *set,
                  struct judgement *out)
{
    judge(f, context, set, OP_EXEC, out);
}

/* Facts of one record that no command made. */
static void begin_record(struct facts *room, struct command_fact *c, struct cwds *cwds,
                         const struct policy_context *context)
{
    arena_clear(&room->arena);
    room->trouble = (struct trouble){0};
    *cwds = (struct cwds){.path = {context->cwd}, .count = 1};
    *c = (struct command_fact){.name = "", .cwds = cwds};
    room->first = c;
    room->tail = &c->next;
    room->count = 1;
}

void policy_judge_file(struct facts *room, const struct policy_context *context,
                       const struct ruleset *set, enum policy_op op, const char *path,
                       bool writable, struct judgement *out)
{
    struct command_fact c;
    struct cwds cwds;
    struct file_fact file = {.path = arg_literal(path), .recursive = op == OP_VOLUME_MOUNT};
    file.touches = op == OP_FILE_DELETE  ? TOUCH_DELETE
                   : op == OP_FILE_WRITE ? TOUCH_WRITE
                   : writable            ? TOUCH_READ | TOUCH_WRITE
                                         : TOUCH_READ;
    begin_record(room, &c, &cwds, context);
    c.files = &file;
    judge(room, context, set, op, out);
    room->first = NULL; /* it is of this call's stack */
    room->tail = &room->first;
    room->count = 0;
}

static bool is_local(const char *host)
{
    return !strcmp(host, "localhost") || !strncmp(host, "127.", 4) || !strcmp(host, "::1");
}

void policy_judge_net(struct facts *room, const struct policy_context *context,
                      const struct ruleset *set, enum policy_op op, const char *host, unsigned port,
                      struct judgement *out)
{
    struct command_fact c;
    struct cwds cwds;
    const struct host_fact fact = {
        .name = host, .port = port, .is_local = is_local(host), .listens = op == OP_NET_LISTEN};
    begin_record(room, &c, &cwds, context);
    c.hosts = &fact;
    judge(room, context, set, op, out);
    room->first = NULL;
    room->tail = &room->first;
    room->count = 0;
}
