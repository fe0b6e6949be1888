/* hits.c - see hits.h. */
#include "engine/policy/hits.h"

#include "engine/policy/match.h"
#include "engine/policy/message.h"

struct collecting {
    const struct subject *subject;
    struct policy_hit *hits;
    size_t count;
};

static bool is_worse(const struct rule *a, const struct rule *b)
{
    return a->action != b->action ? a->action > b->action : a->risk > b->risk;
}

/* Each rule once, though several of its matches hold. */
static void on_match(void *context, const struct rule *rule)
{
    struct collecting *c = context;
    size_t at = c->count;
    for (size_t i = 0; i < c->count; i++)
        if (c->hits[i].rule == rule) {
            c->hits[i].is_of_text &= match_asks_text(c->subject->match);
            return;
        }
    if (c->count == HITS_MAX)
        return;
    c->count++;
    for (; at && is_worse(rule, c->hits[at - 1].rule); at--)
        c->hits[at] = c->hits[at - 1];
    c->hits[at] =
        (struct policy_hit){.rule = rule, .is_of_text = match_asks_text(c->subject->match)};
}

static size_t collect(struct facts *f, const struct command_fact *c,
                      const struct policy_context *context, const struct ruleset *set,
                      struct policy_hit *out, size_t count)
{
    struct feeds feeds = {.questions = &set->questions};
    struct subject subject = {
        .facts = f, .context = context, .known_hosts = &set->known_hosts, .feeds = &feeds};
    struct collecting to = {&subject, out, count};
    subject_begin(&subject);
    subject_turn(&subject, c, OP_EXEC);
    rules_try(set, &subject, on_match, &to);
    for (size_t i = 0; i < to.count; i++) {
        subject_turn(&subject, c, OP_EXEC);
        if (!out[i].message[0])
            message_fill(out[i].message, sizeof out[i].message, out[i].rule, &subject);
    }
    return to.count;
}

size_t policy_hits(struct facts *f, const struct command_fact *c,
                   const struct policy_context *context, const struct ruleset *set,
                   struct policy_hit out[HITS_MAX])
{
    size_t count = set->base ? policy_hits(f, c, context, set->base, out) : 0;
    return collect(f, c, context, set, out, count);
}
