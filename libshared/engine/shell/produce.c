/* produce.c - see produce.h. Each command whose output is known is a row of `producers`. */
#include "engine/shell/produce.h"

#include "base/scope.h"
#include "engine/shell/decode.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

char *produce_joined(struct peeling *p, const struct args *argv, size_t from)
{
    size_t len = 1;
    for (size_t i = from; i < argv->count; i++) {
        if (argv->items[i].kind != ARG_LITERAL || argv->items[i].glob_at != SIZE_MAX)
            return NULL;
        len += argv->items[i].len + 1;
    }
    char *text = walk_new(p->w, len, 1), *at = text;
    for (size_t i = from; i < argv->count && text; i++) {
        at = i == from ? at : mempcpy(at, " ", 1);
        at = mempcpy(at, argv->items[i].text, argv->items[i].len);
    }
    return text;
}

/* A command whose output is being made. */
struct making {
    struct walk *w;
    const struct command_fact *c;
    struct made out;
    bool climbs; /* a hole that may be anything is in it */
};

static const struct arg *argument(const struct making *m, size_t i)
{
    return i < m->c->argv.count ? &m->c->argv.items[i] : NULL;
}

static bool is_known(const struct arg *a)
{
    return a && a->kind == ARG_LITERAL && a->glob_at == SIZE_MAX;
}

/* Puts an argument, which may have holes but is one argument. */
static void put_arg(struct making *m, const struct arg *a)
{
    m->out.failed |= a->glob_at != SIZE_MAX || a->splits;
    m->climbs |= a->climbs;
    made_add(&m->out, a->text, a->len);
}

/* Puts a text with escapes; false after \c. */
static bool put_escaped(struct making *m, const char *text, bool zero)
{
    while (*text) {
        if (*text != '\\') {
            made_add(&m->out, text++, 1);
            continue;
        }
        text++;
        if (!decode_escape(&m->out, &text, zero))
            return false;
    }
    return true;
}

static bool is_echo_option(const struct arg *a)
{
    return a && a->text[0] == '-' && a->text[1] && strspn(a->text + 1, "neE") == a->len - 1;
}

static void make_echo(struct making *m)
{
    bool newline = true, escapes = false, unsure = m->w->posix && !m->c->external;
    size_t i = 1;
    for (; is_echo_option(argument(m, i)); i++) {
        newline &= !strchr(argument(m, i)->text, 'n');
        for (const char *at = argument(m, i)->text + 1; *at; at++)
            escapes = *at == 'e' || (escapes && *at != 'E');
        m->out.failed |= unsure && strcmp(argument(m, i)->text, "-n") != 0;
    }
    for (size_t first = i; argument(m, i); i++) {
        const struct arg *a = argument(m, i);
        m->out.failed |= (unsure || m->w->echo_escapes) && strchr(a->text, '\\');
        m->out.failed |= i == first && a->text[0] == HOLE && a->len == 1 && first == 1;
        if (i > first)
            made_put(&m->out, ' ');
        m->climbs |= a->climbs;
        m->out.failed |= a->glob_at != SIZE_MAX;
        if (!escapes)
            made_add(&m->out, a->text, a->len);
        else if (!put_escaped(m, a->text, true))
            return;
    }
    if (newline)
        made_put(&m->out, '\n');
}

/* One conversion behind its %; *next is the next argument. Moves *at. */
static void put_conversion(struct making *m, const char **at, size_t *next)
{
    char kind = **at;
    const struct arg *a = argument(m, *next);
    static const struct arg empty = {.text = "", .glob_at = SIZE_MAX};
    if (kind == '%') {
        made_put(&m->out, '%');
        ++*at;
        return;
    }
    if (!kind || !strchr("sbcdi", kind)) {
        m->out.failed = true;
        return;
    }
    ++*at;
    *next += a != NULL;
    a = a ? a : &empty;
    if (kind == 's') {
        put_arg(m, a);
    } else if (kind == 'b') {
        m->out.failed |= !is_known(a) && a->len;
        m->out.failed |= !put_escaped(m, a->text, false);
    } else if (kind == 'c') {
        m->out.failed |= a->text[0] & 0x80 || a->text[0] == HOLE;
        made_add(&m->out, a->text, a->len > 0);
    } else {
        char text[24];
        bool number = a->len < 18 && a->text[strspn(a->text, "0123456789")] == 0 &&
                      (a->text[0] != '0' || a->len == 1);
        m->out.failed |= !number;
        made_add(&m->out, text,
                 (size_t)snprintf(text, sizeof text, "%ld", strtol(a->text, NULL, 10)));
    }
}

