/* policy.c - what a decision costs in process: the text read, the facts found, every default rule
 * tried.
 *
 *   bench-policy COUNT
 *
 * Prints "NAME NS" for each of COUNT decisions of each kind: short, two commands of two or three
 * words in turns; line, about 400 bytes; script, 4 KiB. Behind those of a kind stand "NAME-rate N",
 * decisions that a second of processor time is enough for, and "NAME-bytes N", the memory that one
 * takes while it lasts. First "rules-heap BYTES" and "rules-resident BYTES": by how much the loaded
 * rules make the heap and the resident set grow. One thread; nothing is printed between decisions
 * of a kind.
 */
#include "base/clock.h"
#include "base/mem.h"
#include "base/scope.h"
#include "engine/policy/judge.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { SCRIPT_BYTES = 4096, WARM_UP = 100 };

static const char line[] =
    "cd build && cmake -DCMAKE_BUILD_TYPE=Release -G Ninja .. > configure.log 2>&1 && "
    "cmake --build . -j4 | tee build.log | grep -E 'warning|error' | sort -u | head -n 20; "
    "for t in unit integration; do ctest -L \"$t\" --output-on-failure || exit 1; done; "
    "git add -A && git commit -m 'build: a release with warnings as errors' && "
    "tar czf ../dist/release-$(git rev-parse --short HEAD).tgz bin lib share && ls -l ../dist/ | "
    "wc -l";

static const char block[] = "set -eu\n"
                            "mkdir -p out/logs\n"
                            "for f in src/*.py; do\n"
                            "    python3 -m py_compile \"$f\" >> out/logs/compile.log 2>&1\n"
                            "    if ! grep -q 'main' \"$f\"; then continue; fi\n"
                            "    cp \"$f\" out/\"$(basename \"$f\")\"\n"
                            "done\n"
                            "npm ci --silent && npm run build -- --mode production\n"
                            "find out -name '*.tmp' -delete\n";

/* What decisions are made with. */
struct desk {
    struct policy_context context;
    const struct ruleset *set;
    struct facts room;
};

/* Texts of one kind, in turns. */
struct kind {
    const char *name;
    const char *texts[2];
};

static int64_t judge(struct desk *d, const char *text)
{
    struct judgement j;
    int64_t begin = clock_boot_ns();
    struct facts_setting setting = {d->context.cwd, d->context.home};
    d->context.text = view_of(text);
    facts_read_shell(&d->room, &setting, d->context.text);
    policy_judge(&d->room, &d->context, d->set, &j);
    return clock_boot_ns() - begin;
}

static double cpu_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void measure(struct desk *d, const struct kind *kind, int64_t *took, long count)
{
    size_t bytes = 0;
    for (long i = 0; i < WARM_UP; i++)
        judge(d, kind->texts[i % 2]);
    double begin = cpu_s();
    for (long i = 0; i < count; i++) {
        took[i] = judge(d, kind->texts[i % 2]);
        bytes = d->room.arena.taken_bytes > bytes ? d->room.arena.taken_bytes : bytes;
    }
    double spent = cpu_s() - begin;
    for (long i = 0; i < count; i++)
        printf("%s %lld\n", kind->name, (long long)took[i]);
    printf("%s-rate %.0f\n%s-bytes %zu\n", kind->name, (double)count / spent, kind->name, bytes);
}

static size_t heap_bytes(void)
{
    struct mallinfo2 m = mallinfo2();
    return m.uordblks + m.hblkhd;
}

static long resident_bytes(void)
{
    long pages = 0;
    FILE *f = fopen("/proc/self/statm", "re");
    if (!f || fscanf(f, "%*d %ld", &pages) != 1)
        pages = 0;
    if (f)
        fclose(f);
    return pages * sysconf(_SC_PAGESIZE);
}

static int run(long count, struct err *err)
{
    static char script[SCRIPT_BYTES + sizeof block];
    SCOPED(ruleset_free) struct ruleset *set = NULL;
    size_t heap = heap_bytes();
    long resident = resident_bytes();
    if (ruleset_load(&(struct ruleset_options){0}, &set, err))
        return -1;
    printf("rules-heap %zu\n", heap_bytes() - heap);
    printf("rules-resident %ld\n", resident_bytes() - resident);
    while (strlen(script) + strlen(block) <= SCRIPT_BYTES)
        strcat(script, block);
    const struct kind kinds[] = {{"short", {"git status", "ls -la src"}},
                                 {"line", {line, line}},
                                 {"script", {script, script}}};
    struct desk d = {
        .context = {.cwd = "/workspace", .home = "/home/agent", .workspace = "/workspace"},
        .set = set};
    int64_t *took = mem_new((size_t)count, sizeof *took);
    if (!took)
        return err_set(err, ERR_MEMORY, "no memory for figures");
    for (size_t i = 0; i < COUNT(kinds); i++)
        measure(&d, &kinds[i], took, count);
    free(took);
    facts_close(&d.room);
    return 0;
}

int main(int argc, char **argv)
{
    struct err err;
    long count = argc == 2 ? atol(argv[1]) : 0;
    if (count < 1) {
        fprintf(stderr, "usage: bench-policy COUNT\n");
        return 2;
    }
    if (!run(count, &err))
        return 0;
    fprintf(stderr, "bench-policy: %s\n", err.text);
    return 1;
}
