/* corral policy replay: what other rules would have decided about the commands of the record.
 *
 * Read newest first, page by page, so many rows at most. A command is judged as it was recorded:
 * who asked, where, in a sandbox with which tags, at that time. What was cut off in the record, had
 * secrets, or whose arguments can no longer be told apart, is counted and not judged; neither is
 * what something else than a rule denied. Rules that a sandbox brought along are not part of the
 * comparison.
 */
#include "base/mem.h"
#include "base/scope.h"
#include "base/text.h"
#include "cli/connect.h"
#include "cli/policy.h"
#include "cli/policy_room.h"
#include "cli/print.h"
#include "cli/units.h"
#include "data/json.h"
#include "engine/policy/denial.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    ROWS_DEFAULT = 20000,
    PAGE_ROWS = 500,
    CHANGES_MAX = 1000, /* distinct ones; more are counted only */
    WORDS_MAX = 1024,
    TAGS_MAX = 16,
    TAG_BYTES = 129,
    RULES_BYTES = 256,
    DECISIONS = 3,
    JSON_BYTES = 16 * 1024 * 1024
};

/* Begins what stands for a secret in the record (engine/record/redact.h). */
static const char REDACTED[] = "[redacted:";

/* A command whose decision would be another one. */
struct change {
    struct bytes command;
    enum policy_decision before, after;
    int64_t count;
    char rule_before[65];
    char rules_after[RULES_BYTES];
};

struct replay {
    struct policy_setup *setup;
    int64_t rows_left, judged, cut, redacted, ambiguous, others;
    int64_t counts[DECISIONS][DECISIONS]; /* before, after */
    bool ended_early;                     /* the record goes on behind the last row looked at */
    struct change *changes;
    size_t changes_count;
    int64_t more; /* changes that had no room */
};

static void replay_close(struct replay *r)
{
    for (size_t i = 0; i < r->changes_count; i++)
        bytes_close(&r->changes[i].command);
    free(r->changes);
}

static bool read_decision(const char *name, enum policy_decision *out)
{
    for (unsigned i = 0; i < DECISIONS; i++)
        if (!strcmp(policy_decision_name(i), name)) {
            *out = i;
            return true;
        }
    return false;
}

/* The arguments, when the blanks between them are the only ones. */
static bool split(struct view command, int64_t words, struct view argv[WORDS_MAX])
{
    int64_t count = 0;
    for (size_t at = 0, end = 0; end <= command.len; end++) {
        if (end < command.len && command.data[end] != ' ')
            continue;
        if (count == words || count == WORDS_MAX)
            return false;
        argv[count++] = (struct view){command.data + at, end - at};
        at = end + 1;
    }
    return count == words;
}

/* Who asked, where and when, as the record says. Tags are copied to `store`. */
static void stand_in(struct policy_context *context, const struct log_row *row,
                     char store[TAGS_MAX][TAG_BYTES], const char *tags[TAGS_MAX])
{
    struct view tag;
    size_t count = 0;
    for (struct list rest = row->tags; count < TAGS_MAX && list_next_text(&rest, &tag);)
        if (text_copy_view(store[count], TAG_BYTES, tag)) {
            tags[count] = store[count];
            count++;
        }
    context->tags = tags;
    context->tags_count = count;
    context->tenant = row->tenant;
    context->agent = row->agent;
    context->cwd = row->cwd[0] == '/' ? row->cwd : "/workspace";
    context->now_s = row->time_ns / 1000000000;
}

static struct change *find_change(struct replay *r, const struct log_row *row,
                                  enum policy_decision before, enum policy_decision after)
{
    for (size_t i = 0; i < r->changes_count; i++) {
        struct change *c = &r->changes[i];
        if (c->before == before && c->after == after &&
            view_equal(bytes_view(&c->command), row->whole_command))
            return c;
    }
    return NULL;
}

static int note_change(struct replay *r, const struct log_row *row, enum policy_decision before,
                       const struct judgement *j, struct err *err)
{
    struct change *c = find_change(r, row, before, j->decision);
    if (!c && r->changes_count == CHANGES_MAX) {
        r->more++;
        return 0;
    }
    if (!c) {
        c = &r->changes[r->changes_count++];
        *c = (struct change){
            .command = bytes_open(row->whole_command.len), .before = before, .after = j->decision};
        if (bytes_add(&c->command, row->whole_command.data, row->whole_command.len, err))
            return -1;
        text_copy(c->rule_before, sizeof c->rule_before, row->rule);
        size_t len = 0;
        for (size_t i = 0; i < j->rules_count && len < sizeof c->rules_after; i++)
            len += (size_t)snprintf(c->rules_after + len, sizeof c->rules_after - len, "%s%s",
                                    i ? ", " : "", j->rules[i]);
    }
    c->count++;
    return 0;
}

