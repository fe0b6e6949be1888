/* tokens.c - the longest that a text of SHELL_MAX_BYTES takes to be judged by the default rules,
 * over texts that are one token of tests/lib/tokens.def again and again.
 *
 *   bench-tokens            each by itself and one a line
 *   bench-tokens pairs      each with every other in turns: minutes; tells of those above 10 ms
 *
 * Prints "COUNT NS TEXT": how many texts, the processor time of the slowest, and which that is.
 */
#include "base/scope.h"
#include "engine/policy/judge.h"
#include "engine/shell/lexer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { TRIES = 3, TOLD_NS = 10000000, NS_PER_US = 1000 };

static const char *const tokens[] = {
#define TOKEN(text) text,
#include "tests/lib/tokens.def"
#undef TOKEN
};

static const struct policy_context context = {
    .cwd = "/workspace", .home = "/home/agent", .workspace = "/workspace"};

struct bench {
    const struct ruleset *rules;
    struct facts facts;
    char text[SHELL_MAX_BYTES];
    bool tells_all;
    int texts;
    int64_t worst_ns;
    char worst[64];
};

static void show(char *to, size_t size, const char *first, const char *second)
{
    size_t at = 0;
    const char *const both[] = {first, second};
    for (size_t i = 0; i < COUNT(both); i++)
        for (const char *c = both[i]; *c && at + 5 < size; c++)
            at += (size_t)snprintf(to + at, size - at, *c < ' ' ? "\\x%02x" : "%c",
                                   *c < ' ' ? (unsigned)(unsigned char)*c : (unsigned)*c);
}

static void fill(char *to, const char *first, const char *second)
{
    size_t at = 0, n;
    for (bool odd = false; at < SHELL_MAX_BYTES; odd = !odd, at += n) {
        const char *token = odd && *second ? second : first;
        n = strlen(token);
        n = n < SHELL_MAX_BYTES - at ? n : SHELL_MAX_BYTES - at;
        memcpy(to + at, token, n);
    }
}

/* Of this thread, for others use the machine, too. */
static int64_t cpu_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

static int64_t judge_ns(struct bench *b)
{
    struct judgement j;
    struct policy_context here = context;
    here.text = (struct view){(const uint8_t *)b->text, sizeof b->text};
    int64_t began = cpu_ns();
    facts_read_shell(&b->facts, &(struct facts_setting){here.cwd, here.home}, here.text);
    policy_judge(&b->facts, &here, b->rules, &j);
    return cpu_ns() - began;
}

/* The best of a few tries. */
static void measure(struct bench *b, const char *first, const char *second)
{
    char shown[sizeof b->worst] = "";
    fill(b->text, first, second);
    int64_t best = judge_ns(b);
    for (int i = 1; i < TRIES && best > TOLD_NS; i++) {
        int64_t took = judge_ns(b);
        best = took < best ? took : best;
    }
    b->texts++;
    if (best <= b->worst_ns && (!b->tells_all || best < TOLD_NS))
        return;
    show(shown, sizeof shown, first, second);
    if (b->tells_all && best >= TOLD_NS)
        printf("%8lld us  %s\n", (long long)(best / NS_PER_US), shown);
    if (best > b->worst_ns) {
        b->worst_ns = best;
        memcpy(b->worst, shown, sizeof shown);
    }
}

int main(int argc, char **argv)
{
    static struct bench b;
    struct err err;
    struct ruleset *rules = NULL;
    if (ruleset_load(&(struct ruleset_options){0}, &rules, &err)) {
        fprintf(stderr, "%s\n", err.text);
        return 1;
    }
    b.rules = rules;
    b.tells_all = argc > 1 && !strcmp(argv[1], "pairs");
    for (size_t i = 0; i < COUNT(tokens); i++) {
        measure(&b, tokens[i], "");
        measure(&b, "\n", tokens[i]);
        for (size_t k = 0; b.tells_all && k < COUNT(tokens); k++)
            measure(&b, tokens[i], tokens[k]);
    }
    printf("%d %lld %s\n", b.texts, (long long)b.worst_ns, b.worst);
    facts_close(&b.facts);
    ruleset_free(&rules);
    return 0;
}
