/* policy_facts.c - see policy_facts.h. A command is a numbered line, set in under what runs it;
 * what is known of it stands below, one kind of fact a line. */
#include "cli/policy_facts.h"

#include "base/scope.h"
#include "base/text.h"
#include "engine/policy/hits.h"
#include "engine/policy/judgement.h"
#include "engine/policy/key.h"

#include <string.h>

enum { COMMANDS_SHOWN = 40, VALUES_SHOWN = 12, VALUE_BYTES = 240, ROW_BYTES = 65536 };

struct showing {
    struct facts *facts;
    const struct policy_context *context;
    const struct ruleset *set;
    const struct screen *screen;
    struct bytes *to;
    struct err *err;
};

/* A line of facts that is being put together; nothing is shown of one without values. */
struct row {
    struct showing *s;
    const char *name;
    struct bytes values;
    size_t count;
};

static void row_close(struct row *row)
{
    bytes_close(&row->values);
}

static struct row row_open(struct showing *s, const char *name)
{
    return (struct row){.s = s, .name = name, .values = bytes_open(ROW_BYTES)};
}

/* Appends a text, escaped and cut; what is known only when it runs is "…". */
static int add_text(struct bytes *to, const char *text, struct err *err)
{
    size_t len = strlen(text);
    size_t most = len > VALUE_BYTES ? VALUE_BYTES : len;
    while (most < len && ((unsigned char)text[most] & 0xc0) == 0x80)
        most--; /* no character in two */
    for (size_t at = 0; at < most;) {
        if (text[at] == HOLE) {
            if (bytes_addf(to, err, "…"))
                return -1;
            at++;
            continue;
        }
        size_t plain = 0;
        while (at + plain < most && text[at + plain] != HOLE)
            plain++;
        if (text_show(to, text + at, plain, err))
            return -1;
        at += plain;
    }
    return most < len ? bytes_addf(to, err, "…") : 0;
}

/* Begins the next value; false when there are enough already. */
static int row_next(struct row *row, bool *room)
{
    *room = row->count < VALUES_SHOWN;
    if (!*room) {
        int failed = row->count == VALUES_SHOWN ? bytes_addf(&row->values, row->s->err, ", …") : 0;
        row->count++;
        return failed;
    }
    return row->count++ ? bytes_addf(&row->values, row->s->err, ", ") : 0;
}

/* Adds "before" + text + "behind". */
static int row_add(struct row *row, const char *before, const char *text, const char *behind)
{
    bool room;
    struct err *err = row->s->err;
    if (row_next(row, &room))
        return -1;
    if (!room)
        return 0;
    return bytes_addf(&row->values, err, "%s", before) || add_text(&row->values, text, err) ||
                   bytes_addf(&row->values, err, "%s", behind)
               ? -1
               : 0;
}

static int row_end(struct row *row)
{
    const struct screen *screen = row->s->screen;
    if (!row->count)
        return 0;
    return bytes_addf(row->s->to, row->s->err, "     %s%-11s%s ", screen_colour(screen, DIM),
                      row->name, screen_plain(screen)) ||
                   bytes_add(row->s->to, row->values.data, row->values.len, row->s->err) ||
                   bytes_addf(row->s->to, row->s->err, "\n")
               ? -1
               : 0;
}

static bool is_plain(const char *text)
{
    return *text && !text[strcspn(text, " \t\n\"'$&|;<>()`*?[]{}#~\\")];
}

/* The arguments as a person would write them: quoted where blanks or quotes would mislead. */
static int add_argv(struct showing *s, const struct command_fact *c)
{
    for (size_t i = 0; i < c->argv.count; i++) {
        const char *text = c->argv.items[i].text;
        const char *quote = is_plain(text) || strchr(text, HOLE) ? ""
                            : strchr(text, '\'')                 ? "\""
                                                                 : "'";
        if (i == VALUES_SHOWN * 2)
            return bytes_addf(s->to, s->err, " …");
        if (bytes_addf(s->to, s->err, "%s%s", i ? " " : "", quote) ||
            add_text(s->to, text, s->err) || bytes_addf(s->to, s->err, "%s", quote))
            return -1;
    }
    return c->argv.count ? 0 : bytes_addf(s->to, s->err, "(assignments and redirects)");
}

