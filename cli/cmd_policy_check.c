/* corral policy check: what the rules think of a command, of one or of a file of them. */
#include "base/scope.h"
#include "cli/policy.h"
#include "cli/policy_facts.h"
#include "cli/policy_room.h"
#include "cli/print.h"
#include "data/json.h"

#include <stdio.h>
#include <string.h>

enum { ARGV_MAX = 1024, LINE_BYTES = 1024 * 1024, SEEN_BYTES = 8 * 1024 * 1024 };

static int print_as_json(struct view command, const struct judgement *j, struct err *err)
{
    SCOPED(bytes_close) struct bytes line = bytes_open(LINE_BYTES);
    if (policy_json(command, j, &line, err) || bytes_add(&line, "\n", 1, err))
        return -1;
    fwrite(line.data, 1, line.len, stdout);
    return 0;
}

/* A batch of commands: every line that can be read is judged, whatever stands in the others. */
struct batch {
    struct policy_setup *setup;
    long wrong; /* lines that could not be read */
};

static int on_line(void *context, struct view packed, struct err *err)
{
    struct policy_setup *setup = ((struct batch *)context)->setup;
    struct value command;
    struct view at;
    struct judgement j;
    int found = policy_get(packed, "command", &command, &at, err);
    if (found < 0)
        return -1;
    if (!found || command.type != PACK_TEXT)
        return err_set(err, ERR_INVALID, "there is no text \"command\"");
    policy_room_text(setup->room, &setup->context, setup->set, command.bytes, &j);
    return print_as_json(command.bytes, &j, err);
}

static int on_wrong_line(void *context, long number, const struct err *why, struct err *err)
{
    ((struct batch *)context)->wrong++;
    SCOPED(bytes_close) struct bytes packed = bytes_open(LINE_BYTES);
    SCOPED(bytes_close) struct bytes line = bytes_open(LINE_BYTES);
    struct pack p = pack_begin(&packed, err);
    pack_map(&p, 2);
    pack_text(&p, "line");
    pack_int(&p, number);
    pack_text(&p, "error");
    pack_text(&p, why->text);
    if (pack_end(&p) || json_from_pack(bytes_view(&packed), 0, &line, err) ||
        bytes_add(&line, "\n", 1, err))
        return -1;
    fwrite(line.data, 1, line.len, stdout);
    return 0;
}

static int judge_batch(struct policy_setup *setup, const char *path, struct err *err)
{
    struct batch batch = {.setup = setup};
    const struct policy_lines lines = {on_line, on_wrong_line, &batch};
    if (policy_each_line(path, &lines, err))
        return -1;
    if (batch.wrong)
        return err_set(err, ERR_INVALID, "%s: %ld line%s could not be read", path, batch.wrong,
                       batch.wrong == 1 ? "" : "s");
    return 0;
}

static int print_ids(const struct cli *cli, const char *name, const char *const *ids, size_t count,
                     struct err *err)
{
    SCOPED(bytes_close) struct bytes text = bytes_open(4096);
    for (size_t i = 0; i < count; i++)
        if (bytes_addf(&text, err, "%s%s", i ? ", " : "", ids[i]))
            return -1;
    return print_fact(cli, name, err, "%s", text.data ? (const char *)text.data : "");
}

/* A judgement's sentences are safe for a terminal already: escaping them again would show each
 * backslash twice. */
static void print_sentence(const struct cli *cli, const char *name, const char *sentence)
{
    if (sentence[0])
        printf("%s%-14s%s %s\n", screen_colour(&cli->screen, DIM), name, screen_plain(&cli->screen),
               sentence);
}

/* The decision first, then every command with what was seen of it. */
static int print_for_people(const struct cli *cli, struct policy_setup *setup,
                            const struct judgement *j, struct err *err)
{
    SCOPED(bytes_close) struct bytes seen = bytes_open(SEEN_BYTES);
    printf("%s%s%s, risk %s\n", screen_colour(&cli->screen, policy_colour(j->decision)),
           policy_decision_name(j->decision), screen_plain(&cli->screen),
           policy_risk_name(j->risk));
    if (cli->quiet)
        return 0;
    print_sentence(cli, "reason", j->reason);
    print_sentence(cli, "instead", j->hint);
    if (print_ids(cli, "rules", j->rules, j->rules_count, err) ||
        print_ids(cli, "exempted", j->exempted, j->exempted_count, err) ||
        print_ids(cli, "not enforced", j->shadow, j->shadow_count, err) ||
        policy_facts_show(setup->room, &setup->context, setup->set, &cli->screen, &seen, err))
        return -1;
    fwrite(seen.data, 1, seen.len, stdout);
    return 0;
}

/* Exits as a run of the command would that is refused: 0 only when it is allowed. */
static int exit_code_of(const struct judgement *j)
{
    return j->decision == DECISION_ALLOW  ? 0
           : j->decision == DECISION_DENY ? err_exit_code(ERR_DENIED)
                                          : err_exit_code(ERR_APPROVAL_PENDING);
}

static int judge_argv(struct policy_setup *setup, const struct args *args, struct judgement *j,
                      struct bytes *shown, struct err *err)
{
    struct view argv[ARGV_MAX];
    if (args->count > ARGV_MAX)
        return err_set(err, ERR_INVALID, "more than %d arguments", ARGV_MAX);
    for (int i = 0; i < args->count; i++) {
        argv[i] = view_of(args->items[i]);
        if (bytes_addf(shown, err, "%s%s", i ? " " : "", args->items[i]))
            return -1;
    }
    policy_room_argv(setup->room, &setup->context, setup->set, argv, (size_t)args->count, j);
    return 0;
}

int policy_check(struct cli *cli, int argc, char **argv, struct err *err)
{
    SCOPED(policy_close) struct policy_setup setup = {0};
    const char *text = NULL, *batch = NULL;
    struct option options[POLICY_OPTIONS + 3] = {
        {"command", 'c', "'SHELL STRING'", option_text, &text, "What a shell would run."},
        {"batch", 0, "FILE", option_text, &batch,
         "Lines of JSON with a \"command\"; one line of JSON each; - is stdin."},
    };
    policy_options(&setup, options + 2);
    struct args args;
    if (command_parse(cli, options, argc, argv, &args, err))
        return -1;
    if (args.help)
        return 0;
    if ((text != NULL) + (batch != NULL) + (args.count > 0) != 1)
        return err_set(err, ERR_INVALID, "say one of -c TEXT, --batch FILE, -- ARGV…");
    if (policy_load(&setup, NULL, err))
        return -1;
    if (batch)
        return judge_batch(&setup, batch, err);
    SCOPED(bytes_close) struct bytes shown = bytes_open(LINE_BYTES);
    struct judgement j;
    if (text)
        policy_room_text(setup.room, &setup.context, setup.set, view_of(text), &j);
    else if (judge_argv(&setup, &args, &j, &shown, err))
        return -1;
    if (cli->json ? print_as_json(text ? view_of(text) : bytes_view(&shown), &j, err)
                  : print_for_people(cli, &setup, &j, err))
        return -1;
    return exit_code_of(&j);
}
