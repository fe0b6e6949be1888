/* secret_describe.c - the rows of secret.def as tables for docs. */
#include "base/secret.h"

#include "base/scope.h"

static const char *const keys[][3] = {
#define PREFIX(kind, prefix, class, least, edge, doc)
#define KEY(kind, word, side, values, doc) {#kind, word, doc},
#define NOT_KEY(word)
#define OPTION(kind, program, letter, form, doc)
#define WORD(word)
#include "base/secret.def"
#undef KEY
#undef OPTION
};

static const char *const options[][2] = {
#define KEY(kind, word, side, values, doc)
#define OPTION(kind, program, letter, form, doc) {#kind, doc},
#include "base/secret.def"
#undef PREFIX
#undef KEY
#undef OPTION
};

static const char *const prefixes[][2] = {
#define PREFIX(kind, prefix, class, least, edge, doc)                                              \
    {#kind, "`" prefix "` and " #least " or more of " #class ": " doc},
#define KEY(kind, word, side, values, doc)
#define OPTION(kind, program, letter, form, doc)
#include "base/secret.def"
#undef PREFIX
#undef NOT_KEY
#undef WORD
};

static const char *const not_keys[] = {
#define PREFIX(kind, prefix, class, least, edge, doc)
#define NOT_KEY(word) word,
#define WORD(word)
#include "base/secret.def"
#undef NOT_KEY
#undef WORD
};

static const char *const words[] = {
#define NOT_KEY(word)
#define WORD(word) word,
#include "base/secret.def"
#undef PREFIX
#undef KEY
#undef NOT_KEY
#undef OPTION
#undef WORD
};

static int list_words(const char *const *list, size_t count, struct bytes *to, struct err *err)
{
    for (size_t i = 0; i < count; i++)
        if (bytes_addf(to, err, "%s`%s`", i ? ", " : "", list[i]))
            return -1;
    return bytes_addf(to, err, ".\n\n");
}

static int describe_keys(struct bytes *to, struct err *err)
{
    if (bytes_addf(
            to, err,
            "## Names and options\nThe value of a name that holds one of these words, in any "
            "case, `-` and `.` as good as `_`: `NAME=…`, `name: …`, `\"name\": \"…\"`, "
            "`--name …`, `--name=…`.\n\n| kind | word | such as |\n|---|---|---|\n"))
        return -1;
    for (size_t i = 0; i < COUNT(keys); i++)
        if (bytes_addf(to, err, "| %s | `%s` | %s |\n", keys[i][0], keys[i][1], keys[i][2]))
            return -1;
    return bytes_addf(to, err, "\nBut not of a name whose last part says otherwise: ") ||
                   list_words(not_keys, COUNT(not_keys), to, err) ||
                   bytes_addf(to, err,
                              "And no value that is one of these, or one letter repeated: ") ||
                   list_words(words, COUNT(words), to, err)
               ? -1
               : 0;
}

int secret_describe(struct bytes *to, struct err *err)
{
    if (describe_keys(to, err) ||
        bytes_addf(to, err, "| kind | option of a program |\n|---|---|\n"))
        return -1;
    for (size_t i = 0; i < COUNT(options); i++)
        if (bytes_addf(to, err, "| %s | `%s` |\n", options[i][0], options[i][1]))
            return -1;
    if (bytes_addf(to, err,
                   "\n## Known by their looks\n| kind | what |\n|---|---|\n"
                   "| url | `scheme://user:PASSWORD@`, `scheme://TOKEN@` of 20 bytes or more |\n"
                   "| jwt | `eyJ….eyJ….…` (RFC 7519) |\n"
                   "| pem | `-----BEGIN … PRIVATE KEY-----` to its end |\n"))
        return -1;
    for (size_t i = 0; i < COUNT(prefixes); i++)
        if (bytes_addf(to, err, "| %s | %s |\n", prefixes[i][0], prefixes[i][1]))
            return -1;
    return 0;
}
