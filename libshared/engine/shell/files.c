/* files.c - see files.h. What an operand or a value means is a letter of the program's row. */
#include "engine/shell/files.h"

#include "base/scope.h"

#include <stdint.h>
#include <string.h>

const struct arg *files_keep(struct walk *w, struct arg a)
{
    struct arg *kept = walk_new(w, 1, sizeof *kept);
    if (kept)
        *kept = a;
    return kept;
}

void files_add(struct walk *w, struct command_fact *c, unsigned touches, bool recursive,
               const struct arg *path)
{
    if (!path || !path->len || !touches || !strcmp(path->text, "-"))
        return;
    struct file_fact *fact = walk_new(w, 1, sizeof *fact);
    if (!fact)
        return;
    *fact = (struct file_fact){touches, recursive, *path, c->files};
    c->files = fact;
}

const struct arg *files_below(struct walk *w, const struct arg *dir, const struct arg *path)
{
    if (!dir || !path || path->text[0] == '/' || !dir->len)
        return path;
    char *text = walk_new(w, dir->len + path->len + 2, 1);
    if (!text)
        return NULL;
    memcpy(text, dir->text, dir->len);
    text[dir->len] = '/';
    memcpy(text + dir->len + 1, path->text, path->len);
    struct arg joined = arg_literal(text);
    joined.len = dir->len + 1 + path->len;
    if (dir->kind != ARG_LITERAL || path->kind != ARG_LITERAL)
        joined.kind = ARG_PARTIAL;
    joined.splits = dir->splits || path->splits;
    joined.glob_at = dir->glob_at;
    if (dir->glob_at == SIZE_MAX && path->glob_at != SIZE_MAX)
        joined.glob_at = dir->len + 1 + path->glob_at;
    return files_keep(w, joined);
}

const struct arg *files_base(struct walk *w, const struct arg *path)
{
    size_t end = path->len, at;
    const char *scheme = strstr(path->text, "://");
    if (scheme)
        end = strcspn(path->text, "?#");
    while (end && path->text[end - 1] == '/')
        end--;
    for (at = end; at && path->text[at - 1] != '/'; at--)
        ;
    if (at == end || (scheme && path->text + at <= scheme + 3))
        return NULL;
    char *text = arena_text(&w->facts->arena, path->text + at, end - at);
    if (!text)
        return NULL;
    struct arg base = arg_literal(text);
    bool hole = strchr(text, HOLE) != NULL;
    base.kind = !hole ? ARG_LITERAL : end - at == 1 ? ARG_DYNAMIC : ARG_PARTIAL;
    base.glob_at = path->glob_at == SIZE_MAX ? SIZE_MAX : strcspn(text, "*?[");
    if (base.glob_at != SIZE_MAX && base.glob_at >= base.len)
        base.glob_at = SIZE_MAX;
    return files_keep(w, base);
}

bool is_remote(const struct arg *a)
{
    size_t colon = strcspn(a->text, ":"), slash = strcspn(a->text, "/");
    return strstr(a->text, "://") || (colon && a->text[colon] && colon < slash);
}

/* The role at `i` of `count` operands by a row's letters: see options.h. */
static char role_at(const char *roles, bool instead, bool all_sources, size_t i, size_t count)
{
    char list[12] = "";
    size_t n = 0;
    for (; *roles && n + 1 < sizeof list; roles++) {
        if (*roles == '(' && instead && roles[1] && roles[2] == ')')
            roles += 2;
        else if (*roles != '(' && *roles != ')')
            list[n++] = *roles;
    }
    const char *star = strchr(list, '*');
    if (!star)
        return i < n ? list[i] : ROLE_NOTHING;
    size_t before = (size_t)(star - list) - 1, behind = n - before - 2;
    if (i < before)
        return list[i];
    if (!all_sources && count > before + behind && i + behind >= count)
        return list[n - (count - i)];
    return star[-1];
}

char operand_role(const struct command_fact *c, size_t i)
{
    const struct reading *r = c->reading;
    if (!r || !r->program)
        return ROLE_ANY;
    if (i < r->commands)
        return ROLE_NOTHING;
    bool into = r->effects[ROLE_INTO];
    return role_at(r->program->operands, r->instead, into, i - r->commands,
                   c->operands_count - r->commands);
}

