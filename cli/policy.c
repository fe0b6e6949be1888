/* policy.c - see policy.h. */
#include "cli/policy.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/scope.h"
#include "cli/policy_room.h"
#include "cli/units.h"
#include "data/json.h"
#include "data/toml.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { LINE_BYTES = 1024 * 1024 };

void policy_options(struct policy_setup *setup, struct option *rows)
{
    const struct option mine[POLICY_OPTIONS] = {
        {"profile", 0, "NAME", option_text, &setup->profile, "dev or strict; dev by default."},
        {"rules", 0, "DIR", option_text, &setup->rules, "A tenant's rule files, too."},
        {"cwd", 0, "DIR", option_text, &setup->cwd, "Where it would run; /workspace."},
        {"home", 0, "DIR", option_text, &setup->home, "Its home directory; /home/agent."},
        {"agent", 0, "NAME", option_text, &setup->agent, "Who would run it, for conditions."},
        {"tenant", 0, "NAME", option_text, &setup->tenant, "Whose agent; default with --agent."},
        {"tags", 0, "K=V,…", units_commas, &setup->tags, "Of the sandbox, for conditions."},
    };
    memcpy(rows, mine, sizeof mine);
}

static int place_of(const char *given, const char *missing, const char *name, const char **out,
                    struct err *err)
{
    if (given && given[0] != '/')
        return err_set(err, ERR_INVALID, "--%s: must begin with /", name);
    *out = given ? given : missing;
    return 0;
}

int policy_load(struct policy_setup *setup, const struct rule_sources *sources, struct err *err)
{
    struct policy_context *context = &setup->context;
    setup->room = policy_room_new();
    if (!setup->room)
        return err_set(err, ERR_MEMORY, "no memory to judge in");
    context->workspace = "/workspace";
    context->agent = setup->agent;
    context->tenant = setup->tenant ? setup->tenant : setup->agent ? "default" : NULL;
    context->tags = setup->tags.items;
    context->tags_count = setup->tags.count;
    context->now_s = clock_wall_ns() / S_NS;
    if (place_of(setup->cwd, "/workspace", "cwd", &context->cwd, err) ||
        place_of(setup->home, "/home/agent", "home", &context->home, err))
        return -1;
    const struct ruleset_source source = {.tier = TIER_TENANT, .path = setup->rules};
    struct ruleset_options options = {
        .profile = setup->profile, .sources = &source, .sources_count = setup->rules != NULL};
    if (sources) {
        options.sources = sources->items;
        options.sources_count = sources->count;
    }
    return ruleset_load(&options, &setup->set, err);
}

void rule_sources_close(struct rule_sources *sources)
{
    for (size_t i = 0; i < sources->count; i++)
        bytes_close(&sources->texts[i]);
}

int rule_sources_add(struct rule_sources *sources, const char *path, struct err *err)
{
    struct stat st;
    if (sources->count == RULE_SOURCES_MAX)
        return err_set(err, ERR_INVALID, "more than %d files and directories", RULE_SOURCES_MAX);
    if (stat(path, &st))
        return err_sys(err, "stat %s", path);
    struct bytes *text = &sources->texts[sources->count];
    struct ruleset_source *source = &sources->items[sources->count++];
    *text = bytes_open(TOML_FILE_MAX_BYTES);
    *source = (struct ruleset_source){.tier = TIER_TENANT, .path = path};
    if (S_ISDIR(st.st_mode))
        return 0;
    if (file_read(AT_FDCWD, path, TOML_FILE_MAX_BYTES, text, err))
        return -1;
    source->text = text->len ? bytes_view(text) : view_of("");
    return 0;
}

void policy_close(struct policy_setup *setup)
{
    ruleset_free(&setup->set);
    policy_room_free(&setup->room);
    *setup = (struct policy_setup){0};
}

enum colour policy_colour(enum policy_decision decision)
{
    return decision == DECISION_ALLOW ? GREEN : decision == DECISION_DENY ? RED : YELLOW;
}

int policy_json(struct view command, const struct judgement *j, struct bytes *to, struct err *err)
{
    SCOPED(bytes_close) struct bytes packed = bytes_open(LINE_BYTES);
    struct pack p = pack_begin(&packed, err);
    pack_map(&p, 5);
    pack_text(&p, "command");
    pack_str(&p, command);
    pack_text(&p, "decision");
    pack_text(&p, policy_decision_name(j->decision));
    pack_text(&p, "risk");
    pack_text(&p, policy_risk_name(j->risk));
    pack_text(&p, "rules");
    pack_array(&p, j->rules_count);
    for (size_t i = 0; i < j->rules_count; i++)
        pack_text(&p, j->rules[i]);
    pack_text(&p, "unanalysable");
    pack_bool(&p, j->unanalysable);
    return pack_end(&p) || json_from_pack(bytes_view(&packed), 0, to, err) ? -1 : 0;
}

static int take_line(struct view line, long number, const struct policy_lines *lines,
                     struct err *err)
{
    SCOPED(bytes_close) struct bytes packed = bytes_open(LINE_BYTES);
    if (!json_to_pack(line, &packed, err) && !lines->each(lines->context, bytes_view(&packed), err))
        return 0;
    if (err->code != ERR_INVALID || !lines->wrong)
        return -1;
    struct err why = *err;
    *err = (struct err){0};
    return lines->wrong(lines->context, number, &why, err);
}

int policy_each_line(const char *path, const struct policy_lines *lines, struct err *err)
{
    bool is_stdin = !strcmp(path, "-");
    FILE *file = is_stdin ? stdin : fopen(path, "re");
    if (!file)
        return err_sys(err, "opening %s", path);
    char *line = NULL;
    size_t room = 0;
    int failed = 0;
    ssize_t len;
    for (long number = 1; !failed && (len = getline(&line, &room, file)) >= 0; number++) {
        while (len && strchr("\r\n ", line[len - 1]))
            len--;
        struct view view = {(const uint8_t *)line, (size_t)len};
        if (len && (failed = take_line(view, number, lines, err)))
            err_add(err, "%s:%ld", path, number);
    }
    if (!failed && ferror(file))
        failed = err_sys(err, "reading %s", path);
    free(line);
    if (!is_stdin)
        fclose(file);
    return failed;
}

int policy_get(struct view packed, const char *key, struct value *out, struct view *at,
               struct err *err)
{
    struct value map, name;
    if (pack_next(&packed, &map, err))
        return -1;
    if (map.type != PACK_MAP)
        return err_set(err, ERR_INVALID, "not an object");
    for (uint32_t i = map.count; i; i--) {
        if (pack_next(&packed, &name, err))
            return -1;
        struct view rest = packed;
        if (pack_next(&rest, out, err))
            return -1;
        *at = rest;
        if (name.type == PACK_TEXT && view_equal(name.bytes, view_of(key)))
            return 1;
        if (pack_skip(&packed, err))
            return -1;
    }
    return 0;
}