static int show_command(struct showing *s, const struct command_fact *c)
{
    int inside = (int)(c->depth < 10 ? c->depth : 10) * 2;
    if (bytes_addf(s->to, s->err, "\n%s%3zu%s  %*s%s", screen_colour(s->screen, DIM), c->index + 1,
                   screen_plain(s->screen), inside, "", screen_colour(s->screen, BOLD)) ||
        add_argv(s, c) || bytes_addf(s->to, s->err, "%s", screen_plain(s->screen)))
        return -1;
    if (c->wrapper && (bytes_addf(s->to, s->err, "  %srun by ", screen_colour(s->screen, DIM)) ||
                       add_text(s->to, c->wrapper->name ? c->wrapper->name : "…", s->err) ||
                       bytes_addf(s->to, s->err, "%s", screen_plain(s->screen))))
        return -1;
    return bytes_addf(s->to, s->err, "\n");
}

static int show_options(struct showing *s, const struct command_fact *c)
{
    SCOPED(row_close) struct row row = row_open(s, "options");
    for (size_t i = 0; i < c->options_count; i++) {
        const struct option_fact *o = &c->options[i];
        if (row_add(&row, "", o->name, o->value ? "=" : "") ||
            (o->value && row.count <= VALUES_SHOWN &&
             add_text(&row.values, o->value->text, s->err)))
            return -1;
    }
    return row_end(&row);
}

static int show_environment(struct showing *s, const struct command_fact *c)
{
    SCOPED(row_close) struct row row = row_open(s, "sets");
    for (size_t i = 0; i < c->assigns_count; i++)
        if (row_add(&row, "", c->assigns[i].name, "=") ||
            (row.count <= VALUES_SHOWN && add_text(&row.values, c->assigns[i].value.text, s->err)))
            return -1;
    return row_end(&row);
}

static int show_files(struct showing *s, const struct command_fact *c)
{
    static const struct {
        unsigned touch;
        const char *name;
    } rows[] = {{TOUCH_READ, "reads"}, {TOUCH_WRITE, "writes"}, {TOUCH_DELETE, "deletes"},
                {TOUCH_MOVE, "moves"}, {TOUCH_MODE, "modes"},   {TOUCH_SEARCH, "searches"},
                {TOUCH_RUN, "runs"}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        SCOPED(row_close) struct row row = row_open(s, rows[i].name);
        for (const struct file_fact *f = c->files; f; f = f->next)
            if (f->touches & rows[i].touch &&
                row_add(&row, "", f->path.text, f->recursive ? " with all below" : ""))
                return -1;
        if (row_end(&row))
            return -1;
    }
    return 0;
}

static int show_hosts(struct showing *s, const struct command_fact *c)
{
    for (int listens = 0; listens <= 1; listens++) {
        SCOPED(row_close) struct row row = row_open(s, listens ? "listens" : "hosts");
        for (const struct host_fact *h = c->hosts; h; h = h->next) {
            if (h->listens != (listens == 1))
                continue;
            if (row_add(&row, "", h->name, "") || row.count > VALUES_SHOWN)
                continue;
            if ((h->port && bytes_addf(&row.values, s->err, ":%u", h->port)) ||
                (h->scheme && bytes_addf(&row.values, s->err, " by %s", h->scheme)) ||
                (h->is_local && bytes_addf(&row.values, s->err, " (this sandbox)")))
                return -1;
        }
        if (row_end(&row))
            return -1;
    }
    return 0;
}

static int show_code(struct showing *s, const struct command_fact *c)
{
    SCOPED(row_close) struct row row = row_open(s, "code");
    for (const struct code_fact *code = c->code; code; code = code->next)
        if (row_add(&row, code->language, "", ": ") ||
            (row.count <= VALUES_SHOWN && add_text(&row.values, code->text.text, s->err)))
            return -1;
    return row_end(&row);
}

