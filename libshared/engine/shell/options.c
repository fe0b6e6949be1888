/* options.c - reads the arguments of a command by its row; see options.h. One pass over them; what
 * it keeps is bounded by their length. */
#include "engine/shell/options.h"

#include "base/scope.h"
#include "engine/shell/walk.h"

#include <stdint.h>
#include <string.h>

enum { ROW_NAME_MAX_BYTES = 48, LETTERS = 128 };

enum takes { TAKES_UNKNOWN, TAKES_NOTHING, TAKES_VALUE, TAKES_OPTIONAL, TAKES_PAIR };

/* What a row says of one option. */
struct spec {
    unsigned char takes; /* enum takes */
    char role;           /* enum role, enum effect, or 0 */
};

struct reader {
    struct walk *w;
    struct command_fact *c;
    struct reading *reading;
    const struct program *shared; /* its options count, too; NULL: none */
    struct spec letters[LETTERS];
    bool noted[LETTERS]; /* the flag is among the options: once is enough */
    size_t at;           /* the argument at hand */
    struct option_fact *options;
    char *roles;
    size_t count, room;
    const struct arg **operands;
    size_t operands_count;
    bool ended; /* what follows is operands */
};

struct arg arg_behind(const struct arg *a, size_t from)
{
    struct arg rest = *a;
    rest.text += from;
    rest.len -= from;
    size_t holes = 0;
    for (size_t i = 0; i < rest.len; i++)
        holes += rest.text[i] == HOLE;
    rest.kind = !holes ? ARG_LITERAL : holes == rest.len ? ARG_DYNAMIC : ARG_PARTIAL;
    if (a->glob_at != SIZE_MAX && a->glob_at >= from) {
        rest.glob_at = a->glob_at - from;
    } else if (a->glob_at != SIZE_MAX) {
        size_t glob = strcspn(rest.text, "*?[");
        rest.glob_at = glob < rest.len ? glob : SIZE_MAX;
    }
    return rest;
}

/* What stands behind the name of an option in a row, up to a space. */
static struct spec spec_at(const char *sign)
{
    if (*sign == ';')
        return (struct spec){TAKES_PAIR, 0};
    bool kind = *sign == ':' || *sign == '?' || *sign == '!';
    enum takes takes = *sign == ':' ? TAKES_VALUE : *sign == '?' ? TAKES_OPTIONAL : TAKES_NOTHING;
    bool role = kind && sign[1] && sign[1] != ' ' && (sign[2] == ' ' || !sign[2]);
    return (struct spec){(unsigned char)takes, role ? sign[1] : 0};
}

static void load_letters(struct reader *r)
{
    if (!r->shared)
        memset(r->letters, 0, sizeof r->letters);
    for (const char *at = r->reading->program ? r->reading->program->shorts : ""; *at;) {
        size_t run = strcspn(at, ":;?! ");
        struct spec last = spec_at(at + run);
        for (size_t i = 0; i < run; i++) {
            bool shares = at[run] == '!' || i + 1 == run;
            r->letters[(unsigned char)at[i] % LETTERS] =
                shares ? last : (struct spec){TAKES_NOTHING, 0};
        }
        at += run;
        at += (*at != 0) + (last.role != 0);
    }
}

/* The long option that a name or its beginning means; *full is its name in the row, of full_len
 * bytes. An exact name wins over a longer one; a beginning of several means none. */
static struct spec find_long(const struct program *row, const char *name, size_t len,
                             const char **full, size_t *full_len)
{
    struct spec found = {0};
    const char *best = NULL;
    size_t best_len = 0, matches = 0;
    for (const char *word = row ? row->longs : ""; *word;) {
        size_t n = strcspn(word, ":;?! ");
        if (n >= len && !strncmp(word, name, len)) {
            matches = n == len ? 1 : matches + 1;
            found = spec_at(word + n);
            best = word;
            best_len = n;
            if (n == len)
                break;
        }
        word += n + strcspn(word + n, " ");
        word += strspn(word, " ");
    }
    if (matches != 1)
        return (struct spec){0};
    *full = best;
    *full_len = best_len;
    return found;
}

