/* key_modes.c - the keys about numbers in arguments: modes and sizes; see key_tests.h. */
#include "base/scope.h"
#include "engine/policy/key_tests.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* What of an argument may be a mode: "755", "-m755", "--mode=u+s". */
static const char *mode_of(const char *text)
{
    if (!strncmp(text, "--mode=", 7))
        return text + 7;
    return !strncmp(text, "-m", 2) ? text + 2 : text;
}

/* One clause of a symbolic mode adds the letter for one of these users. Without a user it is for
 * all that the umask lets, which is everybody for "s". */
static bool clause_gives(const char *clause, size_t len, const char *users, char letter)
{
    size_t who = strspn(clause, "ugoa");
    if (who ? strcspn(clause, users) >= who : letter != 's')
        return false;
    for (size_t i = who; i < len && strchr("+=", clause[i]); i++)
        for (size_t k = i + 1; k < len && !strchr("+=-", clause[k]); k++)
            if (clause[k] == letter)
                return true;
    return false;
}

/* "u+s,g=x": every clause is one, and one gives what is asked for. */
static bool symbolic_gives(const char *mode, const char *users, char letter)
{
    bool gives = false;
    if (!*mode || mode[strspn(mode, "ugoarwxXst+=,-")])
        return false;
    for (size_t len; *mode; mode += len + (mode[len] == ',')) {
        len = strcspn(mode, ",");
        gives |= clause_gives(mode, len, users, letter);
    }
    return gives;
}

/* The number when the whole text is three to five octal digits, -1 otherwise. */
static long octal_of(const char *mode)
{
    size_t digits = strspn(mode, "01234567");
    return digits >= 3 && digits <= 5 && !mode[digits] ? strtol(mode, NULL, 8) : -1;
}

static bool gives(const struct command_fact *c, long bits, const char *users, char letter)
{
    for (size_t i = 1; i < c->argv.count; i++) {
        const char *mode = mode_of(c->argv.items[i].text);
        long octal = octal_of(mode);
        if ((octal >= 0 && octal & bits) || symbolic_gives(mode, users, letter))
            return true;
    }
    return false;
}

bool test_sets_id(const struct subject *s, const struct rule_key *key, bool sure)
{
    (void)sure;
    return gives(s->c, 06000, "uga", 's') == key->flag;
}

bool test_world_writable(const struct subject *s, const struct rule_key *key, bool sure)
{
    (void)sure;
    return gives(s->c, 0002, "oa", 'w') == key->flag;
}

/* Bytes of "10G", "4MB", "512"; 0 when it is no size; infinite for what only the run will tell. */
static double size_of(const char *text)
{
    static const char units[] = "KMGTPE";
    char *end;
    text += strspn(text, "+<>/%"); /* truncate's ways of saying "relative to" */
    if (strchr(text, HOLE))
        return HUGE_VAL;
    double size = strtod(text, &end);
    if (end == text || size < 0)
        return 0;
    const char *unit = *end ? strchr(units, *end & ~0x20) : NULL;
    if (*end == 'b')
        return size * 512;
    double step = unit && (end[1] == 'B' || end[1] == 'b') ? 1000 : 1024;
    for (const char *at = units; unit && at <= unit; at++)
        size *= step;
    return size;
}

/* The value of "name=" among dd's operands; `missing` without. */
static double dd_size(const struct command_fact *c, const char *name, double missing)
{
    size_t len = strlen(name);
    for (size_t i = 1; i < c->argv.count; i++)
        if (!strncmp(c->argv.items[i].text, name, len))
            missing = size_of(c->argv.items[i].text + len);
    return missing;
}

/* The largest value of the options that say how much. */
static double option_size(const struct command_fact *c, const char *letter, const char *name)
{
    double most = 0;
    size_t len = strlen(name);
    for (size_t i = 1; i < c->argv.count; i++) {
        const char *text = c->argv.items[i].text;
        const char *next = i + 1 < c->argv.count ? c->argv.items[i + 1].text : "";
        double size = 0;
        if (!strcmp(text, letter) || !strcmp(text, name))
            size = size_of(next);
        else if (!strncmp(text, name, len) && text[len] == '=')
            size = size_of(text + len + 1);
        else if (!strncmp(text, letter, 2))
            size = size_of(text + 2);
        most = size > most ? size : most;
    }
    return most;
}

bool test_size(const struct subject *s, const struct rule_key *key, bool sure)
{
    static const struct {
        const char *command, *letter, *name;
    } makers[] = {
        {"truncate", "-s", "--size"}, {"fallocate", "-l", "--length"}, {"head", "-c", "--bytes"}};
    const struct command_fact *c = s->c;
    double size = 0;
    if (c->name && (!strcmp(c->name, "dd") || !strcmp(c->name, "dcfldd")))
        size = dd_size(c, "bs=", 512) * dd_size(c, "count=", 0);
    for (size_t i = 0; c->name && i < COUNT(makers); i++)
        if (!strcmp(c->name, makers[i].command))
            size = option_size(c, makers[i].letter, makers[i].name);
    return size > key->number * 1024 * 1024 && !(sure && isinf(size));
}