/* The format once; false when nothing more is written. */
static bool put_format(struct making *m, const char *format, size_t *next)
{
    while (*format && !m->out.failed) {
        char c = *format++;
        if (c == '%') {
            put_conversion(m, &format, next);
        } else if (c == '\\' && (*format == '"' || *format == '\'' || *format == '?')) {
            made_put(&m->out, *format++);
        } else if (c == '\\') {
            if (!decode_escape(&m->out, &format, false))
                return false;
        } else {
            made_add(&m->out, &c, 1);
        }
    }
    return !m->out.failed;
}

static void make_printf_from(struct making *m, size_t i)
{
    const struct arg *format = argument(m, i);
    if (format && !strcmp(format->text, "--"))
        format = argument(m, ++i);
    if (!is_known(format)) {
        m->out.failed = true;
        return;
    }
    for (size_t next = i + 1, before;;) {
        before = next;
        if (!put_format(m, format->text, &next) || next == before || next >= m->c->argv.count)
            return;
    }
}

static void make_printf(struct making *m)
{
    const struct arg *first = argument(m, 1);
    if (first && !strncmp(first->text, "-v", 2))
        return; /* it writes nothing */
    m->out.failed |= first && first->text[0] == '-' && strcmp(first->text, "--") != 0;
    make_printf_from(m, 1);
}

bool produce_printf(struct walk *w, const struct command_fact *c, size_t format, struct arg *to)
{
    struct making m = {.w = w, .c = c, .out = {.arena = &w->facts->arena}};
    make_printf_from(&m, format);
    if (m.out.failed)
        return false;
    *to = arg_literal(m.out.text ? m.out.text : "");
    to->kind = memchr(to->text, HOLE, to->len) ? ARG_PARTIAL : ARG_LITERAL;
    to->climbs = m.climbs;
    return true;
}

/* Puts the input, or a file that the same text wrote. */
static void put_file(struct making *m, const struct arg *file)
{
    bool input = !file || !strcmp(file->text, "-");
    const struct arg *text = input           ? produce_input(m->w, m->c)
                             : file->content ? NULL
                                             : disk_content(m->w, m->c->cwds, file);
    if (file && file->content)
        made_add(&m->out, file->content, strlen(file->content));
    else if (text)
        put_arg(m, text);
    else
        m->out.failed = true;
}

static void make_cat(struct making *m)
{
    if (m->c->argv.count == 1)
        put_file(m, NULL);
    for (size_t i = 1; argument(m, i); i++) {
        const struct arg *a = argument(m, i);
        if (a->text[0] == '-' && a->len > 1 && strcmp(a->text, "-u") != 0)
            m->out.failed = true;
        else if (strcmp(a->text, "-u") != 0)
            put_file(m, a);
    }
}

static void make_copy(struct making *m)
{
    put_file(m, NULL);
}

/* The one operand of a filter, behind options of these letters; false when there is more to it. */
static bool read_operand(struct making *m, const char *letters, const struct arg **file,
                         bool *decodes)
{
    *file = NULL;
    for (size_t i = 1; argument(m, i); i++) {
        const struct arg *a = argument(m, i);
        if (!strcmp(a->text, "--decode"))
            *decodes = true;
        else if (!strcmp(a->text, "--ignore-garbage"))
            continue;
        else if (a->text[0] != '-' || a->len == 1)
            *file = a;
        else if (strspn(a->text + 1, letters) != a->len - 1)
            return false;
        else
            *decodes |= strpbrk(a->text + 1, "dDr") != NULL;
    }
    return true;
}

/* Reads the operand or the input through a filter. */
static void filter(struct making *m, const struct arg *file,
                   void (*decode)(struct made *to, const char *text, size_t len))
{
    struct making input = {.w = m->w, .c = m->c, .out = {.arena = m->out.arena}};
    put_file(&input, file);
    const char *text = input.out.text ? input.out.text : "";
    m->out.failed |= input.out.failed || memchr(text, HOLE, input.out.len);
    if (!m->out.failed)
        decode(&m->out, text, input.out.len);
}

static void make_base64(struct making *m)
{
    const struct arg *file;
    bool decodes = false;
    if (read_operand(m, "dDi", &file, &decodes) && decodes)
        filter(m, file, strcmp(m->c->name, "base32") ? decode_base64 : decode_base32);
    else
        m->out.failed = true;
}

