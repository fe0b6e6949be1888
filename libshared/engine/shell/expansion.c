/* expansion.c - what begins with $ or a backtick, and process substitution; see builder.h.
 *
 * Bash reads the inside of $( ) with its whole grammar; so do we, with the same parser. Backticks
 * are unquoted once and then a text of their own. Where bash's own answer depends on more than the
 * text (a quote inside "${x:-…}", (( that may be two subshells), the text is not analysable.
 */
#include "engine/shell/builder.h"
#include "engine/shell/parser.h"

#include <ctype.h>
#include <string.h>

/* The list up to the closing parenthesis, which is consumed. */
static struct node *read_body(struct parser *p)
{
    if (!parser_enter(p))
        return NULL;
    unsigned from = p->waiting_from;
    struct word *ahead = p->ahead;
    p->waiting_from = p->waiting_count;
    p->ahead = NULL;
    struct node *body = parser_list(p);
    if (p->ahead || !lexer_accept(p, ')'))
        parser_fail(p, TROUBLE_SYNTAX, "a substitution does not close");
    if (p->waiting_count != p->waiting_from)
        parser_fail(p, TROUBLE_SYNTAX, "a here-document does not end");
    p->waiting_count = p->waiting_from;
    p->waiting_from = from;
    p->ahead = ahead;
    p->keyword_follows = false;
    parser_leave(p);
    return body;
}

void expansion_process(struct builder *b)
{
    parser_bash_only(b->p, "<( )");
    lexer_skip(b->p);
    lexer_skip(b->p);
    struct part *part = builder_add(b, PART_PROCESS, false);
    if (part)
        part->body = read_body(b->p);
}

static void read_substitution(struct builder *b, bool quoted)
{
    lexer_skip(b->p);
    struct part *part = builder_add(b, PART_COMMAND, quoted);
    if (part)
        part->body = read_body(b->p);
}

void expansion_backtick(struct builder *b, bool quoted)
{
    struct parser *p = b->p;
    struct part *part = builder_add(b, PART_COMMAND, quoted);
    struct builder text = builder_open(p);
    builder_touch(&text, true);
    lexer_skip(p);
    int c = lexer_raw(p);
    for (; c != END && c != '`'; c = lexer_raw(p)) {
        if (c == '\\') {
            c = lexer_raw(p);
            if (c == END)
                break;
            if (!strchr(quoted ? "`\\$\"" : "`\\$", c))
                builder_put(&text, '\\', true);
        }
        builder_put(&text, c, true);
    }
    if (c == END)
        parser_fail(p, TROUBLE_SYNTAX, "a backtick does not close");
    const struct part *inside = builder_close(&text);
    if (part && inside)
        part->body = parser_nested(p, inside->text, inside->len);
}

/* One piece of an operand, a subscript or an arithmetic text. */
static void read_piece(struct builder *b, int c, bool quoted)
{
    struct parser *p = b->p;
    if (c == '\\')
        quote_backslash(b);
    else if (c == '\'' && quoted)
        parser_fail(p, TROUBLE_SYNTAX, "a quote stands where shells disagree about it");
    else if (c == '\'')
        quote_single(b);
    else if (c == '"')
        quote_double(b);
    else if (c == '$')
        expansion_dollar(b, quoted);
    else if (c == '`')
        expansion_backtick(b, quoted);
    else if (!quoted && (c == '<' || c == '>') && lexer_peek_second(p) == '(')
        expansion_process(b);
    else
        builder_put(b, lexer_raw(p), quoted);
}

void expansion_brackets(struct builder *b, char open, char close, bool quoted)
{
    struct parser *p = b->p;
    unsigned depth = 1;
    for (int c = lexer_peek(p); c != END; c = lexer_peek(p)) {
        depth += c == open;
        depth -= c == close;
        read_piece(b, c, quoted);
        if (!depth)
            return;
    }
    parser_fail(p, TROUBLE_SYNTAX, "a bracket does not close");
}

void expansion_arith(struct builder *b)
{
    struct parser *p = b->p;
    unsigned depth = 0;
    for (int c = lexer_peek(p); c != END; c = lexer_peek(p)) {
        if (c == ')' && !depth)
            break;
        depth += c == '(';
        depth -= c == ')';
        read_piece(b, c, true);
    }
    if (!lexer_accept(p, ')') || !lexer_accept(p, ')'))
        parser_fail(p, TROUBLE_SYNTAX, "it has (( that is no arithmetic");
}