static int show_sources(struct showing *s, const struct command_fact *c)
{
    static const char *const ways[] = {
        [WAY_PIPE] = "stdin from ",          [WAY_SUBSTITUTION] = "text from ",
        [WAY_PROCESS] = "a file from ",      [WAY_ARGS] = "arguments from ",
        [WAY_RUN] = "runs what comes from ", [WAY_FILE] = "a file written by "};
    SCOPED(row_close) struct row row = row_open(s, "gets");
    for (const struct source_fact *f = c->sources; f; f = f->next)
        if (row_add(&row, ways[f->way], f->from->name ? f->from->name : "…", "") ||
            (row.count <= VALUES_SHOWN &&
             bytes_addf(&row.values, s->err, " (%zu)", f->from->index + 1)))
            return -1;
    return row_end(&row);
}

static int show_context(struct showing *s, const struct command_fact *c)
{
    SCOPED(row_close) struct row row = row_open(s, "stands in");
    const char *name;
    unsigned bit = 0;
    for (size_t i = 0; (name = key_name_at(KIND_CONTEXTS, i, &bit)); i++)
        if (c->context & bit && row_add(&row, "", name, ""))
            return -1;
    return row_end(&row);
}

static enum colour colour_of(const struct rule *rule)
{
    return !rule->enforced                           ? DIM
           : rule->action == ACTION_DENY             ? RED
           : rule->action == ACTION_REQUIRE_APPROVAL ? YELLOW
                                                     : GREEN;
}

/* What an agent is told is shown of the rules that stop it. */
static int show_rule(struct showing *s, const char *name, const struct policy_hit *hit)
{
    const struct rule *rule = hit->rule;
    bool tells = rule->action >= ACTION_REQUIRE_APPROVAL && hit->message[0];
    if (bytes_addf(s->to, s->err, "     %s%-11s%s %s%s, %s%s  %s: ", screen_colour(s->screen, DIM),
                   name, screen_plain(s->screen), screen_colour(s->screen, colour_of(rule)),
                   policy_action_name(rule->action), policy_risk_name(rule->risk),
                   screen_plain(s->screen), rule->id) ||
        add_text(s->to, rule->description, s->err) ||
        bytes_addf(s->to, s->err, "%s\n", rule->enforced ? "" : " (not enforced)"))
        return -1;
    return tells ? bytes_addf(s->to, s->err, "     %-11s %s%s%s\n", "",
                              screen_colour(s->screen, DIM), hit->message, screen_plain(s->screen))
                 : 0;
}

/* Rules of the one command, or those of the whole text, which hold for each of its commands. */
static int show_rules(struct showing *s, const struct command_fact *c, bool of_text)
{
    struct policy_hit hits[HITS_MAX];
    size_t count = policy_hits(s->facts, c, s->context, s->set, hits), shown = 0;
    for (size_t i = 0; i < count; i++)
        if (hits[i].is_of_text == of_text && show_rule(s, shown++ ? "" : "rules", &hits[i]))
            return -1;
    return 0;
}

/* Why the text was not understood, and the rules about that. */
static int show_trouble(struct showing *s)
{
    if (!s->facts->trouble.kinds)
        return 0;
    if (bytes_addf(s->to, s->err, "\n  %s!  not understood:%s %s\n",
                   screen_colour(s->screen, YELLOW), screen_plain(s->screen),
                   s->facts->trouble.why))
        return -1;
    return s->facts->first ? show_rules(s, s->facts->first, true) : 0;
}

int policy_facts_show(struct policy_room *room, const struct policy_context *context,
                      const struct ruleset *set, const struct screen *screen, struct bytes *to,
                      struct err *err)
{
    struct showing s = {policy_room_facts(room), context, set, screen, to, err};
    size_t shown = 0;
    if (show_trouble(&s))
        return -1;
    for (const struct command_fact *c = s.facts->first; c && shown < COMMANDS_SHOWN;
         c = c->next, shown++)
        if (show_command(&s, c) || show_environment(&s, c) || show_options(&s, c) ||
            show_files(&s, c) || show_hosts(&s, c) || show_code(&s, c) || show_sources(&s, c) ||
            show_context(&s, c) || show_rules(&s, c, false))
            return -1;
    return s.facts->count > shown
               ? bytes_addf(to, err, "\n… and %zu more commands\n", s.facts->count - shown)
               : 0;
}