const struct arg *files_from(struct walk *w, const struct command_fact *c)
{
    const struct arg *from = NULL;
    for (size_t i = 0; i < c->options_count; i++)
        if (c->reading->roles[i] == ROLE_FROM && c->options[i].value)
            from = files_below(w, from, c->options[i].value);
    return from;
}

/* The touches of a role; 0 when it is no file. */
static unsigned touches_of(char role)
{
    switch (role) {
    case ROLE_READ:
    case ROLE_TREE:
    case ROLE_REMOTE:
    case ROLE_PLACE:
        return TOUCH_READ;
    case ROLE_WRITE:
    case ROLE_INTO:
    case ROLE_TARGET:
        return TOUCH_WRITE;
    case ROLE_BOTH:
        return TOUCH_READ | TOUCH_WRITE;
    case ROLE_DELETE:
        return TOUCH_DELETE;
    case ROLE_MOVE:
        return TOUCH_READ | TOUCH_MOVE | TOUCH_DELETE;
    case ROLE_MODE:
        return TOUCH_MODE;
    case ROLE_SEARCH:
        return TOUCH_READ | TOUCH_SEARCH;
    case ROLE_RUN:
    case ROLE_SCRIPT:
        return TOUCH_RUN;
    case ROLE_PRESS:
        return TOUCH_READ | TOUCH_WRITE | TOUCH_DELETE;
    default:
        return 0;
    }
}

/* The touches of an operand once the options' effects are counted in. */
static unsigned touches_with(const struct reading *r, char role)
{
    unsigned touches = touches_of(role);
    if (role == ROLE_NOTHING && r->effects[EFFECT_READS])
        touches = TOUCH_READ;
    bool source = touches & TOUCH_READ;
    if (role == ROLE_PRESS && r->effects[EFFECT_KEEPS])
        return TOUCH_READ;
    if (source && r->effects[EFFECT_WRITES])
        touches |= TOUCH_WRITE;
    if (source && r->effects[EFFECT_DELETES])
        touches |= TOUCH_DELETE;
    if (touches && r->effects[EFFECT_MAKES])
        touches = TOUCH_WRITE;
    return touches;
}

static bool is_recursive(const struct reading *r, char role)
{
    if (role == ROLE_TREE || role == ROLE_MOVE || role == ROLE_PLACE)
        return true;
    bool target = role == ROLE_WRITE || role == ROLE_INTO || role == ROLE_TARGET;
    return r->effects[EFFECT_RECURSIVE] && !target;
}

/* "@file", or "name@file" of curl's --data-urlencode; a cookie jar is a file without a sign. */
static void add_data(struct walk *w, struct command_fact *c, const struct option_fact *o)
{
    const struct arg *value = o->value;
    size_t at = strcspn(value->text, "@="), from = SIZE_MAX;
    bool cookie = !strcmp(o->name, "-b") || !strcmp(o->name, "--cookie");
    if (value->text[0] == '@')
        from = 1;
    else if (!strcmp(o->name, "--data-urlencode") && value->text[at] == '@')
        from = at + 1;
    else if (cookie && !value->text[at])
        from = 0;
    if (from != SIZE_MAX)
        files_add(w, c, TOUCH_READ, false, files_keep(w, arg_behind(value, from)));
}

/* "name=@file;type=…", "name=<file". */
static void add_form(struct walk *w, struct command_fact *c, const struct arg *value)
{
    size_t at = strcspn(value->text, "=");
    if (!value->text[at] || (value->text[at + 1] != '@' && value->text[at + 1] != '<'))
        return;
    const char *from = value->text + at + 2;
    char *text = arena_text(&w->facts->arena, from, strcspn(from, ";,"));
    if (!text)
        return;
    struct arg path = arg_literal(text);
    path.kind = strchr(text, HOLE) ? ARG_PARTIAL : ARG_LITERAL;
    files_add(w, c, TOUCH_READ, false, &path);
}

/* "SOURCE:TARGET[:ro]" of a container's -v, "type=bind,source=…,readonly" of --mount. */
static void add_mount(struct walk *w, struct command_fact *c, const struct arg *value)
{
    const char *text = value->text, *source = strstr(text, "source=");
    bool read_only = strstr(text, ":ro") || strstr(text, "readonly") || strstr(text, ",ro");
    size_t len = strcspn(text, ":");
    if (source)
        source += strlen("source=");
    else if ((source = strstr(text, "src=")))
        source += strlen("src=");
    if (source)
        len = strcspn(source, ",");
    else if (text[len] && (text[0] == '/' || text[0] == '.' || text[0] == HOLE))
        source = text;
    char *copy = source ? arena_text(&w->facts->arena, source, len) : NULL;
    if (!copy)
        return;
    struct arg path = arg_literal(copy);
    if (strchr(copy, HOLE))
        path.kind = copy[1] ? ARG_PARTIAL : ARG_DYNAMIC;
    files_add(w, c, TOUCH_READ | (read_only ? 0 : TOUCH_WRITE), true, &path);
}

