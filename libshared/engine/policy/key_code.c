/* key_code.c - the keys about code and patterns; see key_tests.h. */
#include "base/text.h"
#include "engine/policy/key_tests.h"

#include <string.h>

bool test_regexes(const struct subject *s, const struct rule_key *key, struct view text)
{
    for (size_t i = 0; i < key->count && !subject_is_spent(s); i++) {
        s->facts->arena.steps += 1 + text.len / SUBJECT_BYTES_A_STEP;
        if (regex_matches(key->regexes[i], text))
            return true;
    }
    return false;
}

/* A text inside another: what * begins and ends. */
static bool is_inside(const char *pattern, const char *text)
{
    char inside[512];
    if (!strchr(pattern, '*'))
        return strstr(text, pattern) != NULL;
    size_t len = strlen(pattern);
    if (len + 3 > sizeof inside)
        return false;
    inside[0] = '*';
    memcpy(inside + 1, pattern, len);
    memcpy(inside + 1 + len, "*", 2);
    return text_matches(inside, text);
}

bool test_code_language(const struct subject *s, const struct rule_key *key, bool sure)
{
    (void)sure;
    for (const struct code_fact *code = s->c->code; code; code = code->next)
        for (size_t i = 0; i < key->count; i++)
            if (text_matches(key->items[i], code->language))
                return true;
    return false;
}

bool test_code_any(const struct subject *s, const struct rule_key *key, bool sure)
{
    (void)sure;
    for (const struct code_fact *code = s->c->code; code; code = code->next)
        for (size_t i = 0; i < key->count && !subject_is_spent(s); i++) {
            s->facts->arena.steps += 1 + code->text.len / SUBJECT_BYTES_A_STEP;
            if (is_inside(key->items[i], code->text.text))
                return true;
        }
    return false;
}

bool test_code_regex(const struct subject *s, const struct rule_key *key, bool sure)
{
    (void)sure;
    for (const struct code_fact *code = s->c->code; code; code = code->next)
        if (test_regexes(s, key, (struct view){(const uint8_t *)code->text.text, code->text.len}))
            return true;
    return false;
}

bool test_args_regex(const struct subject *s, const struct rule_key *key, bool sure)
{
    (void)sure;
    return test_regexes(s, key, subject_args((struct subject *)s));
}

bool test_raw_regex(const struct subject *s, const struct rule_key *key, bool sure)
{
    (void)sure;
    return s->facts->trouble.kinds && test_regexes(s, key, s->context->text);
}
