/* builtins.c - the builtins that change the shell: its directory, its variables, what names mean,
 * where a body is left; see walk.h. */
#include "engine/shell/walk.h"

#include "base/scope.h"
#include "engine/shell/param.h"
#include "engine/shell/produce.h"
#include "engine/shell/sources.h"

#include <stdlib.h>
#include <string.h>

enum { NAME_MAX_BYTES = 64 };

static const struct arg *argument(const struct command_fact *c, size_t i)
{
    return i < c->argv.count ? &c->argv.items[i] : NULL;
}

static bool hides_code(const char *text)
{
    return strchr(text, '[') && (strstr(text, "$(") || strchr(text, '`'));
}

static void check_names(struct walk *w, const struct command_fact *c)
{
    for (size_t i = 1; i < c->argv.count; i++)
        if (hides_code(c->argv.items[i].text))
            trouble_add(&w->facts->trouble, TROUBLE_DYNAMIC, "an argument of %s holds code",
                        c->name);
}

/* cd and pushd: where it leads when it succeeds. */
static struct flow change_directory(struct walk *w, const struct command_fact *c,
                                    const struct cwds *in)
{
    struct flow flow = flow_same(in);
    struct expansion e = walk_expansion(w, in);
    size_t i = 1;
    while (i < c->argv.count && c->argv.items[i].text[0] == '-' && c->argv.items[i].len > 1 &&
           c->argv.items[i].kind == ARG_LITERAL)
        i++;
    const struct arg *to = argument(c, i);
    const char *path = to ? to->text : e.home;
    bool known =
        path && w->pwd_known && (!to || (to->kind == ARG_LITERAL && to->glob_at == SIZE_MAX));
    if (to && (arg_is(to, "-") || to->text[0] == '+' || i + 1 != c->argv.count))
        known = false;
    if (known)
        flow.ok = cwds_change(&w->facts->arena, in, path);
    else
        flow.ok = (struct cwds){.unknown = true};
    if (known && to)
        disk_follow(w, in, to, &flow.ok);
    return flow;
}

/* The name in "NAME", "NAME=value", "NAME+=value", "NAME[i]"; false when it is not known. */
static bool read_name(const struct arg *a, char name[NAME_MAX_BYTES], size_t *len)
{
    *len = strcspn(a->text, "+=[");
    if (*len >= NAME_MAX_BYTES || memchr(a->text, HOLE, *len) || a->glob_at < *len)
        return false;
    memcpy(name, a->text, *len);
    name[*len] = 0;
    return true;
}

/* Letters of the options, and where the operands begin. */
static size_t read_options(const struct command_fact *c, char letters[32])
{
    size_t n = 0, i = 1;
    for (; i < c->argv.count; i++) {
        const char *text = c->argv.items[i].text;
        if ((text[0] != '-' && text[0] != '+') || !text[1])
            break;
        if (!strcmp(text, "--"))
            return letters[n] = 0, i + 1;
        for (const char *at = text + 1; *at && n < 31; at++)
            letters[n++] = text[0] == '+' ? '+' : *at;
    }
    letters[n] = 0;
    return i;
}

static void make_local(struct walk *w, const char *name)
{
    struct local *local = walk_new(w, 1, sizeof *local);
    char *copy = local ? arena_text(&w->facts->arena, name, strlen(name)) : NULL;
    if (!copy)
        return;
    *local = (struct local){copy, vars_get(&w->vars, name), w->unsure, w->locals};
    w->locals = local;
}

/* One NAME or NAME=value of declare and its kin. */
static void declare_name(struct walk *w, const struct command_fact *c, const struct arg *a,
                         const char *letters, bool local)
{
    char name[NAME_MAX_BYTES];
    size_t len;
    if (!read_name(a, name, &len)) {
        walk_forget(w, false);
        return;
    }
    if (local)
        make_local(w, name);
    bool value = a->text[len] == '=', export = !strcmp(c->name, "export") || strchr(letters, 'x');
    if (value) {
        struct arg text = *a;
        text.text += len + 1;
        text.len -= len + 1;
        text.glob_at = SIZE_MAX;
        text.kind = memchr(text.text, HOLE, text.len) ? ARG_PARTIAL : ARG_LITERAL;
        assign_note(w, name, &text);
        vars_set_arg(&w->vars, name, text, c->sources);
    } else if (a->text[len]) {
        record_set(w, name);
    } else if (local) {
        vars_set_value(&w->vars, name, value_unset(), NULL);
    } else {
        assign_note(w, name, &(struct arg){.text = ""});
    }
    if (export && !strchr(letters, '+'))
        vars_set(&w->vars, name, vars_exported(&w->vars, vars_get(&w->vars, name)));
    if (strpbrk(letters, "iluncA+"))
        vars_spoil(&w->vars, name);
    if (!strcmp(c->name, "readonly") || strchr(letters, 'r'))
        vars_protect(&w->vars, name);
}

