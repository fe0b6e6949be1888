/* options.c - strict command lines; see options.h. */
#include "cli/options.h"

#include <assert.h>
#include <string.h>

enum { WORD_MAX = 40 }; /* longer words have no nearest one */

int option_flag(const char *text, void *to, struct err *err)
{
    (void)text;
    (void)err;
    *(bool *)to = true;
    return 0;
}

int option_text(const char *text, void *to, struct err *err)
{
    (void)err;
    *(const char **)to = text;
    return 0;
}

int option_list(const char *text, void *to, struct err *err)
{
    struct texts *texts = to;
    if (texts->count == TEXTS_MAX)
        return err_set(err, ERR_INVALID, "given more than %d times", TEXTS_MAX);
    texts->items[texts->count++] = text;
    return 0;
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Letters to add, drop, change or swap with a neighbour to make one word the other. */
static size_t distance(const char *a, const char *b)
{
    size_t row[WORD_MAX + 1], old[WORD_MAX + 1], older[WORD_MAX + 1] = {0};
    size_t la = strlen(a), lb = strlen(b);
    assert(la <= WORD_MAX && lb <= WORD_MAX);
    for (size_t j = 0; j <= lb; j++)
        old[j] = j;
    for (size_t i = 1; i <= la; i++) {
        row[0] = i;
        for (size_t j = 1; j <= lb; j++) {
            size_t change = old[j - 1] + (a[i - 1] != b[j - 1]);
            row[j] = least(change, least(old[j], row[j - 1]) + 1);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                row[j] = least(row[j], older[j - 2] + 1);
        }
        memcpy(older, old, sizeof older);
        memcpy(old, row, sizeof old);
    }
    return old[lb];
}

const char *options_nearest(const char *word, const char *(*next)(const void *context, size_t at),
                            const void *context)
{
    size_t len = strlen(word);
    if (len < 2 || len > WORD_MAX)
        return NULL;
    const char *nearest = NULL;
    size_t best = len / 3 + 1; /* one letter of a short word, three of a long one */
    for (size_t at = 0; next(context, at); at++) {
        const char *candidate = next(context, at);
        bool begins = len >= 3 && !strncmp(candidate, word, len);
        size_t away = begins ? 1 : distance(word, candidate);
        if (away > best || (away == best && nearest))
            continue;
        nearest = candidate;
        best = away;
    }
    return nearest;
}

/* Where parsing stands. */
struct parse {
    const struct option *tables[2];
    int argc, at; /* argv[at] is the next word */
    char **argv;
    struct args *args;
};

static const char *option_name_at(const void *context, size_t at)
{
    const struct parse *p = context;
    for (size_t t = 0; t < 2; t++)
        for (const struct option *o = p->tables[t]; o && o->name; o++)
            if (o->read && !at--)
                return o->name;
    return at ? NULL : "help";
}

static const struct option *find_name(const struct parse *p, const char *name, size_t len)
{
    for (size_t t = 0; t < 2; t++)
        for (const struct option *o = p->tables[t]; o && o->name; o++)
            if (strlen(o->name) == len && !memcmp(o->name, name, len))
                return o;
    return NULL;
}

static const struct option *find_letter(const struct parse *p, char letter)
{
    for (size_t t = 0; t < 2; t++)
        for (const struct option *o = p->tables[t]; o && o->name; o++)
            if (o->letter == letter)
                return o;
    return NULL;
}

/* Fills an option from `value`, or, when that is NULL, from the next word. */
static int take(struct parse *p, const struct option *o, const char *value, struct err *err)
{
    if (!o->read)
        return err_set(err, ERR_INVALID, "no option --%s here: %s", o->name, o->doc);
    if (!value && p->at == p->argc)
        return err_set(err, ERR_INVALID, "--%s needs a value: --%s %s", o->name, o->name, o->value);
    if (!value)
        value = p->argv[p->at++];
    return o->read(value, o->to, err) ? err_add(err, "--%s", o->name) : 0;
}

static int parse_long(struct parse *p, const char *word, struct err *err)
{
    const char *equals = strchr(word, '=');
    size_t len = equals ? (size_t)(equals - word) : strlen(word);
    const struct option *o = find_name(p, word, len);
    if (!o && len == strlen("help") && !memcmp(word, "help", len) && !equals) {
        p->args->help = true;
        return 0;
    }
    if (!o) {
        char name[WORD_MAX + 1] = "";
        if (len <= WORD_MAX)
            memcpy(name, word, len);
        const char *nearest = options_nearest(name, option_name_at, p);
        return err_set(err, ERR_INVALID, "unknown option --%.*s%s%s%s", (int)least(len, 60), word,
                       nearest ? "; did you mean --" : "; see --help", nearest ? nearest : "",
                       nearest ? "?" : "");
    }
    if (o->value || !o->read)
        return take(p, o, equals ? equals + 1 : NULL, err);
    if (equals)
        return err_set(err, ERR_INVALID, "--%s takes no value", o->name);
    return o->read(NULL, o->to, err);
}

/* -n VALUE, -nVALUE, or flags joined. */
static int parse_letters(struct parse *p, const char *letters, struct err *err)
{
    for (; *letters && !p->args->help; letters++) {
        const struct option *o = find_letter(p, *letters);
        if (!o && *letters == 'h')
            p->args->help = true;
        else if (!o)
            return err_set(err, ERR_INVALID, "unknown option -%c; see --help", *letters);
        else if (o->value)
            return take(p, o, letters[1] ? letters + 1 : NULL, err);
        else if (o->read(NULL, o->to, err))
            return err_add(err, "-%c", *letters);
    }
    return 0;
}

/* Arguments move to the front of argv, which has room since options come off it. */
static void keep(struct parse *p, char *word)
{
    p->argv[p->args->count++] = word;
}

static void keep_rest(struct parse *p)
{
    while (p->at < p->argc)
        keep(p, p->argv[p->at++]);
}

int options_parse(const struct option *rows, const struct option *common, bool stop, int argc,
                  char **argv, struct args *args, struct err *err)
{
    assert(rows && argv && args && err);
    struct parse p = {.tables = {rows, common}, .argc = argc, .argv = argv, .args = args};
    *args = (struct args){.items = argv};
    while (p.at < argc && !args->help) {
        char *word = argv[p.at++];
        if (!strcmp(word, "--")) {
            args->ended = true;
            break;
        }
        bool is_option = word[0] == '-' && word[1];
        if (is_option &&
            (word[1] == '-' ? parse_long(&p, word + 2, err) : parse_letters(&p, word + 1, err)))
            return -1;
        if (!is_option)
            keep(&p, word);
        if (!is_option && stop)
            break;
    }
    args->before = args->count;
    keep_rest(&p);
    if (!args->ended)
        args->before = args->count;
    return 0;
}

int options_help(const struct option *rows, struct bytes *to, struct err *err)
{
    enum { COLUMN = 30 };
    for (const struct option *o = rows; o->name; o++) {
        if (!o->read)
            continue;
        size_t start = to->len;
        char letter[] = {'-', o->letter, ',', ' ', 0};
        if (bytes_addf(to, err, "  %s--%s%s%s", o->letter ? letter : "    ", o->name,
                       o->value ? " " : "", o->value ? o->value : ""))
            return -1;
        size_t used = to->len - start;
        bool fits = used < COLUMN;
        if (bytes_addf(to, err, "%s%*s%s\n", fits ? "" : "\n", fits ? (int)(COLUMN - used) : COLUMN,
                       "", o->doc))
            return -1;
    }
    return 0;
}