static void make_xxd(struct making *m)
{
    const struct arg *file;
    bool decodes = false, plain = false;
    for (size_t i = 1; argument(m, i); i++)
        plain |= argument(m, i)->text[0] == '-' && strchr(argument(m, i)->text, 'p');
    if (read_operand(m, "rps", &file, &decodes) && decodes)
        filter(m, file, plain ? decode_hex : decode_dump);
    else
        m->out.failed = true;
}

/* openssl base64 -d, openssl enc -base64 -d */
static void make_openssl(struct making *m)
{
    const struct arg *file = NULL;
    bool decodes = false, base64 = false;
    for (size_t i = 1; argument(m, i); i++) {
        const char *text = argument(m, i)->text;
        base64 |= !strcmp(text, "base64") || !strcmp(text, "-base64") || !strcmp(text, "-a");
        decodes |= !strcmp(text, "-d");
        if (!strcmp(text, "-in") && argument(m, i + 1))
            file = argument(m, ++i);
        else
            m->out.failed |= strcmp(text, "enc") && strcmp(text, "base64") &&
                             strcmp(text, "-base64") && strcmp(text, "-a") && strcmp(text, "-d") &&
                             strcmp(text, "-A");
    }
    m->out.failed |= !base64 || !decodes;
    if (!m->out.failed)
        filter(m, file, decode_base64);
}

static void make_rev(struct making *m)
{
    const struct arg *file;
    bool ignored = false;
    if (read_operand(m, "", &file, &ignored))
        filter(m, file, strcmp(m->c->name, "tac") ? decode_reversed : decode_lines);
    else
        m->out.failed = true;
}

static void make_tr(struct making *m)
{
    const struct arg *first = argument(m, 1), *sets[2] = {first, argument(m, 2)};
    bool deletes = first && (!strcmp(first->text, "-d") || !strcmp(first->text, "--delete"));
    if (deletes) {
        sets[0] = argument(m, 2);
        sets[1] = NULL;
    }
    const struct arg *input = produce_input(m->w, m->c);
    bool known = is_known(sets[0]) && (deletes || is_known(sets[1])) && is_known(input) &&
                 m->c->argv.count == 3 && (deletes || first->text[0] != '-');
    if (known)
        decode_translated(&m->out, input->text, input->len, sets[0]->text,
                          deletes ? NULL : sets[1]->text);
    else
        m->out.failed = true;
}

static void make_nothing(struct making *m)
{
    (void)m;
}

static void make_pwd(struct making *m)
{
    const struct cwds *cwds = m->c->cwds;
    m->out.failed |= m->c->argv.count > 1 || cwds->count != 1 || cwds->unknown || !m->w->pwd_known;
    if (!m->out.failed)
        made_add(&m->out, cwds->path[0], strlen(cwds->path[0]));
    made_put(&m->out, '\n');
}

/* basename and dirname of one path */
static void make_name(struct making *m)
{
    const struct arg *path = argument(m, 1);
    m->out.failed |= m->c->argv.count != 2 || !is_known(path) || path->text[0] == '-';
    if (m->out.failed)
        return;
    size_t len = path->len;
    while (len > 1 && path->text[len - 1] == '/')
        len--;
    size_t slash = len;
    while (slash && path->text[slash - 1] != '/')
        slash--;
    if (!strcmp(m->c->name, "basename") && slash < len) {
        made_add(&m->out, path->text + slash, len - slash);
    } else if (!slash && strcmp(m->c->name, "basename") != 0) {
        made_put(&m->out, '.');
    } else {
        while (slash > 1 && path->text[slash - 1] == '/')
            slash--;
        made_add(&m->out, path->text, slash);
    }
    made_put(&m->out, '\n');
}

/* seq N, seq N M: short ones */
static void make_seq(struct making *m)
{
    const struct arg *first = argument(m, 1), *second = argument(m, 2);
    char text[24];
    long from = 1, to = 0;
    m->out.failed |= m->c->argv.count > 3 || !is_known(first) || (second && !is_known(second));
    for (const struct arg *a = first; a && !m->out.failed; a = a == first ? second : NULL)
        m->out.failed |= !a->len || a->len > 6 || a->text[strspn(a->text, "0123456789")];
    if (m->out.failed)
        return;
    from = second ? strtol(first->text, NULL, 10) : 1;
    to = strtol((second ? second : first)->text, NULL, 10);
    m->out.failed |= to - from > 64;
    for (; from <= to && !m->out.failed; from++)
        made_add(&m->out, text, (size_t)snprintf(text, sizeof text, "%ld\n", from));
}

