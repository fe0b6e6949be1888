/* key.c - see key.h. */
#include "engine/policy/key.h"

#include "base/scope.h"
#include "engine/policy/key_tests.h"

#include <string.h>

static const struct key_row rows[] = {
#define KEY(name, kind, needs, test, argument, doc)                                                \
    {#name, KIND_##kind, needs, test, argument, doc},
#include "engine/policy/keys.def"
#undef KEY
};

const struct key_row *key_rows(size_t *count)
{
    *count = COUNT(rows);
    return rows;
}

const struct key_row *key_find(const char *name)
{
    for (size_t i = 0; i < COUNT(rows); i++)
        if (!strcmp(rows[i].name, name))
            return &rows[i];
    return NULL;
}

static const struct named_bit {
    enum key_kind kind;
    const char *name;
    unsigned bit;
} bits[] = {
    {KIND_CONTEXTS, "substitution", CONTEXT_SUBSTITUTION},
    {KIND_CONTEXTS, "process", CONTEXT_PROCESS},
    {KIND_CONTEXTS, "function", CONTEXT_FUNCTION},
    {KIND_CONTEXTS, "loop", CONTEXT_LOOP},
    {KIND_CONTEXTS, "background", CONTEXT_BACKGROUND},
    {KIND_CONTEXTS, "subshell", CONTEXT_SUBSHELL},
    {KIND_CONTEXTS, "piped-in", CONTEXT_PIPED_IN},
    {KIND_CONTEXTS, "trap", CONTEXT_TRAP},
    {KIND_CONTEXTS, "alias", CONTEXT_ALIAS},
    {KIND_CONTEXTS, "endless", CONTEXT_ENDLESS},
    {KIND_CONTEXTS, "self-call", CONTEXT_SELF_CALL},
    {KIND_CONTEXTS, "elsewhere", CONTEXT_ELSEWHERE},
    {KIND_CONTEXTS, "spawns", CONTEXT_SPAWNS},
    {KIND_TROUBLES, "syntax", TROUBLE_SYNTAX},
    {KIND_TROUBLES, "dynamic", TROUBLE_DYNAMIC},
    {KIND_TROUBLES, "too-large", TROUBLE_TOO_LARGE},
    {KIND_TROUBLES, "too-deep", TROUBLE_TOO_DEEP},
    {KIND_TROUBLES, "invisible", TROUBLE_INVISIBLE},
    {KIND_TROUBLES, "memory", TROUBLE_MEMORY},
    {KIND_TROUBLES, "code", TROUBLE_CODE},
    {KIND_REDIRECTS, "<", 1 << REDIRECT_IN},
    {KIND_REDIRECTS, ">", 1 << REDIRECT_OUT},
    {KIND_REDIRECTS, ">>", 1 << REDIRECT_APPEND},
    {KIND_REDIRECTS, ">|", 1 << REDIRECT_CLOBBER},
    {KIND_REDIRECTS, "<>", 1 << REDIRECT_BOTH_WAY},
    {KIND_REDIRECTS, "<&", 1 << REDIRECT_DUP_IN},
    {KIND_REDIRECTS, ">&", 1 << REDIRECT_DUP_OUT},
    {KIND_REDIRECTS, "&>", 1 << REDIRECT_ALL},
    {KIND_REDIRECTS, "&>>", 1 << REDIRECT_ALL_APPEND},
    {KIND_REDIRECTS, "<<", 1 << REDIRECT_HEREDOC},
    {KIND_REDIRECTS, "<<<", 1 << REDIRECT_HERESTRING},
};

const char *key_name_at(enum key_kind kind, size_t i, unsigned *bit)
{
    for (size_t at = 0; at < COUNT(bits); at++) {
        if (bits[at].kind != kind || i--)
            continue;
        *bit = bits[at].bit;
        return bits[at].name;
    }
    return NULL;
}

bool key_takes_list(enum key_kind kind)
{
    return kind != KIND_FLAG && kind != KIND_NUMBER;
}
