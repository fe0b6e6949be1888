/* decide.c - may this act happen? See decide.h. */
#include "guardian/decide.h"
#include "guardian/script.h"

#include "base/scope.h"
#include "base/text.h"

#include <stdio.h>
#include <string.h>

enum {
    ARGV_MAX = 1024,  /* act.argv's own bound */
    TAGS_MAX = 2 * 16 /* verdict_request.tags' own, and as many of the agent's */
};

static int check_environment(struct list env, struct err *err)
{
    for (struct view v; list_next_text(&env, &v);)
        if (!v.len || *v.data == '=' || *v.data == '-' || !memchr(v.data, '=', v.len))
            return err_set(err, ERR_INVALID, "act.env: a variable is NAME=value");
    return 0;
}

static int check_form(const struct act *act, struct err *err)
{
    bool is_command = !strcmp(act->operation, "command_execute");
    if (!is_command && strcmp(act->operation, "sandbox_create") != 0)
        return err_set(err, ERR_INVALID, "act.operation: %s is not judged", act->operation);
    if (is_command && (act->argv.count > 0) == (act->script.len > 0))
        return err_set(err, ERR_INVALID, "act: a command has argv or script, one of the two");
    if (!is_command && (act->argv.count || act->script.len || act->scripts.count))
        return err_set(err, ERR_INVALID, "act: a sandbox is made without a command");
    if (act->cwd[0] && act->cwd[0] != '/')
        return err_set(err, ERR_INVALID, "act.cwd: must begin with /");
    return volume_check_places(act->mounts, &message_mount, err) || check_environment(act->env, err)
               ? -1
               : 0;
}

void decide_refuse(struct judgement *out, enum policy_risk risk, const char *rule,
                   const char *reason, const char *hint)
{
    *out = (struct judgement){.decision = DECISION_DENY, .risk = risk};
    out->rules[out->rules_count++] = rule;
    text_copy(out->reason, sizeof out->reason, reason);
    text_copy(out->hint, sizeof out->hint, hint);
}

static void refuse_agent(const struct act *act, struct judgement *out)
{
    char reason[sizeof out->reason];
    snprintf(reason, sizeof reason, "Agent %s is not approved for sandbox operations", act->agent);
    decide_refuse(out, RISK_HIGH, DENIAL_NOT_APPROVED, reason,
                  "Ask an operator to approve it: corral approve-agent NAME.");
}

/* The value of a variable when this is one, NUL-terminated in `to`. */
static bool take_value(struct view variable, const char *name, char *to, size_t size)
{
    size_t n = strlen(name);
    if (variable.len <= n || memcmp(variable.data, name, n) != 0 || variable.data[n] != '=')
        return false;
    return text_copy_view(to, size, (struct view){variable.data + n + 1, variable.len - n - 1});
}

/* What rules see of an act besides its command. */
struct places {
    char home[1025];
    char tags_text[16 * 130 + 256];
    const char *tags[TAGS_MAX];
    struct policy_context context;
    struct facts_setting setting;
};

/* Adds a tag; one for which there is no room is one that the bounds of the schema do not let
 * through. */
static void add_tag(struct places *p, struct view tag, size_t *used)
{
    if (!tag.len || p->context.tags_count == TAGS_MAX || tag.len >= sizeof p->tags_text - *used)
        return;
    char *to = p->tags_text + *used;
    text_copy_view(to, tag.len + 1, tag);
    p->tags[p->context.tags_count++] = to;
    *used += tag.len + 1;
}

/* The sandbox's tags, and the agent's: "key=value, a comma between". */
static void find_tags(const struct decide_setting *setting, struct places *p)
{
    size_t used = 0;
    struct list rest = setting->tags;
    for (struct view tag; list_next_text(&rest, &tag);)
        add_tag(p, tag, &used);
    for (const char *at = setting->agent->settings.tags; *at;) {
        size_t len = strcspn(at, ",");
        add_tag(p, (struct view){(const uint8_t *)at, len}, &used);
        at += len + (at[len] == ',');
    }
    p->context.tags = p->tags;
}

static void find_places(const struct act *act, const struct decide_setting *setting,
                        struct places *p)
{
    char value[sizeof p->home];
    text_copy(p->home, sizeof p->home, DECIDE_WORKSPACE);
    struct list env = act->env;
    for (struct view v; list_next_text(&env, &v);)
        if (take_value(v, "HOME", value, sizeof value) && value[0] == '/')
            text_copy(p->home, sizeof p->home, value);
    const char *cwd = act->cwd[0] ? act->cwd : DECIDE_WORKSPACE;
    p->context = (struct policy_context){.cwd = cwd,
                                         .home = p->home,
                                         .workspace = DECIDE_WORKSPACE,
                                         .text = act->script,
                                         .tenant = act->tenant,
                                         .agent = act->agent,
                                         .network = NETWORK_NONE, /* no sandbox has another */
                                         .now_s = setting->now_s};
    p->setting = (struct facts_setting){cwd, p->home};
    find_tags(setting, p);
}

