/* expansion.c - what begins with $ or a backtick, and process substitution; see builder.h.
 *
 * Bash reads the inside of $( ) with its whole grammar; so do we, with the same parser. Backticks
 * are unquoted once and then a text of their own. Where bash's own answer depends on more than the
 * text (a quote inside "${x:-…}", (( that may be two subshells), the text is not analysable.
 */
#include "engine/shell/builder.h"
#include "engine/shell/expand.h"
#include "engine/shell/parser.h"

#include "base/scope.h"

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

/* A part that holds commands. */
static struct part *add_body(struct builder *b, enum part_kind kind, bool quoted)
{
    struct part *part = builder_add(b, kind, quoted);
    if (part)
        part->heard = parser_new(b->p, 1, sizeof *part->heard);
    return part;
}

void expansion_process(struct builder *b)
{
    parser_bash_only(b->p, "<( )");
    bool writes = lexer_peek(b->p) == '>';
    lexer_skip(b->p);
    lexer_skip(b->p);
    struct part *part = add_body(b, PART_PROCESS, false);
    if (part) {
        part->writes = writes;
        part->body = read_body(b->p);
    }
}

static void read_substitution(struct builder *b, bool quoted)
{
    lexer_skip(b->p);
    struct part *part = add_body(b, PART_COMMAND, quoted);
    if (part)
        part->body = read_body(b->p);
}

void expansion_backtick(struct builder *b, bool quoted)
{
    struct parser *p = b->p;
    struct part *part = add_body(b, PART_COMMAND, quoted);
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

/* Consumes the ! or # before a name and returns it; 0 when there is none. */
static char skip_prefix(struct parser *p)
{
    int c = lexer_peek(p), second = lexer_peek_second(p);
    bool prefix = (c == '!' || c == '#') && second != END &&
                  (is_name_start(second) || isdigit(second) || second == '@' || second == '*');
    prefix |= c == '#' && (second == '$' || second == '!');
    if (!prefix)
        return 0;
    lexer_skip(p);
    return (char)c;
}

/* Takes one of the operators that begin with the next character into part->op. */
static void take_operator(struct parser *p, struct part *part)
{
    static const char *const doubled[] = {"##", "%%", "//", "^^", ",,", "/#", "/%"};
    part->op[0] = (char)lexer_raw(p);
    int c = lexer_peek(p);
    bool more = part->op[0] == ':' ? c > 0 && strchr("-=+?", c) : false;
    for (size_t i = 0; i < COUNT(doubled) && c > 0 && !more; i++)
        more = doubled[i][0] == part->op[0] && doubled[i][1] == c;
    if (more || (part->op[0] == '@' && c > 0 && c != '}'))
        part->op[1] = (char)lexer_raw(p);
}

/* The operand: in a pattern double quotes around the whole quote nothing. */
static void read_operator(struct builder *inner, struct part *part, bool quoted)
{
    struct parser *p = inner->p;
    int c = lexer_peek(p);
    if (c == END || !strchr(":-=+?#%/^,@*", c)) {
        parser_fail(p, TROUBLE_SYNTAX, "it has a ${ } that bash refuses");
        return;
    }
    take_operator(p, part);
    if (!strcmp(part->op, "@P"))
        trouble_add(p->trouble, TROUBLE_DYNAMIC, "${…@P} runs the code that a variable holds");
    bool pattern = strchr("#%/^,", part->op[0]) != NULL;
    for (c = lexer_peek(p); c != END && c != '}'; c = lexer_peek(p)) {
        if (pattern && quoted && !strchr("\\'\"$`", c))
            builder_put(inner, lexer_raw(p), false);
        else
            read_piece(inner, c, quoted);
    }
}

/* What stands behind the name between braces. */
static void read_operation(struct builder *b, struct part *part, bool quoted)
{
    struct parser *p = b->p;
    struct builder index = builder_open(p), inner = builder_open(p);
    if (lexer_peek(p) == '[') {
        lexer_skip(p);
        builder_touch(&index, quoted);
        expansion_brackets(&index, '[', ']', quoted);
        part->index = builder_close(&index);
    }
    part->plain = !part->prefix && !part->index && lexer_peek(p) == '}';
    if (lexer_peek(p) != '}')
        read_operator(&inner, part, quoted);
    part->inner = builder_close(&inner);
}

static void read_braces(struct builder *b, bool quoted)
{
    struct parser *p = b->p;
    struct part *part = builder_add(b, PART_PARAM, quoted);
    if (!part || !parser_enter(p))
        return;
    lexer_skip(p);
    part->prefix = skip_prefix(p);
    part->text = read_name(p, true);
    part->len = strlen(part->text);
    if (!part->len)
        parser_fail(p, TROUBLE_SYNTAX, "it has a ${ } that bash refuses");
    read_operation(b, part, quoted);
    if (!lexer_accept(p, '}'))
        parser_fail(p, TROUBLE_SYNTAX, "a ${ does not close");
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