static void run_declare(struct walk *w, const struct command_fact *c)
{
    char letters[32];
    size_t i = read_options(c, letters);
    bool global =
        !strcmp(c->name, "export") || !strcmp(c->name, "readonly") || strchr(letters, 'g');
    check_names(w, c);
    if (strpbrk(letters, "fFp") || (!strcmp(c->name, "local") && !w->in_function))
        return;
    if (strchr(letters, 'n')) /* a name for another variable */
        w->vars.lost = true;
    if (strchr(letters, 'g') && w->in_function)
        walk_forget(w, false);
    for (; i < c->argv.count; i++)
        declare_name(w, c, &c->argv.items[i], letters, w->in_function && !global);
}

static void run_unset(struct walk *w, const struct command_fact *c)
{
    char letters[32], name[NAME_MAX_BYTES];
    size_t len;
    check_names(w, c);
    for (size_t i = read_options(c, letters); i < c->argv.count && !strchr(letters, 'f'); i++) {
        if (!read_name(&c->argv.items[i], name, &len))
            walk_forget(w, false);
        else if (w->in_function || c->argv.items[i].text[len])
            record_set(w, name);
        else
            vars_set_value(&w->vars, name, value_unset(), NULL);
        assign_note(w, name, &(struct arg){.text = ""});
    }
}

/* The command and what reaches it; the list of the round before where that says the same, so that
 * a loop comes to its end. */
static const struct source_fact *sources_of_read(struct walk *w, const struct command_fact *c,
                                                 const char *name)
{
    const struct source_fact *before = vars_get(&w->vars, name)->sources;
    if (before && before->from->origin == c->origin && before->from->sources == c->sources)
        return before;
    return sources_add(w, c, WAY_SUBSTITUTION, sources_by(w, c->sources, WAY_SUBSTITUTION));
}

/* A variable gets what a command reads. */
static void set_read(struct walk *w, const struct command_fact *c, const char *name)
{
    const struct source_fact *sources = sources_of_read(w, c, name);
    record_set(w, name);
    assign_note(w, name, &(struct arg){.text = ""});
    vars_set(&w->vars, name, vars_state(&w->vars, *vars_unknown()->values[0], sources, false));
}

/* "read NAME" of one line that is known. */
static bool read_line(struct walk *w, const struct command_fact *c, const char *letters,
                      const char *name)
{
    const struct arg *input = produce_input(w, c);
    const char *ifs = "";
    const struct state *state = vars_get(&w->vars, "IFS");
    if (!input || input->kind != ARG_LITERAL || strspn(letters, "rs") != strlen(letters) ||
        state->count > 1)
        return false;
    ifs = state->values[0]->set ? state->values[0]->items[0].text : " \t\n";
    const char *from = input->text + strspn(input->text, " \t");
    size_t len = strcspn(from, "\n");
    while (len && strchr(" \t", from[len - 1]))
        len--;
    if (memchr(from, '\\', len) || strspn(ifs, " \t\n") != strlen(ifs) ||
        (!*ifs && (from != input->text || from[len] == ' ' || from[len] == '\t')))
        return false;
    char *text = arena_text(&w->facts->arena, from, len);
    if (text)
        vars_set_arg(&w->vars, name, arg_literal(text), c->sources);
    return text != NULL;
}

