/* examples.c - every rule is tried on its own examples before it is let into a set. */
#include "base/scope.h"
#include "base/text.h"
#include "engine/policy/match.h"

#include <string.h>

/* Where examples run; the same as where the guardian's corpus does. */
static const struct policy_context setting = {
    .cwd = "/workspace", .home = "/home/agent", .workspace = "/workspace"};

static bool holds_for(const struct ruleset *set, const struct rule *rule, struct facts *f,
                      const char *command)
{
    struct policy_context context = setting;
    context.text = view_of(command);
    facts_read_shell(f, &(struct facts_setting){setting.cwd, setting.home}, context.text);
    struct feeds feeds = {.questions = &set->questions};
    struct subject s = {
        .facts = f, .context = &context, .known_hosts = &set->known_hosts, .feeds = &feeds};
    subject_begin(&s);
    for (const struct command_fact *c = f->first; c; c = c->next) {
        subject_turn(&s, c, OP_EXEC);
        if (rule_holds(rule, &s))
            return true;
    }
    return false;
}

static int check(const struct reading_rules *r, const struct rule *rule, struct facts *f)
{
    for (int yes = 0; yes <= 1; yes++) {
        for (size_t i = 0; i < rule->examples_count[yes]; i++) {
            const char *command = rule->examples[yes][i];
            if (holds_for(r->set, rule, f, command) == (bool)yes)
                continue;
            SCOPED(bytes_close) struct bytes shown = bytes_open(4096);
            struct err err;
            size_t len = strlen(command);
            bool fits = !text_show(&shown, command, len < 120 ? len : 120, &err);
            return err_set(r->err, ERR_CONFIG, "%s:%d:1: rule %s %s its example: %s", rule->file,
                           rule->line, rule->id, yes ? "does not match" : "matches, but must not,",
                           fits ? (const char *)shown.data : "");
        }
    }
    return 0;
}

int rules_check_examples(struct reading_rules *r)
{
    SCOPED(facts_close) struct facts f = {0};
    for (size_t i = 0; i < r->set->count; i++)
        if (check(r, r->set->rules[i], &f))
            return -1;
    return 0;
}