static void add_value(struct walk *w, struct command_fact *c, size_t i)
{
    const struct option_fact *o = &c->options[i];
    char role = c->reading->roles[i];
    if (!o->value)
        return;
    if (role == ROLE_AT)
        add_data(w, c, o);
    else if (role == ROLE_FORM)
        add_form(w, c, o->value);
    else if (role == ROLE_MOUNT)
        add_mount(w, c, o->value);
    else if (role == ROLE_PLACE && (is_remote(o->value) || !strchr(o->value->text, '/')))
        return;
    else
        files_add(w, c, touches_of(role), role == ROLE_PLACE, o->value);
}

/* A package or repository by name is no file; one with a path is. */
static bool is_named(const struct arg *a)
{
    return a->text[0] == '@' || (!strchr(a->text, '/') && a->text[0] != '.');
}

/* What is written when sources go to a target that may be a directory: the target, and a file of
 * each source's name in it. */
static void add_target(struct walk *w, struct command_fact *c, const struct arg *target,
                       const struct arg *from, unsigned touches)
{
    bool whole = c->reading->effects[EFFECT_EMPTIES];
    target = files_below(w, from, target);
    if (!target)
        return;
    files_add(w, c, touches | (whole ? TOUCH_DELETE : 0), whole, target);
    size_t last = c->operands_count;
    for (size_t i = c->reading->commands; i < last; i++) {
        struct arg source = *c->operands[i];
        char role = operand_role(c, i);
        if (role == ROLE_REMOTE && is_remote(&source) && !strstr(source.text, "://"))
            source = arg_behind(&source, strcspn(source.text, ":") + 1);
        bool known = touches_of(role) & TOUCH_READ;
        const struct arg *base = known ? files_base(w, &source) : NULL;
        if (base && !arg_is(base, ".") && !arg_is(base, ".."))
            files_add(w, c, touches, false, files_below(w, target, base));
    }
}

static void add_operand(struct walk *w, struct command_fact *c, size_t i, const struct arg *from)
{
    const struct arg *operand = c->operands[i];
    char role = operand_role(c, i);
    bool remote = role == ROLE_REMOTE || role == ROLE_TARGET || role == ROLE_PLACE;
    if (remote && (is_remote(operand) || (role == ROLE_PLACE && is_named(operand))))
        return;
    unsigned touches = touches_with(c->reading, role);
    bool last = i + 1 == c->operands_count && i > c->reading->commands;
    if (touches == TOUCH_WRITE && last && !c->reading->effects[EFFECT_MAKES] &&
        strchr(c->reading->program->operands, '*') && role != c->reading->program->operands[0])
        add_target(w, c, operand, from, touches);
    else
        files_add(w, c, touches, is_recursive(c->reading, role), files_below(w, from, operand));
}

/* "ln -s /etc/x" makes ./x. */
static void add_link(struct walk *w, struct command_fact *c, const struct arg *from)
{
    const char *name = c->reading->program->name;
    if (strcmp(name, "ln") != 0 || c->operands_count != 1 || c->reading->effects[ROLE_INTO])
        return;
    const struct arg *base = files_base(w, c->operands[0]);
    if (base)
        files_add(w, c, TOUCH_WRITE, false, files_below(w, from, base));
}

/* Fetched files that are written under the names in their URLs. */
static void add_fetched(struct walk *w, struct command_fact *c, const struct arg *into)
{
    const char *name = c->reading->program->name;
    bool wget = !strcmp(name, "wget") || !strcmp(name, "aria2c") || !strcmp(name, "@download");
    bool given = option_of(c, "-O") || option_of(c, "--output-document") || option_of(c, "-o") ||
                 option_of(c, "--out") || option_of(c, "--output");
    bool clone = !strcmp(name, "git clone") && c->operands_count == c->reading->commands + 1;
    if (!clone && !(wget ? !given : c->reading->effects[EFFECT_NAMES]))
        return;
    for (size_t i = c->reading->commands; i < c->operands_count; i++) {
        const struct arg *base = files_base(w, c->operands[i]);
        size_t len = base ? base->len : 0;
        if (clone && len > 4 && !strcmp(base->text + len - 4, ".git")) {
            char *text = arena_text(&w->facts->arena, base->text, len - 4);
            base = text ? files_keep(w, arg_literal(text)) : NULL;
        }
        struct arg page = arg_literal("index.html");
        if (!base && wget)
            base = files_keep(w, page);
        if (base)
            files_add(w, c, TOUCH_WRITE, false, files_below(w, into, base));
    }
}

