/* match.c - see match.h. One small function a key. */
#include "engine/policy/match.h"

#include "base/text.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

static bool in_list(const char *const *list, const char *text)
{
    for (; *list; list++)
        if (text_matches(*list, text))
            return true;
    return false;
}

static bool is_option(const struct arg *a)
{
    return a->text[0] == '-' && a->text[1];
}

/* The index behind "--", or argc. */
static size_t end_of_options(const struct command_fact *c)
{
    for (size_t i = 1; i < c->argv.count; i++)
        if (!strcmp(c->argv.items[i].text, "--"))
            return i + 1;
    return c->argv.count;
}

static bool is_operand(const struct command_fact *c, size_t i, size_t end)
{
    return i >= end || (strcmp(c->argv.items[i].text, "--") != 0 && !is_option(&c->argv.items[i]));
}

/* "-r" in a cluster; "--recursive" abbreviated as getopt_long allows. */
static bool has_flag(const struct arg *a, const char *flag)
{
    if (!is_option(a))
        return false;
    if (flag[1] != '-')
        return flag[2] ? !strcmp(a->text, flag) : a->text[1] != '-' && strchr(a->text, flag[1]);
    size_t len = strcspn(a->text, "=");
    return len > 2 && !strncmp(a->text, flag, len);
}

/* An argument that may become several when it runs may be the flag. */
static bool has_flags(const char *const *flags, const struct command_fact *c)
{
    size_t end = end_of_options(c);
    for (size_t i = 1; i < end; i++) {
        for (const char *const *flag = flags; *flag; flag++)
            if (has_flag(&c->argv.items[i], *flag))
                return true;
        if (c->argv.items[i].splits)
            return true;
    }
    return false;
}

static bool has_arg(const char *const *patterns, const struct command_fact *c)
{
    for (size_t i = 1; i < c->argv.count; i++)
        if (in_list(patterns, c->argv.items[i].text))
            return true;
    return false;
}

static bool has_unknown_arg(const struct command_fact *c)
{
    for (size_t i = 1; i < c->argv.count; i++)
        if (c->argv.items[i].kind != ARG_LITERAL)
            return true;
    return false;
}

static size_t last_operand(const struct command_fact *c, size_t end)
{
    size_t last = 0;
    for (size_t i = 1; i < c->argv.count; i++)
        if (is_operand(c, i, end))
            last = i;
    return last;
}

static unsigned classes_of(const struct rule_match *m, const struct policy_context *context,
                           const struct command_fact *c, struct arg a)
{
    size_t prefix = m->paths_prefix ? strlen(m->paths_prefix) : 0;
    if (prefix && strncmp(a.text, m->paths_prefix, prefix) != 0)
        return 0;
    a.text += prefix;
    a.len -= prefix;
    a.glob_at -= a.glob_at != SIZE_MAX ? prefix : 0;
    return path_classes(context, c->cwds, &a);
}

/* What lies below a place of find's, which keeps the place itself where it is a temporary one. */
static unsigned classes_below(const struct rule_match *m, const struct policy_context *context,
                              const struct command_fact *c, const struct arg *place)
{
    char text[CWDS_PATH_MAX];
    int n = snprintf(text, sizeof text, "%s/%c", place->text, HOLE);
    struct arg below = *place;
    below.text = text;
    below.len = (size_t)n;
    unsigned classes = classes_of(m, context, c, *place);
    unsigned inside = (size_t)n < sizeof text ? classes_of(m, context, c, below) : 0;
    return inside == PATH_TEMPORARY ? inside : classes;
}

/* Where find begins: the arguments before its expression, or here. */
static unsigned classes_of_starts(const struct rule_match *m, const struct policy_context *context,
                                  const struct command_fact *c)
{
    size_t from, count = facts_find_starts(c, &from);
    unsigned classes = count ? 0 : classes_of(m, context, c, arg_literal("."));
    for (size_t i = from; i < from + count; i++)
        classes |= classes_below(m, context, c, &c->argv.items[i]);
    return classes;
}

/* The classes of the operands that play the role. */
static unsigned classes_of_operands(const struct rule_match *m,
                                    const struct policy_context *context,
                                    const struct command_fact *c)
{
    size_t end = end_of_options(c), last = last_operand(c, end);
    unsigned classes = 0;
    if (m->paths_role == ROLE_START)
        return classes_of_starts(m, context, c);
    for (size_t i = 1; i < c->argv.count; i++) {
        bool plays =
            m->paths_role == ROLE_OPERANDS || (m->paths_role == ROLE_TARGET) == (i == last);
        if (plays && is_operand(c, i, end))
            classes |= classes_of(m, context, c, c->argv.items[i]);
    }
    return classes;
}

static bool redirect_writes(const struct redirect_fact *r)
{
    switch (r->op) {
    case REDIRECT_OUT:
    case REDIRECT_APPEND:
    case REDIRECT_CLOBBER:
    case REDIRECT_BOTH_WAY:
    case REDIRECT_ALL:
    case REDIRECT_ALL_APPEND:
        return true;
    case REDIRECT_DUP_OUT: /* ">& file" writes a file unless it names a descriptor */
        return r->target.text[strspn(r->target.text, "0123456789-")] != 0;
    default:
        return false;
    }
}

