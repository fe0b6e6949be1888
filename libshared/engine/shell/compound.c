/* compound.c - groups, conditionals, loops, case, functions, coprocesses; see parser.h. */
#include "engine/shell/parser.h"

#include "base/scope.h"
#include "engine/shell/words.h"

#include <string.h>

static bool is_opening(const char *word)
{
    static const char *const opening[] = {"{",      "if",   "while",    "until",  "for",
                                          "select", "case", "function", "coproc", "[["};
    for (size_t i = 0; i < COUNT(opening); i++)
        if (!strcmp(word, opening[i]))
            return true;
    return false;
}

/* Appends a list that must not be empty. */
static void add_list(struct parser *p, struct node *to)
{
    struct node **tail = &to->first, *list = parser_list(p);
    while (*tail)
        tail = &(*tail)->next;
    *tail = list;
    if (list && !list->first)
        parser_fail(p, TROUBLE_SYNTAX, "a command of several parts lacks one of them");
}

static struct node *read_subshell(struct parser *p, struct node *node)
{
    lexer_skip(p);
    add_list(p, node);
    if (p->ahead || !lexer_accept(p, ')'))
        parser_fail(p, TROUBLE_SYNTAX, "a parenthesis does not close");
    return node;
}

static struct node *read_arith(struct parser *p, struct node *node)
{
    parser_bash_only(p, "(( ))");
    lexer_skip(p);
    lexer_skip(p);
    node->kind = NODE_ARITH;
    node->words = words_arith(p);
    return node;
}

static struct node *read_group(struct parser *p, struct node *node)
{
    node->kind = NODE_GROUP;
    add_list(p, node);
    parser_expect(p, "}");
    return node;
}

static struct node *read_if(struct parser *p, struct node *node)
{
    node->kind = NODE_IF;
    do {
        add_list(p, node);
        parser_expect(p, "then");
        add_list(p, node);
    } while (parser_accept(p, "elif"));
    if (parser_accept(p, "else"))
        add_list(p, node);
    parser_expect(p, "fi");
    return node;
}

static struct node *read_loop(struct parser *p, struct node *node, bool until)
{
    node->kind = NODE_LOOP;
    node->inverted = until;
    add_list(p, node);
    parser_expect(p, "do");
    add_list(p, node);
    parser_expect(p, "done");
    return node;
}

/* The name behind for, select, function: a literal word; "" after parser_fail. */
static const char *read_name(struct parser *p)
{
    lexer_blanks(p);
    struct word *word = words_begin(p) ? words_read(p, WORD_PLAIN) : NULL;
    const struct part *part = word ? word->parts : NULL;
    if (part && word->plain && !part->next && part->kind == PART_TEXT)
        return part->text;
    parser_fail(p, TROUBLE_SYNTAX, "a name is missing");
    return "";
}

/* True when a newline or words stood behind the name. */
static bool read_for_words(struct parser *p, struct node *node)
{
    struct word **tail = &node->words;
    bool newline = lexer_newlines(p);
    if (!parser_accept(p, "in"))
        return newline;
    node->words_given = true;
    for (lexer_blanks(p); words_begin(p); lexer_blanks(p)) {
        *tail = words_read(p, WORD_PLAIN);
        if (!*tail)
            return true;
        tail = &(*tail)->next;
    }
    int c = lexer_peek(p);
    if (c != ';' && c != '\n')
        parser_fail(p, TROUBLE_SYNTAX, "the words of a loop do not end");
    return true;
}

/* An arithmetic for has three expressions, or bash refuses it. */
static bool has_three_parts(const struct word *w)
{
    size_t semicolons = 0;
    for (const struct part *part = w ? w->parts : NULL; part; part = part->next)
        for (size_t i = 0; part->kind == PART_TEXT && i < part->len; i++)
            semicolons += part->text[i] == ';';
    return semicolons == 2;
}

/* for (( )), the name not read. */
static void read_for_arith(struct parser *p, struct node *node)
{
    parser_bash_only(p, "for (( ))");
    lexer_skip(p);
    lexer_skip(p);
    node->name = "";
    node->words = words_arith(p);
    if (!has_three_parts(node->words))
        parser_fail(p, TROUBLE_SYNTAX, "a for (( )) has other than three parts");
}

static struct node *read_for(struct parser *p, struct node *node, bool select)
{
    node->kind = NODE_FOR;
    node->inverted = select;
    lexer_blanks(p);
    bool braces_may_follow = true; /* behind "for NAME" the brace is a word */
    if (!select && lexer_peek(p) == '(' && lexer_peek_second(p) == '(') {
        read_for_arith(p, node);
    } else {
        node->name = read_name(p);
        braces_may_follow = read_for_words(p, node);
    }
    lexer_blanks(p);
    if (!p->ahead)
        braces_may_follow |= lexer_accept(p, ';');
    lexer_newlines(p);
    bool braces = braces_may_follow && parser_accept(p, "{");
    if (!braces)
        parser_expect(p, "do");
    add_list(p, node);
    parser_expect(p, braces ? "}" : "done");
    return node;
}

/* The patterns of one branch up to and with the parenthesis. */
static struct word **read_patterns(struct parser *p, struct word **tail)
{
    do {
        lexer_blanks(p);
        struct word *pattern = p->ahead;
        p->ahead = NULL;
        if (!pattern && words_begin(p))
            pattern = words_read(p, WORD_PLAIN);
        if (!pattern) {
            parser_fail(p, TROUBLE_SYNTAX, "a pattern is missing");
            return tail;
        }
        *tail = pattern;
        tail = &pattern->next;
        lexer_blanks(p);
    } while (lexer_accept(p, '|'));
    if (!lexer_accept(p, ')'))
        parser_fail(p, TROUBLE_SYNTAX, "a pattern does not end");
    return tail;
}