static struct spec long_of(const struct reader *r, const char *name, size_t len, const char **full,
                           size_t *full_len)
{
    struct spec spec = find_long(r->reading->program, name, len, full, full_len);
    if (r->shared && (!spec.takes || *full_len != len)) {
        struct spec outer = find_long(r->shared, name, len, full, full_len);
        spec = outer.takes ? outer : spec;
    }
    return spec;
}

static bool make_room(struct reader *r)
{
    if (r->count < r->room)
        return true;
    size_t room = r->room ? r->room * 2 : 4;
    struct option_fact *options = walk_new(r->w, room, sizeof *options);
    char *roles = walk_new(r->w, room, 1);
    if (!options || !roles)
        return false;
    if (r->count) {
        memcpy(options, r->options, r->count * sizeof *options);
        memcpy(roles, r->roles, r->count);
    }
    r->options = options;
    r->roles = roles;
    r->room = room;
    return true;
}

static void note(struct reader *r, const char *name, const struct arg *value, char role)
{
    if (!name || !make_room(r))
        return;
    r->options[r->count] = (struct option_fact){name, value};
    r->roles[r->count++] = role;
    bool replaces = role == ROLE_CODE || role == ROLE_SCRIPT || role == ROLE_INSTEAD;
    r->reading->instead |= replaces;
    if (replaces && r->reading->program && r->reading->program->traits & CODE_ENDS)
        r->ended = true;
    r->reading->effects[(unsigned char)role % LETTERS] = true;
}

static struct arg *rest_of(struct reader *r, const struct arg *a, size_t from)
{
    struct arg *rest = walk_new(r->w, 1, sizeof *rest);
    if (rest)
        *rest = arg_behind(a, from);
    return rest;
}

/* The next argument as the value of an option; NULL behind the last one. */
static const struct arg *next_value(struct reader *r)
{
    return r->at < r->c->argv.count ? &r->c->argv.items[r->at++] : NULL;
}

/* Programs that do not list it know it or refuse it. */
static bool is_help(const struct reader *r, const struct arg *a)
{
    return r->reading->program && !strcmp(a->text, "--help");
}

/* "--name", "--name=value", "--name value"; `dashes` stand before the name. */
static void read_long(struct reader *r, const struct arg *a, size_t dashes)
{
    const char *full = NULL;
    size_t len = strcspn(a->text + dashes, "="), full_len = len, behind = dashes + len;
    struct spec spec = long_of(r, a->text + dashes, len, &full, &full_len);
    const struct arg *value = NULL;
    if (dashes == 1 && full_len != len) { /* only two dashes may be abbreviated */
        spec = (struct spec){0};
        full = NULL;
        full_len = len;
    }
    char *name = walk_new(r->w, dashes + full_len + 1, 1);
    if (a->text[behind])
        value = rest_of(r, a, behind + 1);
    else if (spec.takes == TAKES_VALUE || spec.takes == TAKES_PAIR)
        value = next_value(r);
    else if (!spec.takes && is_help(r, a))
        spec.role = EFFECT_LOOKS;
    else if (spec.takes == TAKES_UNKNOWN)
        r->reading->unknown = true; /* with "=" its value cannot be an argument */
    if (!name)
        return;
    r->at += spec.takes == TAKES_PAIR;
    memset(name, '-', dashes);
    memcpy(name + dashes, full ? full : a->text + dashes, full_len);
    note(r, name, value, spec.role);
}

static const char *letter_name(struct reader *r, char sign, char letter)
{
    return arena_text(&r->w->facts->arena, (const char[]){sign, letter}, 2);
}