static unsigned classes_of_writes(const struct policy_context *context,
                                  const struct command_fact *c)
{
    unsigned classes = 0;
    for (size_t i = 0; i < c->redirects_count; i++)
        if (redirect_writes(&c->redirects[i]))
            classes |= path_classes(context, c->cwds, &c->redirects[i].target);
    return classes;
}

/* Commands that write files which their operands name: each of them, or the last one. */
static bool writes_operand(const struct command_fact *c, size_t i, size_t last)
{
    static const char *const each[] = {"tee", "touch", "truncate", "patch", "visudo", NULL};
    static const char *const target[] = {"cp", "mv", "install", "ln", "rsync", "scp", NULL};
    static const char *const in_place[] = {"-i", "--in-place", NULL};
    if (in_list(each, c->name))
        return true;
    if (!strcmp(c->name, "sed") || !strcmp(c->name, "perl"))
        return has_flags(in_place, c);
    return i == last && in_list(target, c->name);
}

/* What dd writes is behind "of=". */
static bool writes_path(const char *const *patterns, const struct command_fact *c)
{
    for (size_t i = 0; i < c->redirects_count; i++)
        if (redirect_writes(&c->redirects[i]) &&
            path_matches(c->cwds, &c->redirects[i].target, patterns))
            return true;
    size_t last = last_operand(c, end_of_options(c));
    for (size_t i = 1; c->name && i < c->argv.count; i++) {
        struct arg a = c->argv.items[i];
        bool dd = !strcmp(c->name, "dd") && !strncmp(a.text, "of=", 3);
        a.text += dd ? 3 : 0;
        a.len -= dd ? 3 : 0;
        if ((dd || writes_operand(c, i, last)) && path_matches(c->cwds, &a, patterns))
            return true;
    }
    return false;
}

static bool opens(const char *const *patterns, const struct command_fact *c)
{
    for (size_t i = 0; i < c->redirects_count; i++)
        if (c->redirects[i].op < REDIRECT_HEREDOC && in_list(patterns, c->redirects[i].target.text))
            return true;
    return false;
}

static bool holds_code(const char *const *texts, const struct command_fact *c)
{
    for (; *texts; texts++) {
        for (size_t i = 1; i < c->argv.count; i++)
            if (strstr(c->argv.items[i].text, *texts))
                return true;
        for (size_t i = 0; i < c->redirects_count; i++)
            if (c->redirects[i].op >= REDIRECT_HEREDOC &&
                strstr(c->redirects[i].target.text, *texts))
                return true;
    }
    return false;
}

/* NAME=value before a command, alone, or as an argument of env, export and their kin. */
static bool sets(const char *const *names, const struct command_fact *c)
{
    static const char *const setters[] = {"env", "export", "declare", "typeset", "readonly", NULL};
    for (size_t i = 0; i < c->assigns_count; i++)
        if (in_list(names, c->assigns[i].name))
            return true;
    if (!c->name || !in_list(setters, c->name))
        return false;
    for (size_t i = 1; i < c->argv.count; i++) {
        char name[32];
        size_t len = strcspn(c->argv.items[i].text, "=");
        if (text_copy_view(name, sizeof name,
                           (struct view){(const uint8_t *)c->argv.items[i].text, len}) &&
            in_list(names, name))
            return true;
    }
    return false;
}

/* "u+s", "g=xs", "4755", "-m4755": a mode that sets the user or group id. */
static bool sets_user_id(const struct command_fact *c)
{
    for (size_t i = 1; i < c->argv.count; i++) {
        const char *mode = c->argv.items[i].text;
        if (!strncmp(mode, "--mode=", 7))
            mode += 7;
        else if (!strncmp(mode, "-m", 2))
            mode += 2;
        while (*mode == '0')
            mode++;
        size_t digits = strspn(mode, "01234567");
        if (digits == 4 && !mode[4] && strchr("234567", mode[0])) /* 1 is the sticky bit */
            return true;
        size_t who = strspn(mode, "ugoa"), rest = who + strspn(mode + who, "+=");
        const char *letter = strchr(mode + rest, 's');
        if (rest > who && letter && !mode[rest + strspn(mode + rest, "rwxXstugoa+=,-")])
            return true;
    }
    return false;
}

static bool paths_match(const struct rule_match *m, const struct policy_context *context,
                        const struct command_fact *c)
{
    bool swept = m->or_swept && c->swept;
    if (m->flags_any && !swept && !has_flags(m->flags_any, c))
        return false;
    return !m->paths_any || classes_of_operands(m, context, c) & m->paths_any;
}

bool match_rule(const struct rule_match *m, const struct policy_context *context,
                const struct command_fact *c)
{
    if (m->command && (!c->name || !in_list(m->command, c->name)))
        return false;
    if (m->context_any && !(m->context_any & c->context))
        return false;
    if ((m->args_any && !has_arg(m->args_any, c)) || (m->args_also && !has_arg(m->args_also, c)))
        return false;
    if ((m->args_none && has_arg(m->args_none, c)) || (m->args_unknown && !has_unknown_arg(c)))
        return false;
    if (m->writes_any && !(m->writes_any & classes_of_writes(context, c)))
        return false;
    if (m->writes_paths && !writes_path(m->writes_paths, c))
        return false;
    if ((m->opens_any && !opens(m->opens_any, c)) || (m->code_any && !holds_code(m->code_any, c)))
        return false;
    if ((m->sets_any && !sets(m->sets_any, c)) || (m->sets_user_id && !sets_user_id(c)))
        return false;
    return paths_match(m, context, c);
}