/* Consumes ;; ;& or ;;& behind a branch; false when esac must follow. */
static bool skip_branch_end(struct parser *p, struct node *branch)
{
    if (p->ahead || !lexer_accept(p, ';'))
        return false;
    bool two = lexer_accept(p, ';');
    branch->falls = lexer_accept(p, '&');
    if (!two && !branch->falls)
        parser_fail(p, TROUBLE_SYNTAX, "a branch does not end");
    return true;
}

static struct node *read_case(struct parser *p, struct node *node)
{
    node->kind = NODE_CASE;
    lexer_blanks(p);
    node->words = words_begin(p) ? words_read(p, WORD_PLAIN) : NULL;
    if (!node->words)
        return parser_fail(p, TROUBLE_SYNTAX, "a case has no subject");
    struct word **patterns = &node->words->next;
    struct node **branches = &node->first;
    lexer_newlines(p);
    parser_expect(p, "in");
    lexer_newlines(p);
    while (!p->failed && !parser_accept(p, "esac")) {
        if (!p->ahead)
            lexer_accept(p, '(');
        struct word **first = patterns;
        patterns = read_patterns(p, patterns);
        struct node *branch = parser_list(p);
        if (!branch)
            break;
        branch->any = words_is(*first, "*");
        *branches = branch;
        branches = &branch->next;
        if (!skip_branch_end(p, branch)) {
            parser_expect(p, "esac");
            break;
        }
        lexer_newlines(p);
    }
    return node;
}

struct node *compound_function(struct parser *p, const char *name)
{
    struct node *node = parser_node(p, NODE_FUNCTION);
    if (!node)
        return NULL;
    node->name = name;
    lexer_newlines(p);
    node->first = compound_read(p);
    if (!node->first)
        parser_fail(p, TROUBLE_SYNTAX, "a function has no body");
    return node;
}

static struct node *read_function(struct parser *p)
{
    parser_bash_only(p, "function");
    const char *name = read_name(p);
    lexer_blanks(p);
    size_t at = p->at;
    if (lexer_accept(p, '(')) {
        lexer_blanks(p);
        if (!lexer_accept(p, ')'))
            p->at = at; /* the body is a subshell */
    }
    return compound_function(p, name);
}

/* True when the next characters spell a word that opens a compound command. Looks without reading
 * words: reading one twice at every level would cost twice the time for every level. */
static bool opening_is_next(struct parser *p)
{
    char name[12];
    size_t n = 0, at = p->at;
    lexer_blanks(p);
    int c = lexer_peek(p);
    bool parenthesis = c == '(';
    for (; n < sizeof name - 1 && !lexer_is_meta(c); c = lexer_peek(p)) {
        name[n++] = (char)c;
        lexer_skip(p);
    }
    name[n] = 0;
    p->at = at;
    return parenthesis || (lexer_is_meta(c) && is_opening(name));
}

/* coproc COMMAND, or coproc NAME COMPOUND: without a compound behind it the word is the command. */
static struct node *read_coproc(struct parser *p, struct node *node)
{
    node->kind = NODE_COPROC;
    parser_bash_only(p, "coproc");
    node->first = compound_read(p);
    if (node->first || p->failed)
        return node;
    struct word *name = p->ahead;
    if (name && name->plain && opening_is_next(p)) {
        p->ahead = NULL;
        node->name = name->parts ? name->parts->text : NULL;
        node->first = compound_read(p);
    } else {
        node->first = parser_simple(p);
    }
    return node;
}

static struct node *read_condition(struct parser *p, struct node *node)
{
    parser_bash_only(p, "[[ ]]");
    node->kind = NODE_TEST;
    node->words = condition_read(p);
    return node;
}

static struct node *read_keyword(struct parser *p, struct node *node)
{
    if (parser_accept(p, "{"))
        return read_group(p, node);
    if (parser_accept(p, "if"))
        return read_if(p, node);
    if (parser_accept(p, "while"))
        return read_loop(p, node, false);
    if (parser_accept(p, "until"))
        return read_loop(p, node, true);
    if (parser_accept(p, "for"))
        return read_for(p, node, false);
    if (parser_accept(p, "select")) {
        parser_bash_only(p, "select");
        return read_for(p, node, true);
    }
    if (parser_accept(p, "case"))
        return read_case(p, node);
    if (parser_accept(p, "function"))
        return read_function(p);
    if (parser_accept(p, "coproc"))
        return read_coproc(p, node);
    return parser_accept(p, "[[") ? read_condition(p, node) : NULL;
}

struct node *compound_read(struct parser *p)
{
    struct word *word = parser_peek_word(p);
    bool parenthesis = !word && lexer_peek(p) == '(';
    if ((!parenthesis && !(words_is_plain(word) && is_opening(word->parts->text))) ||
        !parser_enter(p))
        return NULL;
    struct node *node = parser_node(p, NODE_SUBSHELL);
    if (node && parenthesis && lexer_peek_second(p) == '(')
        node = read_arith(p, node);
    else if (node && parenthesis)
        node = read_subshell(p, node);
    else if (node)
        node = read_keyword(p, node);
    bool simple = node && node->kind == NODE_COPROC; /* its command took the redirects */
    bool redirects = !simple && node && !p->failed && parser_redirects(p, &node->redirects);
    p->keyword_follows = !simple && !redirects;
    parser_leave(p);
    return node;
}