/* One letter of a cluster at `at`; returns true when the rest of the argument belongs to it. */
static bool read_letter(struct reader *r, const struct arg *a, size_t at, bool old)
{
    unsigned char letter = (unsigned char)a->text[at];
    struct spec spec = letter < LETTERS ? r->letters[letter] : (struct spec){0};
    if (spec.takes == TAKES_VALUE || (spec.takes == TAKES_OPTIONAL && a->text[at + 1])) {
        bool inside = a->text[at + 1] && !old;
        const struct arg *value = inside ? rest_of(r, a, at + 1) : next_value(r);
        note(r, letter_name(r, '-', (char)letter), value, spec.role);
        return inside;
    }
    r->reading->unknown |= spec.takes == TAKES_UNKNOWN;
    if (letter >= LETTERS || r->noted[letter])
        return false;
    r->noted[letter] = true;
    note(r, letter_name(r, a->text[0] == '+' ? '+' : '-', (char)letter), NULL, spec.role);
    return false;
}

static void read_cluster(struct reader *r, const struct arg *a, size_t from)
{
    bool old = !from;
    size_t cut = strcspn(a->text, "=");
    if (!r->reading->program && cut < a->len) { /* "-x=y" of a program that is not known */
        read_long(r, a, 1);
        return;
    }
    for (size_t at = from; a->text[at]; at++)
        if (read_letter(r, a, at, old))
            break;
}

/* The words of find's -exec up to its end. */
static void skip_action(struct reader *r)
{
    const struct args *argv = &r->c->argv;
    while (r->at < argv->count && strcmp(argv->items[r->at].text, ";") != 0 &&
           !(!strcmp(argv->items[r->at].text, "+") && !strcmp(argv->items[r->at - 1].text, "{}")))
        r->at++;
    r->at++;
}

static enum takes takes_of(const struct reader *r, char letter)
{
    return (enum takes)r->letters[(unsigned char)letter % LETTERS].takes;
}

/* A word of one dash: "-name", "-out=x"; one that is not known may be a cluster of known letters.
 */
static void read_word(struct reader *r, const struct arg *a)
{
    const char *full = NULL;
    size_t len = strcspn(a->text + 1, "="), full_len = 0;
    const struct program *row = r->reading->program;
    struct spec spec = long_of(r, a->text + 1, len, &full, &full_len);
    bool exact = spec.takes && full_len == len;
    size_t plain = 1; /* letters without a value */
    while (a->text[plain] && takes_of(r, a->text[plain]) == TAKES_NOTHING)
        plain++;
    bool attached = plain == 1 && takes_of(r, a->text[1]) != TAKES_UNKNOWN;
    if (!exact && (plain == a->len || attached)) {
        read_cluster(r, a, 1);
        return;
    }
    read_long(r, a, 1);
    if (row->traits & EXPRESSION && spec.role == ROLE_COMMAND)
        skip_action(r);
}

static void add_operand(struct reader *r, const struct arg *a)
{
    if (!r->operands)
        r->operands = walk_new(r->w, r->c->argv.count, sizeof *r->operands);
    if (r->operands)
        r->operands[r->operands_count++] = a;
}

/* The row of "git push" behind the row of "git": read the rest by it. */
static void enter_command(struct reader *r, const struct arg *a)
{
    static const struct program unlisted = {"", 0, "", "", ""};
    char name[ROW_NAME_MAX_BYTES];
    const struct program *row = r->reading->program, *inner = NULL;
    size_t len = strlen(row->name);
    if (a->kind == ARG_LITERAL && a->len + len + 2 <= sizeof name) {
        memcpy(name, row->name, len);
        name[len] = ' ';
        memcpy(name + len + 1, a->text, a->len + 1);
        inner = program_find(name);
    }
    r->reading->commands++;
    r->reading->program = inner ? inner : &unlisted;
    if (row->traits & SHARED)
        r->shared = row;
    load_letters(r);
    memset(r->noted, 0, sizeof r->noted);
}

static void read_operand(struct reader *r, const struct arg *a)
{
    const struct program *row = r->reading->program;
    add_operand(r, a);
    if (row && row->traits & COMMANDS)
        enter_command(r, a);
    else if (row && row->traits & STOPS)
        r->ended = true;
}

