/* arith.c - integer expressions as bash reads them; see param.h. Only what has no side effect is
 * evaluated: an expression that assigns is not known, and its names are no longer known either. */
#include "engine/shell/param.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_MAX_BYTES = 64, NESTING_MAX = 32 };

struct arith {
    const struct expansion *e;
    const char *at, *end;
    unsigned depth;
    bool failed;
};

static int64_t read_level(struct arith *a, int level);

static void skip_blanks(struct arith *a)
{
    while (a->at < a->end && isspace((unsigned char)*a->at))
        a->at++;
}

static bool is_name_char(char c)
{
    return c == '_' || isalnum((unsigned char)c);
}

static size_t take_name(char name[NAME_MAX_BYTES], const char *at, const char *end)
{
    size_t n = 0;
    for (; at + n < end && is_name_char(at[n]); n++)
        if (n < NAME_MAX_BYTES - 1)
            name[n] = at[n];
    name[n < NAME_MAX_BYTES ? n : NAME_MAX_BYTES - 1] = 0;
    return n;
}

static bool is_number(const char *text)
{
    size_t sign = text[0] == '-';
    size_t digits = strspn(text + sign, "0123456789");
    return digits && digits < 18 && !text[sign + digits] && (text[sign] != '0' || digits == 1);
}

static int64_t read_variable(struct arith *a)
{
    char name[NAME_MAX_BYTES];
    size_t len = take_name(name, a->at, a->end);
    const struct state *state = a->e->vars ? vars_get(a->e->vars, name) : vars_unknown();
    a->at += len;
    skip_blanks(a);
    size_t pick = state->count > 1 ? expand_choose(a->e, state, state->count) : 0;
    const struct value *value = pick < state->count ? state->values[pick] : NULL;
    if (len >= NAME_MAX_BYTES || !value || !value->count || (a->at < a->end && *a->at == '[')) {
        a->failed = true;
        return 0;
    }
    expand_note(a->e, state->sources);
    if (!value->items[0].len)
        return 0;
    a->failed |= !is_number(value->items[0].text);
    return a->failed ? 0 : strtoll(value->items[0].text, NULL, 10);
}

/* Decimal, 0octal, 0xhexadecimal; other bases are left alone. */
static int64_t read_constant(struct arith *a)
{
    char digits[NAME_MAX_BYTES], *rest;
    size_t len = take_name(digits, a->at, a->end);
    a->at += len;
    int64_t value = strtoll(digits, &rest, 0);
    a->failed |= len >= 19 || *rest || (a->at < a->end && *a->at == '#');
    return value;
}

static int64_t read_primary(struct arith *a)
{
    skip_blanks(a);
    char c = a->at < a->end ? *a->at : 0;
    if (a->depth >= NESTING_MAX || a->failed || !c) {
        a->failed = true;
        return 0;
    }
    int64_t value = 0;
    a->depth++;
    if (isdigit((unsigned char)c)) {
        value = read_constant(a);
    } else if (is_name_char(c)) {
        value = read_variable(a);
    } else if (strchr("+-!~", c)) {
        a->at++;
        value = read_primary(a);
        value = c == '-'   ? (int64_t)(0 - (uint64_t)value)
                : c == '!' ? !value
                : c == '~' ? ~value
                           : value;
    } else if (c == '(') {
        a->at++;
        value = read_level(a, 0);
        skip_blanks(a);
        a->failed |= a->at >= a->end || *a->at++ != ')';
    } else {
        a->failed = true;
    }
    a->depth--;
    return value;
}

static const struct operator
{
    const char *text;
    int level;
}
operators[] = {{"||", 1}, {"&&", 2},  {"==", 6}, {"!=", 6}, {"<<", 8}, {">>", 8}, {"<=", 7},
               {">=", 7}, {"**", 11}, {"<", 7},  {">", 7},  {"|", 3},  {"^", 4},  {"&", 5},
               {"+", 9},  {"-", 9},   {"*", 10}, {"/", 10}, {"%", 10}};