static void judge_command(struct facts *room, const struct act *act, const struct places *p,
                          const struct ruleset *rules, struct judgement *out)
{
    struct view argv[ARGV_MAX];
    size_t argc = 0;
    struct list rest = act->argv;
    while (argc < COUNT(argv) && list_next_text(&rest, &argv[argc]))
        argc++;
    if (argc)
        facts_read_argv(room, &p->setting, argv, argc);
    else
        facts_read_shell(room, &p->setting, act->script);
    policy_judge(room, &p->context, rules, out);
}

/* Judges one variable as env(1) would set it, for a command that does nothing. */
static void judge_variable(struct facts *room, struct view variable, const struct places *p,
                           const struct ruleset *rules, struct judgement *out)
{
    const struct view argv[] = {view_of("env"), variable, view_of("true")};
    facts_read_argv(room, &p->setting, argv, COUNT(argv));
    policy_judge(room, &p->context, rules, out);
    size_t name_len =
        (size_t)((const uint8_t *)memchr(variable.data, '=', variable.len) - variable.data);
    char name[40], reason[sizeof out->reason + 64];
    SCOPED(bytes_close) struct bytes shown = bytes_open(1024);
    struct err err;
    bool is_shown = !text_show(&shown, variable.data, name_len < 64 ? name_len : 64, &err);
    text_copy(name, sizeof name, is_shown ? (const char *)shown.data : "a variable");
    snprintf(reason, sizeof reason, "In the environment, %s: %s", name, out->reason);
    text_copy(out->reason, sizeof out->reason, reason);
}

/* Each volume as the rules see it; its ACLs have allowed it. */
static void judge_mounts(struct facts *room, const struct act *act, const struct places *p,
                         const struct ruleset *rules, struct judgement *all)
{
    struct judgement one;
    struct mount m;
    struct list rest = act->mounts;
    while (list_next(&rest, &message_mount, &m)) {
        bool writable = !strcmp(m.mode, "rw");
        policy_judge_file(room, &p->context, rules, OP_VOLUME_MOUNT, m.real_path, writable, &one);
        judgement_add(all, &one);
    }
}

static void judge_scripts(struct facts *room, const struct act *act, const struct places *p,
                          const struct ruleset *rules, struct judgement *all)
{
    struct judgement one;
    struct script script;
    struct list rest = act->scripts;
    while (list_next(&rest, &message_script, &script)) {
        script_judge(room, &script, &p->context, &p->setting, rules, &one);
        judgement_add(all, &one);
    }
    if (!act->more_scripts)
        return;
    facts_read_argv(room, &p->setting, &(struct view){(const uint8_t *)"true", 4}, 1);
    trouble_add(&room->trouble, TROUBLE_TOO_LARGE, "it runs more files than are looked at");
    policy_judge(room, &p->context, rules, &one);
    judgement_add(all, &one);
}

/* What will hold has to hold something: none of it may be nothing. */
static bool limits_hold(const struct limits *l, const char **missing)
{
    const struct {
        const char *name;
        int64_t value;
    } rows[] = {{"cpu_millis", l->cpu_millis},
                {"memory_mb", l->memory_mb},
                {"pids", l->pids},
                {"workspace_mb", l->workspace_mb},
                {"exec_timeout_ms", l->exec_timeout_ms}};
    for (size_t i = 0; i < COUNT(rows); i++)
        if (!rows[i].value) {
            *missing = rows[i].name;
            return false;
        }
    return true;
}

int decide(struct facts *room, const struct act *act, const struct decide_setting *setting,
           struct judgement *out, struct err *err)
{
    const struct ruleset *rules = setting->rules;
    const char *missing;
    if (check_form(act, err))
        return -1;
    if (!setting->agent) {
        refuse_agent(act, out);
        return 0;
    }
    struct places places;
    find_places(act, setting, &places);
    struct judgement all = {.reason = "A sandbox within limits."}, one;
    if (!strcmp(act->operation, "command_execute"))
        judge_command(room, act, &places, rules, &all);
    judge_scripts(room, act, &places, rules, &all);
    struct list env = act->env;
    for (struct view v; list_next_text(&env, &v);) {
        judge_variable(room, v, &places, rules, &one);
        judgement_add(&all, &one);
    }
    if (all.decision != DECISION_DENY && !strcmp(act->operation, "sandbox_create")) {
        volume_judge(act->mounts, act->tenant, act->agent, setting->acls, &one);
        judgement_add(&all, &one);
        judge_mounts(room, act, &places, rules, &all);
    }
    if (all.decision != DECISION_DENY && !limits_hold(&act->limits, &missing)) {
        char reason[sizeof all.reason];
        snprintf(reason, sizeof reason, "The limit %s is 0: nothing would hold the sandbox.",
                 missing);
        decide_refuse(&all, RISK_HIGH, DENIAL_LIMITS, reason, "Leave it out to get the default.");
    }
    *out = all;
    return 0;
}