/* read, mapfile, getopts: options whose value is the next argument are in `values`. */
static void run_read(struct walk *w, const struct command_fact *c, const char *values,
                     const char *fallback)
{
    char letters[32], name[NAME_MAX_BYTES];
    size_t len, names = 0, n = 0, i = 1;
    check_names(w, c);
    for (; i < c->argv.count && c->argv.items[i].text[0] == '-' && c->argv.items[i].len > 1; i++) {
        const char *text = c->argv.items[i].text;
        if (!strcmp(text, "--")) {
            i++;
            break;
        }
        for (const char *at = text + 1; *at && n < 31; at++) {
            letters[n++] = *at;
            if (*at == 'a' && argument(c, i + 1) && read_name(argument(c, i + 1), name, &len))
                set_read(w, c, name);
            if (strchr(values, *at) && !at[1])
                i++;
            if (strchr(values, *at))
                break;
        }
    }
    letters[n] = 0;
    if (strchr(letters, 'C'))
        trouble_add(&w->facts->trouble, TROUBLE_DYNAMIC, "%s runs a callback", c->name);
    bool one = i + 1 == c->argv.count;
    for (; i < c->argv.count; i++, names++) {
        if (!read_name(&c->argv.items[i], name, &len))
            walk_forget(w, false);
        else if (!one || strcmp(c->name, "read") != 0 || !read_line(w, c, letters, name))
            set_read(w, c, name);
        else
            assign_note(w, name, &vars_get(&w->vars, name)->values[0]->items[0]);
    }
    if (!names)
        set_read(w, c, fallback);
}

/* printf -v NAME */
static void run_printf(struct walk *w, const struct command_fact *c)
{
    char name[NAME_MAX_BYTES];
    size_t len;
    const struct arg *option = argument(c, 1), *to = argument(c, 2);
    check_names(w, c);
    if (!option || strncmp(option->text, "-v", 2) != 0)
        return;
    if (!to || option->text[2] || !read_name(to, name, &len)) {
        walk_forget(w, false);
        return;
    }
    struct arg value;
    if (to->text[len] || !produce_printf(w, c, 3, &value))
        set_read(w, c, name);
    else
        vars_set_arg(&w->vars, name, value, c->sources);
    assign_note(w, name, &vars_get(&w->vars, name)->values[0]->items[0]);
}

/* set: options, then the positional parameters if there are any. */
static void run_set(struct walk *w, const struct command_fact *c)
{
    size_t i = 1;
    for (; i < c->argv.count; i++) {
        const struct arg *a = &c->argv.items[i];
        if (a->text[0] == HOLE) {
            vars_forget(&w->vars, "@");
            return;
        }
        if (!strcmp(a->text, "--") || !strcmp(a->text, "-")) {
            assign_params(w, a + 1, c->argv.count - i - 1);
            return;
        }
        if (a->text[0] != '-' && a->text[0] != '+')
            break;
        if (a->text[1] && strchr(a->text + 1, 'o'))
            i++;
    }
    if (i < c->argv.count)
        assign_params(w, &c->argv.items[i], c->argv.count - i);
}

static void run_shift(struct walk *w, const struct command_fact *c)
{
    const struct state *state = vars_get(&w->vars, "@");
    const struct value *params = state->values[0];
    const struct arg *times = argument(c, 1);
    long n = times ? strtol(times->text, NULL, 10) : 1;
    bool known = state->count == 1 && params->array && n >= 0 && (size_t)n <= params->count &&
                 (!times || times->kind == ARG_LITERAL);
    if (known)
        vars_set_value(&w->vars, "@", value_array(params->items + n, params->count - (size_t)n),
                       state->sources);
    else
        vars_forget(&w->vars, "@");
}

static void run_let(struct walk *w, const struct command_fact *c)
{
    check_names(w, c);
    for (size_t i = 1; i < c->argv.count; i++) {
        struct part text = {.kind = PART_TEXT,
                            .quoted = true,
                            .text = c->argv.items[i].text,
                            .len = c->argv.items[i].len};
        assign_arith(w, &text, &(struct cwds){.unknown = true});
    }
}

static void run_shopt(struct walk *w, const struct command_fact *c)
{
    for (size_t i = 1; i < c->argv.count; i++) {
        const char *text = c->argv.items[i].text;
        bool any = c->argv.items[i].kind != ARG_LITERAL;
        w->lastpipe |= any || !strcmp(text, "lastpipe");
        w->aliases_expand |= any || !strcmp(text, "expand_aliases");
        w->echo_escapes |= any || !strcmp(text, "xpg_echo");
    }
}

