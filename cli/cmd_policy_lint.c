/* corral policy lint: rules that cannot match or decide nothing, found before anybody relies on
 * them. */
#include "base/clock.h"
#include "base/scope.h"
#include "base/text.h"
#include "cli/policy.h"
#include "cli/print.h"
#include "data/json.h"
#include "engine/policy/lint.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FINDINGS_BYTES = 4 * 1024 * 1024 };

/* Where findings go: lines on stdout, or packed objects that become one of JSON. */
struct findings {
    const struct cli *cli;
    struct bytes packed;
    size_t count;
};

static void findings_close(struct findings *findings)
{
    bytes_close(&findings->packed);
}

static int pack_finding(struct findings *to, const struct lint_finding *f, struct err *err)
{
    struct pack p = pack_begin(&to->packed, err);
    pack_map(&p, 6);
    pack_text(&p, "file");
    pack_text(&p, f->file);
    pack_text(&p, "line");
    pack_int(&p, f->line);
    pack_text(&p, "subject");
    pack_text(&p, f->subject);
    pack_text(&p, "kind");
    pack_text(&p, f->kind);
    pack_text(&p, "problem");
    pack_text(&p, f->problem);
    pack_text(&p, "advice");
    pack_text(&p, f->advice);
    return pack_end(&p);
}

/* "tenant.toml:12: fs.mine: can never match: …; mend the keys", the place dim, the name bold. */
static int print_finding(const struct cli *cli, const struct lint_finding *f, struct err *err)
{
    SCOPED(bytes_close) struct bytes place = bytes_open(65536);
    SCOPED(bytes_close) struct bytes rest = bytes_open(65536);
    if (text_show(&place, f->file, strlen(f->file), err) ||
        (f->line && bytes_addf(&place, err, ":%d", f->line)) || bytes_addf(&rest, err, ": ") ||
        text_show(&rest, f->problem, strlen(f->problem), err) ||
        (f->advice[0] && bytes_addf(&rest, err, "; %s", f->advice)))
        return -1;
    const struct screen *screen = &cli->screen;
    printf("%s%s:%s %s%s%s%s\n", screen_colour(screen, DIM), (const char *)place.data,
           screen_plain(screen), screen_colour(screen, BOLD),
           f->subject[0] ? f->subject : "override", screen_plain(screen), (const char *)rest.data);
    return 0;
}

static int on_finding(void *context, const struct lint_finding *finding, struct err *err)
{
    struct findings *to = context;
    to->count++;
    if (to->cli->json)
        return pack_finding(to, finding, err);
    return to->cli->quiet ? 0 : print_finding(to->cli, finding, err);
}

/* What refuses a whole set is a finding when it is about one of the sources: "file:12:3: why". */
static int refused(struct findings *to, const struct rule_sources *sources, struct err *err)
{
    char file[sizeof err->text], why[sizeof err->text];
    for (size_t i = 0; err->code == ERR_CONFIG && i < sources->count; i++) {
        const char *path = sources->items[i].path;
        size_t len = strlen(path);
        if (strncmp(err->text, path, len) != 0 || (err->text[len] != ':' && err->text[len] != '/'))
            continue;
        text_copy(file, sizeof file, err->text);
        char *at = strchr(file + len, ':');
        if (!at)
            continue;
        *at++ = 0;
        char *end;
        long line = strtol(at, &end, 10);
        if (end > at && *end == ':') {
            strtol(end + 1, &end, 10);
            at = *end == ':' ? end + 1 : end;
        } else {
            line = 0;
        }
        text_copy(why, sizeof why, at + strspn(at, " "));
        struct lint_finding finding = {
            "refused", file, (int)line,
            "refused", why,  "mend it: until then nothing of these files loads"};
        *err = (struct err){0};
        return on_finding(to, &finding, err);
    }
    return -1;
}

static int print_as_json(const struct findings *findings, size_t rules, struct err *err)
{
    SCOPED(bytes_close) struct bytes packed = bytes_open(FINDINGS_BYTES + 4096);
    SCOPED(bytes_close) struct bytes text = bytes_open(2 * FINDINGS_BYTES);
    struct pack p = pack_begin(&packed, err);
    pack_map(&p, 2);
    pack_text(&p, "rules");
    pack_int(&p, (int64_t)rules);
    pack_text(&p, "findings");
    pack_array(&p, findings->count);
    if (pack_end(&p) || bytes_add(&packed, findings->packed.data, findings->packed.len, err) ||
        json_from_pack(bytes_view(&packed), 2, &text, err))
        return -1;
    printf("%s\n", (const char *)text.data);
    return 0;
}

static int lint(struct findings *findings, const char *profile, const struct rule_sources *sources,
                size_t *rules, struct err *err)
{
    SCOPED(ruleset_free) struct ruleset *set = NULL;
    const struct ruleset_options options = {
        .profile = profile, .sources = sources->items, .sources_count = sources->count};
    if (ruleset_load(&options, &set, err))
        return refused(findings, sources, err);
    *rules = ruleset_count(set);
    return ruleset_lint(set, clock_wall_ns() / S_NS, on_finding, findings, err);
}

int policy_lint(struct cli *cli, int argc, char **argv, struct err *err)
{
    SCOPED(rule_sources_close) struct rule_sources sources = {.count = 0};
    SCOPED(findings_close) struct findings findings = {cli, bytes_open(FINDINGS_BYTES), 0};
    const char *profile = NULL;
    const struct option options[] = {
        {"profile", 0, "NAME", option_text, &profile, "dev or strict; dev by default."},
        {0},
    };
    struct args args;
    size_t rules = 0;
    if (command_parse(cli, options, argc, argv, &args, err))
        return -1;
    if (args.help)
        return 0;
    for (int i = 0; i < args.count; i++)
        if (rule_sources_add(&sources, args.items[i], err))
            return -1;
    if (lint(&findings, profile, &sources, &rules, err))
        return -1;
    if (cli->json && print_as_json(&findings, rules, err))
        return -1;
    if (!cli->json && !cli->quiet && !findings.count)
        print_line("%zu rules, nothing found", rules);
    return findings.count ? 1 : 0;
}