static int judge_row(struct replay *r, const struct log_row *row, struct err *err)
{
    char store[TAGS_MAX][TAG_BYTES];
    const char *tags[TAGS_MAX];
    struct view argv[WORDS_MAX];
    struct policy_setup *setup = r->setup;
    enum policy_decision before;
    struct judgement j;
    if (!row->whole_command.len || !read_decision(row->decision, &before))
        return 0; /* not judged by the guardian, or a result whose intent says it */
    if ((int64_t)row->whole_command.len < row->command_bytes) {
        r->cut++;
        return 0;
    }
    if (memmem(row->whole_command.data, row->whole_command.len, REDACTED, strlen(REDACTED))) {
        r->redacted++;
        return 0;
    }
    if (before == DECISION_DENY && denial_is_one(row->rule)) {
        r->others++;
        return 0;
    }
    stand_in(&setup->context, row, store, tags);
    if (!row->argv_words) {
        policy_room_text(setup->room, &setup->context, setup->set, row->whole_command, &j);
    } else if (split(row->whole_command, row->argv_words, argv)) {
        policy_room_argv(setup->room, &setup->context, setup->set, argv, (size_t)row->argv_words,
                         &j);
    } else {
        r->ambiguous++;
        return 0;
    }
    r->judged++;
    r->counts[before][j.decision]++;
    return before == j.decision ? 0 : note_change(r, row, before, &j, err);
}

static int read_all(struct replay *r, struct connect *connect, struct logs_query *query,
                    struct err *err)
{
    static const struct question question = {PART_AUDIT, "logs_query", &message_logs_query,
                                             &message_logs_page, CONNECT_ASK_MS};
    do {
        struct logs_page page;
        struct log_row row;
        query->limit = r->rows_left < PAGE_ROWS ? r->rows_left : PAGE_ROWS;
        if (connect_ask(connect, &question, query, &page, err))
            return -1;
        for (struct list rest = page.rows; list_next(&rest, &message_log_row, &row);)
            if (judge_row(r, &row, err))
                return -1;
        r->rows_left -= page.rows.count;
        query->cursor = page.next;
    } while (query->cursor && r->rows_left > 0);
    r->ended_early = query->cursor != 0;
    return 0;
}

static int64_t changed(const struct replay *r)
{
    int64_t count = 0;
    for (int before = 0; before < DECISIONS; before++)
        for (int after = 0; after < DECISIONS; after++)
            count += before == after ? 0 : r->counts[before][after];
    return count;
}

/* --- for people --- */

static int print_changes(const struct cli *cli, const struct replay *r, struct err *err)
{
    static const struct column columns[] = {{.name = "TIMES", .right = true},
                                            {.name = "WAS"},
                                            {.name = "WOULD BE"},
                                            {.name = "COMMAND", .shrinks = true},
                                            {.name = "RULE THEN", .shrinks = true},
                                            {.name = "RULES NOW", .shrinks = true}};
    SCOPED(table_close) struct table table = table_open(columns, COUNT(columns));
    for (size_t i = 0; i < r->changes_count; i++) {
        const struct change *c = &r->changes[i];
        if (table_cell(&table, PLAIN, err, "%lld", (long long)c->count) ||
            table_cell(&table, policy_colour(c->before), err, "%s",
                       policy_decision_name(c->before)) ||
            table_cell(&table, policy_colour(c->after), err, "%s",
                       policy_decision_name(c->after)) ||
            table_cell(&table, PLAIN, err, "%.*s", (int)c->command.len,
                       (const char *)c->command.data) ||
            table_cell(&table, DIM, err, "%s", c->rule_before) ||
            table_cell(&table, PLAIN, err, "%s", c->rules_after))
            return -1;
    }
    return r->changes_count ? print_table(cli, &table, err) : 0;
}

static int print_for_people(const struct cli *cli, const struct replay *r, struct err *err)
{
    if (!cli->quiet && print_changes(cli, r, err))
        return -1;
    if (r->more)
        print_line("… and %lld more", (long long)r->more);
    for (unsigned before = 0; before < DECISIONS; before++)
        for (unsigned after = 0; after < DECISIONS; after++)
            if (r->counts[before][after])
                print_line("%s -> %s: %lld%s", policy_decision_name(before),
                           policy_decision_name(after), (long long)r->counts[before][after],
                           before == after ? ", unchanged" : "");
    print_line("%lld commands judged, %lld would change", (long long)r->judged,
               (long long)changed(r));
    if (r->cut)
        print_line("%lld not judged: the record has only their beginning", (long long)r->cut);
    if (r->redacted)
        print_line("%lld not judged: the record has no secrets, and theirs are replaced",
                   (long long)r->redacted);
    if (r->ambiguous)
        print_line("%lld not judged: an argument has blanks, the record does not say where",
                   (long long)r->ambiguous);
    if (r->others)
        print_line("%lld not judged: a hold, a limit or the like denied them",
                   (long long)r->others);
    if (r->ended_early)
        print_line("the record goes on: --limit looks at more rows, --since at newer ones");
    return 0;
}