/* mktemp: a name in the directory for such files, which is not known but for its place. */
static void make_mktemp(struct making *m)
{
    static const char hole = HOLE;
    const struct arg *model = NULL;
    bool there = false;
    for (size_t i = 1; argument(m, i); i++) {
        const struct arg *a = argument(m, i);
        if (a->text[0] != '-')
            model = a;
        else if (strspn(a->text + 1, "dqut") == a->len - 1)
            there |= strchr(a->text, 't') != NULL;
        else
            m->out.failed |= strcmp(a->text, "--directory") != 0;
    }
    const struct state *place = vars_get(&m->w->vars, "TMPDIR");
    bool placed = !model || there;
    size_t len = model ? model->len : 0;
    while (len && model->text[len - 1] == 'X')
        len--;
    m->out.failed |= (model && (!is_known(model) || model->len - len < 3)) ||
                     (placed && place->values[0]->items[0].text[0] != HOLE) || (there && !model) ||
                     (there && strchr(model->text, '/'));
    if (m->out.failed)
        return;
    made_add(&m->out, "/tmp/", placed ? 5 : 0);
    made_add(&m->out, model ? model->text : "tmp.", model ? len : 4);
    made_add(&m->out, &hole, 1);
    made_put(&m->out, '\n');
}

static const struct producer {
    const char *name;
    void (*make)(struct making *m);
} producers[] = {
    {"echo", make_echo},      {"printf", make_printf},   {"cat", make_cat},
    {"tee", make_copy},       {"base64", make_base64},   {"base32", make_base64},
    {"xxd", make_xxd},        {"openssl", make_openssl}, {"rev", make_rev},
    {"tac", make_rev},        {"tr", make_tr},           {"pwd", make_pwd},
    {"basename", make_name},  {"dirname", make_name},    {"seq", make_seq},
    {"mktemp", make_mktemp},  {":", make_nothing},       {"true", make_nothing},
    {"cd", make_nothing},     {"set", make_nothing},     {"shift", make_nothing},
    {"export", make_nothing}, {"local", make_nothing},   {"unset", make_nothing},
    {"read", make_nothing},   {"shopt", make_nothing},   {"sleep", make_nothing},
    {"umask", make_nothing},  {"return", make_nothing},
};

static bool make(struct walk *w, const struct command_fact *c, struct making *m)
{
    *m = (struct making){.w = w, .c = c, .out = {.arena = &w->facts->arena}};
    for (size_t i = 0; i < COUNT(producers); i++) {
        if (strcmp(producers[i].name, c->name) != 0)
            continue;
        producers[i].make(m);
        return !m->out.failed;
    }
    return false;
}

bool produce_never_fails(const struct command_fact *c)
{
    static const char *const names[] = {"echo", "printf", "true", ":"};
    for (size_t i = 0; c && c->name && i < COUNT(names); i++)
        if (!strcmp(names[i], c->name))
            return true;
    return false;
}

enum produce_way produce_way(const struct command_fact *c)
{
    enum produce_way way = PRODUCE_STDOUT;
    for (size_t i = 0; i < c->redirects_count; i++) {
        const struct redirect_fact *r = &c->redirects[i];
        bool all = r->op == REDIRECT_ALL || r->op == REDIRECT_ALL_APPEND;
        bool dup = r->op == REDIRECT_DUP_OUT || r->op == REDIRECT_DUP_IN;
        if (dup && r->fd == 2 && arg_is(&r->target, "1"))
            continue;
        if (dup)
            return PRODUCE_ELSEWHERE;
        if (all || (r->fd == 1 && r->op != REDIRECT_IN && r->op < REDIRECT_HEREDOC))
            way = PRODUCE_FILE;
    }
    return way;
}

static void sink_add(struct walk *w, const struct making *m)
{
    struct sink *sink = w->sink;
    struct made all = {
        .arena = &w->facts->arena, .text = sink->text, .len = sink->len, .room = sink->room};
    made_add(&all, m->out.text ? m->out.text : "", m->out.len);
    *sink = (struct sink){.text = all.text,
                          .len = all.len,
                          .room = all.room,
                          .climbs = sink->climbs || m->climbs,
                          .unknown = sink->unknown || all.failed};
}