/* A search that is told no place looks through its directory: always those that never read their
 * input but from a pipe, the others where an option says so. */
static void add_search(struct walk *w, struct command_fact *c)
{
    const struct reading *r = c->reading;
    bool greps = !strcmp(r->program->name, "egrep");
    size_t patterns = r->instead ? 0 : 1;
    bool piped = c->upstream || c->context & CONTEXT_PIPED_IN;
    struct arg here = arg_literal(".");
    if (strcmp(r->program->operands, "(-)s*") != 0 || c->operands_count > r->commands + patterns ||
        c->swept)
        return;
    if (greps ? r->effects[EFFECT_RECURSIVE] || !strcmp(c->name, "rgrep") : !piped)
        files_add(w, c, TOUCH_READ | TOUCH_SEARCH, true, &here);
}

static void find_by_row(struct walk *w, struct command_fact *c)
{
    const struct arg *from = files_from(w, c), *into = NULL;
    for (size_t i = 0; i < c->options_count; i++) {
        bool target = c->reading->roles[i] == ROLE_INTO && c->options[i].value;
        into = target ? files_below(w, from, c->options[i].value) : into;
        if (!target)
            add_value(w, c, i);
    }
    if (c->reading->program->operands[0] == '!') {
        files_special(w, c);
        return;
    }
    for (size_t i = c->reading->commands; i < c->operands_count; i++)
        add_operand(w, c, i, from);
    if (into)
        add_target(w, c, into, NULL, TOUCH_WRITE);
    add_search(w, c);
    add_link(w, c, from);
    add_fetched(w, c, into ? into : from);
}

static unsigned touches_of_redirect(const struct redirect_fact *r)
{
    switch (r->op) {
    case REDIRECT_IN:
        return TOUCH_READ;
    case REDIRECT_BOTH_WAY:
        return TOUCH_READ | TOUCH_WRITE;
    case REDIRECT_DUP_IN:
    case REDIRECT_DUP_OUT: /* a number is a descriptor */
        if (!r->target.text[strspn(r->target.text, "0123456789-")])
            return 0;
        return r->op == REDIRECT_DUP_IN ? TOUCH_READ : TOUCH_WRITE;
    case REDIRECT_HEREDOC:
    case REDIRECT_HERESTRING:
        return 0;
    default:
        return TOUCH_WRITE;
    }
}

/* An interpreter without a script runs what its stdin is. */
static bool runs_stdin(const struct command_fact *c)
{
    const struct program *row = c->reading ? c->reading->program : NULL;
    return row && !strncmp(row->operands, "(x)", 3) && !c->operands_count &&
           (!c->reading->instead || option_of(c, "-s"));
}

/* The redirects of a command that runs elsewhere are its wrapper's, which stands here. */
static void find_redirects(struct walk *w, struct command_fact *c)
{
    bool theirs = c->wrapper && c->redirects == c->wrapper->redirects;
    if (theirs && c->context & CONTEXT_ELSEWHERE)
        return;
    for (size_t i = 0; i < c->redirects_count; i++) {
        const struct redirect_fact *r = &c->redirects[i];
        unsigned touches = touches_of_redirect(r);
        if (r->op == REDIRECT_IN && !r->fd && runs_stdin(c))
            touches |= TOUCH_RUN;
        if (!r->target.process)
            files_add(w, c, touches, false, &r->target);
    }
}

void files_find(struct walk *w, struct command_fact *c)
{
    find_redirects(w, c);
    if (!c->argv.count || !c->reading)
        return;
    if (strchr(c->argv.items[0].text, '/'))
        files_add(w, c, TOUCH_RUN, false, &c->argv.items[0]);
    if (c->reading->program && !c->reading->effects[EFFECT_LOOKS])
        find_by_row(w, c);
}
