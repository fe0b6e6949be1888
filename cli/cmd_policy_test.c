/* corral policy test: rules against what is expected of them. Loading the rules has run their
 * examples; cases are lines of JSON: {"command", "expect": one decision or several, "min_risk"?,
 * "rule"?, "class"?}. */
#include "base/scope.h"
#include "base/text.h"
#include "cli/policy.h"
#include "cli/policy_room.h"
#include "cli/print.h"
#include "data/json.h"

#include <stdio.h>
#include <string.h>

enum { CLASSES_MAX = 256, DECISIONS = 3 };

struct class_count {
    char name[64];
    int64_t cases, misses;
};

struct tally {
    struct policy_setup *setup;
    struct class_count classes[CLASSES_MAX];
    size_t classes_count;
    int64_t cases, misses, dangerous, dangerous_allowed, benign, benign_stopped;
    bool quiet;
};

/* A line of a file of cases. */
struct test_case {
    struct view command;
    bool expects[DECISIONS];
    enum policy_risk least;
    char rule[80], class[64];
};

static int read_decision(struct view name, struct test_case *out, struct err *err)
{
    for (unsigned i = 0; i < DECISIONS; i++)
        if (view_equal(name, view_of(policy_decision_name(i)))) {
            out->expects[i] = true;
            return 0;
        }
    return err_set(err, ERR_INVALID, "expect: no decision \"%.*s\"", (int)name.len,
                   (const char *)name.data);
}

static int read_expect(struct view packed, struct test_case *out, struct err *err)
{
    struct value value;
    struct view at;
    int found = policy_get(packed, "expect", &value, &at, err);
    if (found <= 0)
        return found < 0 ? -1 : err_set(err, ERR_INVALID, "there is no \"expect\"");
    if (value.type == PACK_TEXT)
        return read_decision(value.bytes, out, err);
    if (value.type != PACK_ARRAY || !value.count)
        return err_set(err, ERR_INVALID, "expect: a decision or a list of them");
    for (uint32_t i = value.count; i; i--) {
        struct value each;
        if (pack_next(&at, &each, err))
            return -1;
        if (each.type != PACK_TEXT || read_decision(each.bytes, out, err))
            return err_set(err, ERR_INVALID, "expect: a decision or a list of them");
    }
    return 0;
}

/* The text of a key; empty when it is not there. */
static int read_text(struct view packed, const char *key, char *to, size_t size, struct err *err)
{
    struct value value;
    struct view at;
    int found = policy_get(packed, key, &value, &at, err);
    if (found < 0)
        return -1;
    if (found && (value.type != PACK_TEXT || !text_copy_view(to, size, value.bytes)))
        return err_set(err, ERR_INVALID, "%s: a text of less than %zu bytes", key, size);
    return 0;
}

static int read_case(struct view packed, struct test_case *out, struct err *err)
{
    struct value command;
    struct view at;
    char risk[16] = "";
    *out = (struct test_case){0};
    int found = policy_get(packed, "command", &command, &at, err);
    if (found < 0)
        return -1;
    if (!found || command.type != PACK_TEXT)
        return err_set(err, ERR_INVALID, "there is no text \"command\"");
    out->command = command.bytes;
    if (read_expect(packed, out, err) ||
        read_text(packed, "rule", out->rule, sizeof out->rule, err) ||
        read_text(packed, "class", out->class, sizeof out->class, err) ||
        read_text(packed, "min_risk", risk, sizeof risk, err))
        return -1;
    while (risk[0] && out->least < RISK_CRITICAL && strcmp(policy_risk_name(out->least), risk) != 0)
        out->least++;
    if (risk[0] && strcmp(policy_risk_name(out->least), risk) != 0)
        return err_set(err, ERR_INVALID, "min_risk: no risk \"%s\"", risk);
    return 0;
}

static struct class_count *class_of(struct tally *t, const char *name)
{
    for (size_t i = 0; i < t->classes_count; i++)
        if (!strcmp(t->classes[i].name, name))
            return &t->classes[i];
    if (t->classes_count == CLASSES_MAX) /* the last one takes what has no room */
        return &t->classes[CLASSES_MAX - 1];
    struct class_count *class = &t->classes[t->classes_count++];
    text_copy(class->name, sizeof class->name, name);
    return class;
}

static bool has_rule(const struct judgement *j, const char *id)
{
    for (size_t i = 0; i < j->rules_count; i++)
        if (!strcmp(j->rules[i], id))
            return true;
    return !id[0];
}

static void print_miss(const struct test_case *c, const struct judgement *j, const char *what)
{
    char rules[512] = "";
    size_t len = 0;
    for (size_t i = 0; i < j->rules_count && len < sizeof rules; i++)
        len += (size_t)snprintf(rules + len, sizeof rules - len, " %s", j->rules[i]);
    print_line("%s: %s: %.*s", what, c->class, (int)c->command.len, (const char *)c->command.data);
    print_line("    %s, risk %s;%s: %s", policy_decision_name(j->decision),
               policy_risk_name(j->risk), rules[0] ? rules : " no rule", j->reason);
}