void produce_emit(struct walk *w, const struct command_fact *c)
{
    struct making m;
    enum produce_way way = produce_way(c);
    bool tees = !strcmp(c->name, "tee"), reads = w->sink && !w->sink->unknown;
    w->emitted++;
    if (!reads && way != PRODUCE_FILE && !tees)
        return;
    bool known = make(w, c, &m);
    if (known && (way == PRODUCE_FILE || tees)) {
        struct arg *output = walk_new(w, 1, sizeof *output);
        if (output) {
            *output = arg_literal(m.out.text ? m.out.text : "");
            output->kind = memchr(output->text, HOLE, output->len) ? ARG_PARTIAL : ARG_LITERAL;
            disk_note_output(w, c, output);
        }
    }
    if (reads && known)
        sink_add(w, &m);
    else if (reads)
        w->sink->unknown = true;
}

const struct arg *sink_text(struct walk *w, const struct sink *sink, bool trim)
{
    size_t len = sink->len;
    while (trim && len && sink->text[len - 1] == '\n')
        len--;
    if (sink->unknown || w->facts->trouble.kinds)
        return NULL;
    struct arg *a = walk_new(w, 1, sizeof *a);
    char *text = a ? arena_text(&w->facts->arena, sink->text ? sink->text : "", len) : NULL;
    if (!text)
        return NULL;
    *a = arg_literal(text);
    a->kind = memchr(text, HOLE, len) ? ARG_PARTIAL : ARG_LITERAL;
    a->climbs = sink->climbs;
    return a;
}

/* A here-string ends with a newline. */
static const struct arg *with_newline(struct walk *w, const struct arg *a)
{
    struct arg *line = walk_new(w, 1, sizeof *line);
    char *text = line ? walk_new(w, a->len + 2, 1) : NULL;
    if (!text)
        return NULL;
    memcpy(text, a->text, a->len);
    text[a->len] = '\n';
    *line = *a;
    line->text = text;
    line->len++;
    return line;
}

static const struct arg *content_of(struct walk *w, const struct arg *process)
{
    struct arg *text = walk_new(w, 1, sizeof *text);
    if (text)
        *text = arg_literal(process->content);
    return text;
}

/* What a redirect of the stdin brings: false when there is none. */
static bool redirected(struct walk *w, const struct command_fact *c, const struct cwds *in,
                       const struct arg **text)
{
    bool any = false;
    for (size_t i = 0; i < c->redirects_count; i++) {
        const struct redirect_fact *r = &c->redirects[i];
        if (r->fd)
            continue;
        any = true;
        *text = NULL;
        if (r->op == REDIRECT_HEREDOC)
            *text = &r->target;
        else if (r->op == REDIRECT_HERESTRING)
            *text = with_newline(w, &r->target);
        else if (r->op == REDIRECT_IN && r->target.content)
            *text = content_of(w, &r->target);
        else if (r->op == REDIRECT_IN)
            *text = disk_content(w, in, &r->target);
    }
    return any;
}

const struct arg *produce_redirected(struct walk *w, const struct command_fact *c,
                                     const struct cwds *in, const struct arg *input)
{
    redirected(w, c, in, &input);
    return input;
}

const struct arg *produce_input(struct walk *w, const struct command_fact *c)
{
    const struct arg *text = w->input;
    redirected(w, c, c->cwds, &text);
    return text;
}

static bool is_plain_file(const struct peeling *p)
{
    const struct redirect_fact *input = NULL;
    for (size_t i = 0; i < p->c->redirects_count; i++)
        if (!p->c->redirects[i].fd)
            input = &p->c->redirects[i];
    return input && input->op == REDIRECT_IN && !inner_is_odd_file(p, &input->target);
}

struct flow produce_stdin(struct peeling *p)
{
    const struct arg *code = produce_input(p->w, p->c), *input = p->w->input;
    if (!code && is_plain_file(p))
        return flow_same(p->in); /* a script by another name */
    if (!code)
        return peel_unsure(p, TROUBLE_CODE, "runs what its standard input brings");
    p->w->input = NULL; /* the shell reads it to its end */
    struct flow flow = inner_text(p, code);
    p->w->input = input;
    return flow;
}

void produce_script(struct peeling *p, const struct arg *file)
{
    const struct arg *text = disk_code(p->w, p->in, file);
    if (text)
        inner_text(p, text);
}