static const struct operator* find_operator(struct arith *a)
{
    skip_blanks(a);
    for (size_t i = 0; i < sizeof operators / sizeof operators[0]; i++) {
        size_t len = strlen(operators[i].text);
        if (len <= (size_t)(a->end - a->at) && !strncmp(a->at, operators[i].text, len))
            return &operators[i];
    }
    return NULL;
}

static int64_t power(struct arith *a, int64_t base, int64_t times)
{
    uint64_t result = 1;
    a->failed |= times < 0 || times > 64;
    for (int64_t i = 0; i < times && !a->failed; i++)
        result *= (uint64_t)base;
    return (int64_t)result;
}

static int64_t shifted(struct arith *a, int64_t x, int64_t by, bool left)
{
    a->failed |= by < 0 || by > 62;
    if (a->failed)
        return 0;
    return left ? (int64_t)((uint64_t)x << by) : x >> by;
}

static int64_t apply(struct arith *a, const char *op, int64_t x, int64_t y)
{
    uint64_t ux = (uint64_t)x, uy = (uint64_t)y;
    bool doubled = op[1] != 0;
    a->failed |= (op[0] == '/' || op[0] == '%') && (!y || y == -1);
    if (a->failed)
        return 0;
    switch (op[0]) {
    case '|':
        return doubled ? x || y : x | y;
    case '&':
        return doubled ? x && y : (int64_t)(ux & uy);
    case '=':
        return x == y;
    case '!':
        return x != y;
    case '<':
        return !doubled ? x < y : op[1] == '=' ? x <= y : shifted(a, x, y, true);
    case '>':
        return !doubled ? x > y : op[1] == '=' ? x >= y : shifted(a, x, y, false);
    case '^':
        return x ^ y;
    case '+':
        return (int64_t)(ux + uy);
    case '-':
        return (int64_t)(ux - uy);
    case '*':
        return doubled ? power(a, x, y) : (int64_t)(ux * uy);
    case '/':
        return x / y;
    default:
        return x % y;
    }
}

/* a ? b : c, whose condition was read. */
static int64_t read_choice(struct arith *a, int64_t condition)
{
    a->at++;
    int64_t yes = read_level(a, 0);
    skip_blanks(a);
    if (a->at >= a->end || *a->at++ != ':')
        a->failed = true;
    int64_t no = read_level(a, 0);
    return condition ? yes : no;
}

static int64_t read_level(struct arith *a, int level)
{
    int64_t x = read_primary(a);
    for (const struct operator* op; !a->failed && (op = find_operator(a)) && op->level > level;) {
        a->at += strlen(op->text);
        int64_t y = read_level(a, op->level - (op->level == 11));
        x = apply(a, op->text, x, y);
    }
    skip_blanks(a);
    if (!level && !a->failed && a->at < a->end && *a->at == '?')
        x = read_choice(a, x);
    return a->failed ? 0 : x;
}

static bool may_assign(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        char before = i ? text[i - 1] : 0, c = text[i], next = i + 1 < len ? text[i + 1] : 0;
        bool shift = (before == '<' || before == '>') && i > 1 && text[i - 2] == before;
        if (c == '=' && next == '=')
            i++;
        else if (c == '=' && (shift || !before || !strchr("!<>", before)))
            return true;
        if ((c == '+' || c == '-') && next == c)
            return true;
    }
    return false;
}

bool arith_value(const struct expansion *e, const char *text, size_t len, int64_t *value)
{
    struct arith a = {.e = e, .at = text, .end = text + len};
    if (memchr(text, HOLE, len) || may_assign(text, len) || !expand_may_work(e, len))
        return false;
    skip_blanks(&a);
    if (a.at == a.end) {
        *value = 0;
        return true;
    }
    int64_t result = read_level(&a, 0);
    if (a.failed || a.at != a.end)
        return false;
    *value = result;
    return true;
}

void arith_assigned(const char *text, size_t len, void (*assigned)(void *data, const char *name),
                    void *data)
{
    char name[NAME_MAX_BYTES];
    if (!may_assign(text, len))
        return;
    for (size_t i = 0; i < len;) {
        size_t n = take_name(name, text + i, text + len);
        if (n && !isdigit((unsigned char)name[0]))
            assigned(data, name);
        i += n ? n : 1;
    }
}
