/* secret_name.c - what a name says of its value; see secret.h. */
#include "base/secret_own.h"

#include "base/scope.h"

#include <string.h>

enum { NAME_MAX_BYTES = 128 };

static const struct {
    const char *word, *kind;
    enum edge side;
    enum values values;
} keys[] = {
#define PREFIX(kind, prefix, class, least, edge, doc)
#define KEY(kind, word, side, values, doc) {word, #kind, side, values},
#define NOT_KEY(word)
#define OPTION(kind, program, letter, form, doc)
#define WORD(word)
#include "base/secret.def"
#undef KEY
#undef NOT_KEY
};

static const char *const not_keys[] = {
#define KEY(kind, word, side, values, doc)
#define NOT_KEY(word) word,
#include "base/secret.def"
#undef PREFIX
#undef KEY
#undef NOT_KEY
#undef OPTION
#undef WORD
};

/* In lower case, with _ between the parts. */
static size_t normal(struct view name, char to[NAME_MAX_BYTES + 1])
{
    size_t len = name.len;
    if (len > NAME_MAX_BYTES) { /* a name ends in what it is */
        name.data += len - NAME_MAX_BYTES;
        len = NAME_MAX_BYTES;
    }
    for (size_t i = 0; i < len; i++) {
        char c = (char)name.data[i];
        to[i] = c >= 'A' && c <= 'Z' ? (char)(c + 32) : c == '-' || c == '.' ? '_' : c;
    }
    to[len] = 0;
    return len;
}

static bool says_otherwise(const char *name)
{
    const char *last = strrchr(name, '_');
    for (size_t i = 0; last && i < COUNT(not_keys); i++)
        if (!strcmp(last + 1, not_keys[i]))
            return true;
    return false;
}

/* The word, and behind it no letter: a tokenizer holds no token, and a number of tokens is none. */
static bool holds(const char *name, const char *word, enum edge side)
{
    size_t len = strlen(word);
    for (const char *at = name; (at = strstr(at, word)); at++) {
        char after = at[len];
        bool begins = side != WHOLE || at == name || at[-1] == '_';
        if (begins && (after < 'a' || after > 'z'))
            return true;
    }
    return false;
}

struct secret_key secret_key_of(struct view name)
{
    char is[NAME_MAX_BYTES + 1];
    if (normal(name, is) && !says_otherwise(is))
        for (size_t i = 0; i < COUNT(keys); i++)
            if (holds(is, keys[i].word, keys[i].side))
                return (struct secret_key){keys[i].kind, keys[i].values};
    return (struct secret_key){0};
}
