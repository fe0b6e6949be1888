/* produce.c - see produce.h. */
#include "engine/shell/produce.h"

#include <string.h>

static char *joined_text(struct walk *w, const struct args *argv, size_t from)
{
    size_t len = 1;
    for (size_t i = from; i < argv->count; i++) {
        if (argv->items[i].kind != ARG_LITERAL || argv->items[i].glob_at != SIZE_MAX)
            return NULL;
        len += argv->items[i].len + 1;
    }
    char *text = walk_new(w, len, 1), *at = text;
    for (size_t i = from; i < argv->count && text; i++) {
        at = i == from ? at : mempcpy(at, " ", 1);
        at = mempcpy(at, argv->items[i].text, argv->items[i].len);
    }
    return text;
}

char *produce_joined(struct peeling *p, const struct args *argv, size_t from)
{
    return joined_text(p->w, argv, from);
}

/* What `echo WORDS` and `cat <<X` write, if nothing else is to it. */
static const struct arg *literal_output(struct walk *w, const struct command_fact *from,
                                        struct arg *joined)
{
    if (!from || !from->name)
        return NULL;
    if (!strcmp(from->name, "cat") && from->argv.count == 1 && from->redirects_count == 1 &&
        from->redirects[0].op >= REDIRECT_HEREDOC && !from->redirects[0].fd)
        return &from->redirects[0].target;
    if (strcmp(from->name, "echo") != 0 || from->redirects_count)
        return NULL;
    char *text = joined_text(w, &from->argv, 1);
    if (!text || text[0] == '-' || strchr(text, '\\'))
        return NULL;
    *joined = arg_literal(text);
    return joined;
}

const struct arg *produce_input(struct walk *w, const struct command_fact *c)
{
    const struct redirect_fact *input = NULL;
    for (size_t i = 0; i < c->redirects_count; i++)
        if (!c->redirects[i].fd)
            input = &c->redirects[i];
    if (input && (input->op == REDIRECT_HEREDOC || input->op == REDIRECT_HERESTRING))
        return &input->target;
    struct arg *joined = input ? NULL : walk_new(w, 1, sizeof *joined);
    return joined ? literal_output(w, c->upstream, joined) : NULL;
}

struct flow produce_stdin(struct peeling *p)
{
    const struct redirect_fact *input = NULL;
    for (size_t i = 0; i < p->c->redirects_count; i++)
        if (!p->c->redirects[i].fd)
            input = &p->c->redirects[i];
    const struct arg *code = produce_input(p->w, p->c);
    if (!code && input && input->op == REDIRECT_IN && !inner_is_odd_file(p, &input->target))
        return flow_same(p->in); /* a script by another name */
    return code ? inner_text(p, code)
                : peel_unsure(p, TROUBLE_CODE, "runs what its standard input brings");
}