/* --- for programs --- */

static void pack_change(struct pack *p, const struct change *c)
{
    pack_map(p, 6);
    pack_text(p, "command");
    pack_str(p, bytes_view(&c->command));
    pack_text(p, "count");
    pack_int(p, c->count);
    pack_text(p, "before");
    pack_text(p, policy_decision_name(c->before));
    pack_text(p, "after");
    pack_text(p, policy_decision_name(c->after));
    pack_text(p, "rule_before");
    pack_text(p, c->rule_before);
    pack_text(p, "rules_after");
    pack_text(p, c->rules_after);
}

static void pack_counts(struct pack *p, const struct replay *r)
{
    pack_text(p, "counts");
    pack_array(p, DECISIONS * DECISIONS);
    for (unsigned before = 0; before < DECISIONS; before++)
        for (unsigned after = 0; after < DECISIONS; after++) {
            pack_map(p, 3);
            pack_text(p, "before");
            pack_text(p, policy_decision_name(before));
            pack_text(p, "after");
            pack_text(p, policy_decision_name(after));
            pack_text(p, "count");
            pack_int(p, r->counts[before][after]);
        }
}

static int print_as_json(const struct replay *r, struct err *err)
{
    SCOPED(bytes_close) struct bytes packed = bytes_open(JSON_BYTES);
    SCOPED(bytes_close) struct bytes text = bytes_open(2 * JSON_BYTES);
    const struct {
        const char *name;
        int64_t count;
    } rows[] = {{"judged", r->judged},     {"changed", changed(r)},     {"cut", r->cut},
                {"redacted", r->redacted}, {"ambiguous", r->ambiguous}, {"others", r->others},
                {"not_shown", r->more}};
    struct pack p = pack_begin(&packed, err);
    pack_map(&p, COUNT(rows) + 3);
    for (size_t i = 0; i < COUNT(rows); i++) {
        pack_text(&p, rows[i].name);
        pack_int(&p, rows[i].count);
    }
    pack_text(&p, "complete");
    pack_bool(&p, !r->ended_early);
    pack_counts(&p, r);
    pack_text(&p, "changes");
    pack_array(&p, r->changes_count);
    for (size_t i = 0; i < r->changes_count; i++)
        pack_change(&p, &r->changes[i]);
    if (pack_end(&p) || json_from_pack(bytes_view(&packed), 2, &text, err))
        return -1;
    printf("%s\n", (const char *)text.data);
    return 0;
}

int policy_replay(struct cli *cli, int argc, char **argv, struct err *err)
{
    SCOPED(policy_close) struct policy_setup setup = {0};
    SCOPED(rule_sources_close) struct rule_sources sources = {.count = 0};
    SCOPED(connect_close) struct connect connect = {0};
    SCOPED(replay_close) struct replay replay = {.setup = &setup, .rows_left = ROWS_DEFAULT};
    struct logs_query query = {.operation = "command_execute", .whole = true};
    const struct option options[] = {
        {"since", 0, "TIME", units_time_ns, &query.since_ns, "1h (ago), or RFC 3339."},
        {"until", 0, "TIME", units_time_ns, &query.until_ns, "Older than this."},
        {"profile", 0, "NAME", option_text, &setup.profile, "dev or strict; dev by default."},
        {"limit", 0, "N", units_count, &replay.rows_left, "Rows of the record; 20000 by default."},
        {0},
    };
    struct args args;
    if (command_parse(cli, options, argc, argv, &args, err))
        return -1;
    if (args.help)
        return 0;
    if (!(replay.changes = mem_new(CHANGES_MAX, sizeof *replay.changes)))
        return err_set(err, ERR_MEMORY, "no memory for changes");
    if (rule_sources_add(&sources, args.items[0], err) || policy_load(&setup, &sources, err) ||
        connect_open(cli, &connect, err) || read_all(&replay, &connect, &query, err) ||
        (cli->json ? print_as_json(&replay, err) : print_for_people(cli, &replay, err)))
        return -1;
    return changed(&replay) ? 1 : 0;
}