/* What is wrong about a decision; NULL: nothing. */
static const char *miss_of(struct tally *t, const struct test_case *c, const struct judgement *j)
{
    bool may_allow = c->expects[DECISION_ALLOW];
    bool may_stop = c->expects[DECISION_DENY] || c->expects[DECISION_REQUIRE_APPROVAL];
    bool allowed = j->decision == DECISION_ALLOW;
    t->dangerous += !may_allow;
    t->dangerous_allowed += !may_allow && allowed;
    t->benign += !may_stop;
    t->benign_stopped += !may_stop && !allowed;
    if (!may_allow && allowed)
        return "dangerous, allowed";
    if (!may_stop && !allowed)
        return "benign, stopped";
    if (!c->expects[j->decision])
        return "another decision";
    if (j->risk < c->least)
        return "too low a risk";
    return has_rule(j, c->rule) ? NULL : "without its rule";
}

static int on_case(void *context, struct view packed, struct err *err)
{
    struct tally *t = context;
    struct test_case c;
    struct judgement j;
    if (read_case(packed, &c, err))
        return -1;
    policy_room_text(t->setup->room, &t->setup->context, t->setup->set, c.command, &j);
    struct class_count *class = class_of(t, c.class);
    const char *miss = miss_of(t, &c, &j);
    t->cases++;
    class->cases++;
    t->misses += miss != NULL;
    class->misses += miss != NULL;
    if (miss && !t->quiet)
        print_miss(&c, &j, miss);
    return 0;
}

static int print_summary(const struct cli *cli, const struct tally *t, struct err *err)
{
    static const struct column columns[] = {
        {.name = "CLASS"}, {.name = "CASES", .right = true}, {.name = "MISSES", .right = true}};
    SCOPED(table_close) struct table table = table_open(columns, COUNT(columns));
    for (size_t i = 0; i < t->classes_count; i++) {
        const struct class_count *c = &t->classes[i];
        if (table_cell(&table, PLAIN, err, "%s", c->name) ||
            table_cell(&table, PLAIN, err, "%lld", (long long)c->cases) ||
            table_cell(&table, c->misses ? RED : PLAIN, err, "%lld", (long long)c->misses))
            return -1;
    }
    if (t->classes_count && print_table(cli, &table, err))
        return -1;
    size_t examples = 0, rules = ruleset_count(t->setup->set);
    for (size_t i = 0; i < rules; i++)
        for (int yes = 0; yes <= 1; yes++)
            examples += ruleset_at(t->setup->set, i)->examples_count[yes];
    printf("%zu rules, %zu examples as expected\n", rules, examples);
    printf("%lld cases, %lld misses; dangerous allowed: %lld of %lld; benign stopped: %lld of "
           "%lld\n",
           (long long)t->cases, (long long)t->misses, (long long)t->dangerous_allowed,
           (long long)t->dangerous, (long long)t->benign_stopped, (long long)t->benign);
    return 0;
}

static int print_as_json(const struct tally *t, struct err *err)
{
    SCOPED(bytes_close) struct bytes packed = bytes_open(4096);
    SCOPED(bytes_close) struct bytes text = bytes_open(4096);
    const struct {
        const char *name;
        int64_t count;
    } rows[] = {{"rules", (int64_t)ruleset_count(t->setup->set)},
                {"cases", t->cases},
                {"misses", t->misses},
                {"dangerous", t->dangerous},
                {"dangerous_allowed", t->dangerous_allowed},
                {"benign", t->benign},
                {"benign_stopped", t->benign_stopped}};
    struct pack p = pack_begin(&packed, err);
    pack_map(&p, COUNT(rows));
    for (size_t i = 0; i < COUNT(rows); i++) {
        pack_text(&p, rows[i].name);
        pack_int(&p, rows[i].count);
    }
    if (pack_end(&p) || json_from_pack(bytes_view(&packed), 2, &text, err))
        return -1;
    printf("%s\n", (const char *)text.data);
    return 0;
}

int policy_test(struct cli *cli, int argc, char **argv, struct err *err)
{
    SCOPED(policy_close) struct policy_setup setup = {0};
    struct tally tally = {.setup = &setup};
    struct texts files = {0};
    struct option options[POLICY_OPTIONS + 2] = {
        {"cases", 0, "FILE", option_list, &files, "Lines of JSON; may be given several times."},
    };
    policy_options(&setup, options + 1);
    struct args args;
    if (command_parse(cli, options, argc, argv, &args, err))
        return -1;
    if (args.help)
        return 0;
    tally.quiet = cli->json || cli->quiet;
    if (policy_load(&setup, NULL, err))
        return -1;
    const struct policy_lines lines = {.each = on_case, .context = &tally};
    for (size_t i = 0; i < files.count; i++)
        if (policy_each_line(files.items[i], &lines, err))
            return -1;
    if (cli->json ? print_as_json(&tally, err) : print_summary(cli, &tally, err))
        return -1;
    return tally.misses ? 1 : 0;
}
