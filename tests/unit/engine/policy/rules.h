/* rules.h - what the tests of rule sets share: sets from texts, commands judged by them. */
#pragma once

#include "base/scope.h"
#include "engine/policy/judge.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

/* The beginning of a rule that denies; its match follows. */
#define DENIES "[[rule]]\nid = 't'\ndescription = 'is tested'\nrisk = 'high'\naction = 'deny'\n"

static inline struct policy_context rules_context(void)
{
    return (struct policy_context){
        .cwd = "/workspace", .home = "/home/agent", .workspace = "/workspace"};
}

/* The builtin rules and those of a text, which "schema = 1" is put in front of. */
static inline int rules_load(enum policy_tier tier, const char *text, struct ruleset **out,
                             struct err *err)
{
    SCOPED(bytes_close) struct bytes whole = bytes_open(1 << 20);
    assert_int_equal(bytes_addf(&whole, err, "schema = 1\n%s", text), 0);
    const struct ruleset_source source = {
        .tier = tier, .path = "test.toml", .text = bytes_view(&whole)};
    return ruleset_load(&(struct ruleset_options){.sources = &source, .sources_count = 1}, out,
                        err);
}

static inline struct ruleset *rules_of(const char *text)
{
    struct err err;
    struct ruleset *set = NULL;
    if (rules_load(TIER_TENANT, text, &set, &err))
        fail_msg("%s", err.text);
    return set;
}

static inline struct judgement
rules_judge(const struct ruleset *set, const struct policy_context *context, const char *command)
{
    SCOPED(facts_close) struct facts f = {0};
    struct judgement j;
    struct policy_context with_text = *context;
    with_text.text = view_of(command);
    facts_read_shell(&f, &(struct facts_setting){context->cwd, context->home}, with_text.text);
    policy_judge(&f, &with_text, set, &j);
    return j;
}

static inline bool rules_has(const struct judgement *j, const char *id)
{
    for (size_t i = 0; i < j->rules_count; i++)
        if (!strcmp(j->rules[i], id))
            return true;
    return false;
}

/* Whether a rule with this match holds for a command. */
static inline bool rules_match(const char *match, const char *command)
{
    SCOPED(bytes_close) struct bytes text = bytes_open(65536);
    struct err err;
    bool raises = strstr(match, "raw_regex") != NULL;
    assert_int_equal(bytes_addf(&text, &err,
                                "[[rule]]\nid = 't'\ndescription = 'd'\nrisk = 'critical'\n"
                                "action = '%s'\n[rule.match]\n%s\n",
                                raises ? "flag" : "deny", match),
                     0);
    SCOPED(ruleset_free) struct ruleset *set = rules_of((const char *)text.data);
    struct policy_context context = rules_context();
    struct judgement j = rules_judge(set, &context, command);
    return rules_has(&j, "t");
}
