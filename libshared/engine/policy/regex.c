/* regex.c - see regex.h. */
#include "engine/policy/regex.h"

#include "base/mem.h"
#include "base/scope.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <stdlib.h>
#include <string.h>

struct regex {
    pcre2_code *code;
    pcre2_match_context *limits;
};

int regex_new(const char *pattern, struct regex **out, struct err *err)
{
    if (strlen(pattern) > REGEX_MAX_BYTES)
        return err_set(err, ERR_INVALID, "a pattern of more than %d bytes", REGEX_MAX_BYTES);
    SCOPED(regex_free) struct regex *r = mem_new(1, sizeof *r);
    if (!r)
        return err_set(err, ERR_MEMORY, "no memory for a pattern");
    int code = 0;
    PCRE2_SIZE at = 0;
    r->code = pcre2_compile((PCRE2_SPTR)pattern, PCRE2_ZERO_TERMINATED,
                            PCRE2_DOTALL | PCRE2_NEVER_BACKSLASH_C, &code, &at, NULL);
    if (!r->code) {
        char why[128];
        pcre2_get_error_message(code, (PCRE2_UCHAR *)why, sizeof why);
        return err_set(err, ERR_INVALID, "%s at character %zu of the pattern", why, at + 1);
    }
    r->limits = pcre2_match_context_create(NULL);
    if (!r->limits)
        return err_set(err, ERR_MEMORY, "no memory for a pattern");
    pcre2_set_match_limit(r->limits, REGEX_MATCH_LIMIT);
    pcre2_jit_compile(r->code, PCRE2_JIT_COMPLETE); /* without it patterns are interpreted */
    *out = TAKE(r);
    return 0;
}

void regex_free(struct regex **regex)
{
    if (*regex) {
        pcre2_code_free((*regex)->code);
        pcre2_match_context_free((*regex)->limits);
        free(*regex);
    }
    *regex = NULL;
}

/* ".*" looks at each byte, so that the limit grows with the text. NULL without memory. */
static pcre2_match_context *limits_for(const struct regex *regex, size_t len)
{
    pcre2_match_context *limits = pcre2_match_context_copy(regex->limits);
    if (limits)
        pcre2_set_match_limit(limits, (uint32_t)(REGEX_MATCH_LIMIT + REGEX_BYTE_LIMIT * len));
    return limits;
}

bool regex_matches(const struct regex *regex, struct view text)
{
    bool is_long = text.len > REGEX_SHORT_BYTES;
    pcre2_match_data *room = pcre2_match_data_create(1, NULL);
    pcre2_match_context *limits = is_long ? limits_for(regex, text.len) : regex->limits;
    int found = PCRE2_ERROR_NOMEMORY;
    if (room && limits)
        found = pcre2_match(regex->code, (PCRE2_SPTR)(text.data ? (const char *)text.data : ""),
                            text.len, 0, 0, room, limits);
    if (is_long)
        pcre2_match_context_free(limits);
    pcre2_match_data_free(room);
    return found != PCRE2_ERROR_NOMATCH;
}
