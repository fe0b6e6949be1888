/* produce.c - see produce.h. */
#include "engine/shell/produce.h"

#include <string.h>

char *produce_joined(struct peeling *p, const struct args *argv, size_t from)
{
    size_t len = 1;
    for (size_t i = from; i < argv->count; i++) {
        if (argv->items[i].kind != ARG_LITERAL || argv->items[i].glob_at != SIZE_MAX)
            return NULL;
        len += argv->items[i].len + 1;
    }
    char *text = walk_new(p->w, len, 1), *at = text;
    for (size_t i = from; i < argv->count && text; i++) {
        at = i == from ? at : mempcpy(at, " ", 1);
        at = mempcpy(at, argv->items[i].text, argv->items[i].len);
    }
    return text;
}

/* What `echo WORDS` and `cat <<X` write, if nothing else is to it. */
static const struct arg *literal_output(struct peeling *p, const struct command_fact *from,
                                        struct arg *joined)
{
    if (!from || !from->name)
        return NULL;
    if (!strcmp(from->name, "cat") && from->argv.count == 1 && from->redirects_count == 1 &&
        from->redirects[0].op >= REDIRECT_HEREDOC && !from->redirects[0].fd)
        return &from->redirects[0].target;
    if (strcmp(from->name, "echo") != 0 || from->redirects_count)
        return NULL;
    char *text = produce_joined(p, &from->argv, 1);
    if (!text || text[0] == '-' || strchr(text, '\\'))
        return NULL;
    *joined = arg_literal(text);
    return joined;
}

struct flow produce_stdin(struct peeling *p)
{
    const struct redirect_fact *input = NULL;
    for (size_t i = 0; i < p->c->redirects_count; i++)
        if (!p->c->redirects[i].fd)
            input = &p->c->redirects[i];
    struct arg joined;
    const struct arg *code = NULL;
    if (input && (input->op == REDIRECT_HEREDOC || input->op == REDIRECT_HERESTRING))
        code = &input->target;
    else if (input && input->op == REDIRECT_IN && !inner_is_odd_file(p, &input->target))
        return flow_same(p->in); /* a script by another name */
    else if (!input)
        code = literal_output(p, p->c->upstream, &joined);
    return code ? inner_text(p, code)
                : peel_unsure(p, TROUBLE_CODE, "runs what its standard input brings");
}