static void read_arith(struct builder *b, bool quoted, bool brackets)
{
    struct parser *p = b->p;
    struct part *part = builder_add(b, PART_ARITH, quoted);
    struct builder inner = builder_open(p);
    if (!part || !parser_enter(p))
        return;
    lexer_skip(p);
    if (brackets) {
        parser_bash_only(p, "$[ ]");
        expansion_brackets(&inner, '[', ']', true);
    } else {
        lexer_skip(p);
        expansion_arith(&inner);
    }
    part->inner = builder_close(&inner);
    parser_leave(p);
}

static bool is_name_start(int c)
{
    return c == '_' || (c < 0x80 && isalpha(c));
}

static bool is_special(int c)
{
    return c > 0 && strchr("@*#?-$!", c);
}

/* The name of a parameter; "" when none begins here. Without braces a number is one digit. */
static const char *read_name(struct parser *p, bool braces)
{
    struct builder name = builder_open(p);
    int c = lexer_peek(p);
    if (c != END && is_name_start(c)) {
        for (; c != END && (is_name_start(c) || isdigit(c)); c = lexer_peek(p))
            builder_put(&name, lexer_raw(p), true);
    } else if (c != END && isdigit(c)) {
        builder_put(&name, lexer_raw(p), true);
        for (c = lexer_peek(p); braces && c != END && isdigit(c); c = lexer_peek(p))
            builder_put(&name, lexer_raw(p), true);
    } else if (is_special(c)) {
        builder_put(&name, lexer_raw(p), true);
    }
    const struct part *part = builder_close(&name);
    return part ? part->text : "";
}

/* Consumes the ! or # before a name. */
static bool skip_prefix(struct parser *p)
{
    int c = lexer_peek(p), second = lexer_peek_second(p);
    bool prefix = (c == '!' || c == '#') && second != END &&
                  (is_name_start(second) || isdigit(second) || second == '@' || second == '*');
    if (prefix)
        lexer_skip(p);
    return prefix;
}

static void read_operator(struct builder *inner, bool quoted)
{
    struct parser *p = inner->p;
    int c = lexer_peek(p);
    if (c == END || !strchr(":-=+?#%/^,@*", c)) {
        parser_fail(p, TROUBLE_SYNTAX, "it has a ${ } that bash refuses");
        return;
    }
    if (c == '@' && lexer_peek_second(p) == 'P')
        trouble_add(p->trouble, TROUBLE_DYNAMIC, "${…@P} runs the code that a variable holds");
    for (; c != END && c != '}'; c = lexer_peek(p))
        read_piece(inner, c, quoted);
}

static void read_braces(struct builder *b, bool quoted)
{
    struct parser *p = b->p;
    struct part *part = builder_add(b, PART_PARAM, quoted);
    struct builder inner = builder_open(p);
    if (!part || !parser_enter(p))
        return;
    lexer_skip(p);
    bool prefix = skip_prefix(p);
    part->text = read_name(p, true);
    part->len = strlen(part->text);
    if (!part->len)
        parser_fail(p, TROUBLE_SYNTAX, "it has a ${ } that bash refuses");
    bool index = lexer_peek(p) == '[';
    if (index) {
        lexer_skip(p);
        expansion_brackets(&inner, '[', ']', quoted);
    }
    part->plain = !prefix && !index && lexer_peek(p) == '}';
    if (lexer_peek(p) != '}')
        read_operator(&inner, quoted);
    if (!lexer_accept(p, '}'))
        parser_fail(p, TROUBLE_SYNTAX, "a ${ does not close");
    part->inner = builder_close(&inner);
    parser_leave(p);
}

static void read_param(struct builder *b, bool quoted)
{
    struct part *part = builder_add(b, PART_PARAM, quoted);
    if (!part)
        return;
    part->text = read_name(b->p, false);
    part->len = strlen(part->text);
    part->plain = true;
}

void expansion_dollar(struct builder *b, bool quoted)
{
    struct parser *p = b->p;
    lexer_skip(p);
    int c = lexer_peek(p);
    if (c == '(' && lexer_peek_second(p) == '(')
        read_arith(b, quoted, false);
    else if (c == '(')
        read_substitution(b, quoted);
    else if (c == '[')
        read_arith(b, quoted, true);
    else if (c == '{')
        read_braces(b, quoted);
    else if (!quoted && (c == '\'' || c == '"')) {
        parser_bash_only(p, c == '"' ? "$\"…\"" : "$'…'");
        (c == '"' ? quote_double : quote_ansi)(b);
    } else if (c != END && (is_name_start(c) || isdigit(c) || is_special(c)))
        read_param(b, quoted);
    else
        builder_put(b, '$', quoted);
}