/* "-9", "-KILL" as the first argument of kill; later ones are process groups. */
static bool read_signal(struct reader *r, const struct arg *a)
{
    if (!(r->reading->program->traits & SIGNALS) || a->text[1] == '-')
        return false;
    bool number = a->text[1] >= '0' && a->text[1] <= '9';
    bool name = a->text[1] >= 'A' && a->text[1] <= 'Z';
    if (!number && !name)
        return false;
    if (r->at > 2 && number)
        add_operand(r, a);
    else
        note(r, a->text, NULL, 0);
    return true;
}

static bool begins_option(const struct reader *r, const struct arg *a)
{
    unsigned traits = r->reading->program ? r->reading->program->traits : 0;
    if (r->ended || !a->len || (a->kind == ARG_DYNAMIC))
        return false;
    return (a->text[0] == '-' && (a->len > 1 || traits & DASH)) ||
           (a->text[0] == '+' && traits & PLUS && a->len > 1);
}

static void read_argument(struct reader *r, const struct arg *a)
{
    const struct program *row = r->reading->program;
    unsigned traits = row ? row->traits : 0;
    if (!begins_option(r, a)) {
        read_operand(r, a);
    } else if (!strcmp(a->text, "--") && !(traits & EXPRESSION)) {
        r->ended = true;
        if (!r->reading->dashes)
            r->reading->dashes = r->at;
    } else if (a->len == 1) {
        note(r, a->text, NULL, 0);
        r->ended = traits & PLUS;
    } else if (traits & SIGNALS && read_signal(r, a)) {
        return;
    } else if (a->text[0] == '-' && a->text[1] == '-') {
        read_long(r, a, 2);
    } else if (traits & WORDS) {
        read_word(r, a);
    } else {
        read_cluster(r, a, 1);
    }
}

/* Behind the first word of find's expression nothing is a place to search. */
static void read_expression(struct reader *r)
{
    bool places = true;
    while (r->at < r->c->argv.count) {
        const struct arg *a = &r->c->argv.items[r->at++];
        bool sign = a->kind == ARG_LITERAL && a->len && strchr("(!,)", a->text[0]);
        bool word = a->text[0] == '-' && a->len > 1;
        if (word)
            read_word(r, a);
        else if (places && !sign)
            add_operand(r, a);
        bool before = word && a->len == 2 && strchr("HLPO", a->text[1]);
        places &= !sign && (!word || before || !strcmp(a->text, "-D") || !strcmp(a->text, "--"));
    }
}

static void read_all(struct reader *r)
{
    const struct program *row = r->reading->program;
    const struct args *argv = &r->c->argv;
    if (row && row->traits & EXPRESSION) {
        read_expression(r);
        return;
    }
    if (row && row->traits & OLD_CLUSTER && argv->count > 1 && argv->items[1].len &&
        argv->items[1].text[0] != '-' && argv->items[1].kind == ARG_LITERAL) {
        r->at = 2;
        read_cluster(r, &argv->items[1], 0);
    }
    while (r->at < argv->count) {
        const struct arg *a = &argv->items[r->at++];
        read_argument(r, a);
    }
}

void arguments_read(struct walk *w, struct command_fact *c)
{
    struct reading *reading = walk_new(w, 1, sizeof *reading);
    if (!reading)
        return;
    if (c->name && c->name[0])
        reading->program = program_find(c->name);
    struct reader r = {.w = w, .c = c, .reading = reading, .at = 1};
    if (c->argv.count > 1) {
        load_letters(&r);
        read_all(&r);
    }
    w->facts->arena.steps += c->argv.count + r.count;
    reading->roles = r.roles;
    c->options = r.options;
    c->options_count = r.count;
    c->operands = r.operands;
    c->operands_count = r.operands_count;
    c->reading = reading;
}

const struct option_fact *option_of(const struct command_fact *c, const char *name)
{
    for (size_t i = c->options_count; i > 0; i--)
        if (!strcmp(c->options[i - 1].name, name))
            return &c->options[i - 1];
    return NULL;
}