/* hash -p and enable change what names mean; without operands they only tell. */
static void run_names(struct walk *w, const struct command_fact *c)
{
    char letters[32];
    read_options(c, letters);
    bool harmless = !strcmp(c->name, "hash") ? !strchr(letters, 'p') : c->argv.count < 2;
    if (!harmless)
        trouble_add(&w->facts->trouble, TROUBLE_DYNAMIC, "%s changes what names mean", c->name);
}

enum builtin_effect {
    DIRECTORY,
    FORGETS,
    DECLARES,
    UNSETS,
    READS,
    MAPS,
    OPTIONS,
    PRINTS,
    SETS,
    SHIFTS,
    LETS,
    TESTS,
    WAITS,
    SHOPT,
    NAMES,
    LEAVES
};

static const struct builtin {
    const char *name;
    enum builtin_effect effect;
} builtins[] = {
    {"cd", DIRECTORY},     {"pushd", DIRECTORY},  {"popd", FORGETS},   {"export", DECLARES},
    {"declare", DECLARES}, {"typeset", DECLARES}, {"local", DECLARES}, {"readonly", DECLARES},
    {"unset", UNSETS},     {"read", READS},       {"mapfile", MAPS},   {"readarray", MAPS},
    {"getopts", OPTIONS},  {"printf", PRINTS},    {"set", SETS},       {"shift", SHIFTS},
    {"let", LETS},         {"test", TESTS},       {"[", TESTS},        {"wait", WAITS},
    {"shopt", SHOPT},      {"enable", NAMES},     {"hash", NAMES},     {"complete", NAMES},
    {"compgen", NAMES},    {"bind", NAMES},       {"return", LEAVES},  {"break", LEAVES},
    {"continue", LEAVES},  {"exit", LEAVES},
};

static const struct builtin *find_builtin(const struct command_fact *c)
{
    if (c->external || strchr(c->argv.items[0].text, '/'))
        return NULL;
    for (size_t i = 0; i < COUNT(builtins); i++)
        if (!strcmp(builtins[i].name, c->name))
            return &builtins[i];
    return NULL;
}

bool builtin_is(const struct command_fact *c)
{
    return find_builtin(c) != NULL;
}

static void run_getopts(struct walk *w, const struct command_fact *c)
{
    char name[NAME_MAX_BYTES];
    size_t len;
    const struct arg *a = argument(c, 2);
    if (a && read_name(a, name, &len))
        set_read(w, c, name);
    else
        walk_forget(w, false);
}

static void run_wait(struct walk *w, const struct command_fact *c)
{
    char letters[32];
    read_options(c, letters);
    check_names(w, c);
    if (strchr(letters, 'p'))
        walk_forget(w, false);
}

static void run_effect(struct walk *w, enum builtin_effect effect, const struct command_fact *c)
{
    switch (effect) {
    case DECLARES:
        run_declare(w, c);
        break;
    case UNSETS:
        run_unset(w, c);
        break;
    case READS:
        run_read(w, c, "adinNptu", "REPLY");
        break;
    case MAPS:
        run_read(w, c, "dnOsuCc", "MAPFILE");
        break;
    case OPTIONS:
        run_getopts(w, c);
        break;
    case PRINTS:
        run_printf(w, c);
        break;
    case SETS:
        run_set(w, c);
        break;
    case SHIFTS:
        run_shift(w, c);
        break;
    case LETS:
        run_let(w, c);
        break;
    case TESTS:
        check_names(w, c);
        break;
    case WAITS:
        run_wait(w, c);
        break;
    case SHOPT:
        run_shopt(w, c);
        break;
    case NAMES:
        run_names(w, c);
        break;
    default: /* LEAVES; the rest is the caller's */
        w->escapes++;
        break;
    }
}

bool builtin_run(struct walk *w, const struct command_fact *c, const struct cwds *in,
                 struct flow *flow)
{
    const struct builtin *b = find_builtin(c);
    if (!b)
        return false;
    if (b->effect == DIRECTORY)
        *flow = change_directory(w, c, in);
    else if (b->effect == FORGETS)
        flow->ok = (struct cwds){.unknown = true};
    else
        run_effect(w, b->effect, c);
    return true;
}
