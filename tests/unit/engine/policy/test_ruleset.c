/* Rule files: what is refused and where, tiers, trust, generations. */
#include "base/file.h"
#include "tests/unit/engine/policy/rules.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define MATCH "[rule.match]\ncommand = ['zap']\n"

static void refused(enum policy_tier tier, const char *text, const char *words)
{
    struct err err = {0};
    struct ruleset *set = NULL;
    if (!rules_load(tier, text, &set, &err))
        fail_msg("%s: was not refused: %s", words, text);
    assert_null(set);
    assert_int_equal(err.code, ERR_CONFIG);
    if (!strstr(err.text, words) || strncmp(err.text, "test.toml:", 10) != 0)
        fail_msg("\"%s\" does not say \"%s\"", err.text, words);
}

static void refuses_what_it_does_not_know_and_says_where(void **state)
{
    (void)state;
    static const struct {
        const char *text, *words;
    } cases[] = {
        {"x = 1\n", "test.toml:2:1: unknown key x"},
        {"[rules]\nx = 1\n", "unknown table [rules]"},
        {DENIES "x = 1\n" MATCH, "test.toml:7:1: unknown key x"},
        {DENIES "[rule.match]\ncomand = ['x']\n", "test.toml:8:1: unknown key comand"},
        {DENIES "[rule.match]\nnot_x = ['x']\n", "unknown key not_x"},
        {DENIES "[rule.match]\ncommand = 'x'\n", "command is a list"},
        {DENIES "[rule.match]\ncommand = []\n", "command is empty"},
        {DENIES "[rule.match]\ncommand = ['@nothing']\n", "no list @nothing"},
        {"[lists]\na = ['@b']\nb = ['@a']\n" DENIES "[rule.match]\ncommand = ['@a']\n",
         "within themselves"},
        {"[lists]\nshells = ['x']\n", "list shells is there already"},
        {DENIES "[rule.match]\npaths_any = ['etc']\n", "begins with none of"},
        {DENIES "[rule.match]\nhosts_any = ['10.0.0.0/33']\n", "no range"},
        {DENIES "[rule.match]\nports_any = ['99999']\n", "no port"},
        {DENIES "[rule.match]\ncontext_any = ['moon']\n", "\"moon\" is no name"},
        {DENIES "[rule.match]\nswept = 1\n", "swept is true or false"},
        {DENIES "[rule.match]\ndepth_min = -1\n", "depth_min is a number"},
        {DENIES "[rule.match]\nargs_regex = ['(']\n", "of the pattern"},
        {DENIES "[rule.match]\nraw_regex = ['x']\n", "raw_regex only in rules with action"},
        {DENIES "[rule.match]\n", "a match without keys"},
        {DENIES, "no [rule.match]"},
        {"[[rule]]\n", "a rule without an id"},
        {"[[rule]]\nid = 'A'\n", "id \"A\""},
        {"[[rule]]\nid = 'a'\nrisk = 'high'\n" MATCH, "needs description, risk and action"},
        {"[[rule]]\nid = 'a'\nrisk = 'huge'\n", "risk is one of low"},
        {"[[rule]]\nid = 'a'\naction = 'stop'\n", "action is one of allow"},
        {DENIES "op = ['fly']\n" MATCH, "\"fly\" is none"},
        {DENIES MATCH DENIES MATCH, "rule t is there already: test.toml:3"},
        {"[[rule]]\nid = 'fs.rm-system'\n" MATCH, "needs description"},
        {DENIES MATCH "[rule.examples]\nmatch = ['zip']\n", "does not match its example: zip"},
        {DENIES MATCH "[rule.examples]\nno_match = ['sh -c zap']\n", "must not, its example"},
        {DENIES MATCH "[rule.examples]\nsome = ['x']\n", "match and no_match"},
        {DENIES "op = ['net.connect']\n" MATCH "[rule.examples]\nmatch = ['zap']\n", "no exec"},
        {DENIES MATCH "[rule.when]\nmoon = ['full']\n", "not this moon"},
        {DENIES MATCH "[rule.when]\ntime = { days = ['monday'] }\n", "\"monday\" is none"},
        {DENIES MATCH "[rule.when]\ntime = { from = '8:00' }\n", "time of day"},
        {DENIES MATCH "[rule.when]\ntime = { tz = 'Moon/Sea' }\n", "no time zone \"Moon/Sea\""},
        {DENIES MATCH "[rule.when]\ntime = { tz = '../../etc/passwd' }\n", "no time zone"},
        {DENIES MATCH "[rule.when]\nnetwork = ['moon']\n", "\"moon\" is none"},
        {"[defaults]\nunanalyzable = { action = 'allow' }\n", "never allowed"},
        {"[defaults]\nno_approver = 'allow'\n", "no_approver is deny"},
        {"[defaults]\nx = 1\n", "unknown key x"},
        {"[defaults]\nrisk_floor = { huge = 'deny' }\n", "not huge"},
    };
    for (size_t i = 0; i < COUNT(cases); i++)
        refused(TIER_TENANT, cases[i].text, cases[i].words);
}

static void needs_its_schema_first(void **state)
{
    (void)state;
    struct err err;
    struct ruleset *set = NULL;
    static const char *const texts[] = {DENIES MATCH, "schema = 2\n", "schema = '1'\n"};
    for (size_t i = 0; i < COUNT(texts); i++) {
        const struct ruleset_source source = {
            .tier = TIER_TENANT, .path = "test.toml", .text = view_of(texts[i])};
        assert_int_equal(
            ruleset_load(&(struct ruleset_options){.sources = &source, .sources_count = 1}, &set,
                         &err),
            -1);
        assert_non_null(strstr(err.text, "schema"));
    }
    assert_int_equal(ruleset_load(&(struct ruleset_options){.profile = "lax"}, &set, &err), -1);
    assert_string_equal(err.text, "there is no profile \"lax\"");
}

static enum policy_decision decided(enum policy_tier tier, const char *text, const char *profile,
                                    const char *command)
{
    struct err err;
    SCOPED(ruleset_free) struct ruleset *set = NULL;
    const struct ruleset_source source = {.tier = tier, .path = "t.toml", .text = view_of(text)};
    const struct ruleset_options options = {
        .profile = profile, .sources = &source, .sources_count = 1};
    if (ruleset_load(&options, &set, &err))
        fail_msg("%s", err.text);
    struct policy_context context = rules_context();
    return rules_judge(set, &context, command).decision;
}

static void a_profile_says_what_becomes_of_commands_that_no_rule_knows(void **state)
{
    (void)state;
    assert_int_equal(decided(TIER_TENANT, "schema = 1\n", "dev", "zap"), DECISION_ALLOW);
    assert_int_equal(decided(TIER_TENANT, "schema = 1\n", "strict", "zap"),
                     DECISION_REQUIRE_APPROVAL);
    const char *known = "schema = 1\n[[rule]]\nid = 'k'\ndescription = 'd'\nrisk = 'low'\n"
                        "action = 'allow'\n" MATCH;
    assert_int_equal(decided(TIER_TENANT, known, "strict", "zap"), DECISION_ALLOW);
}

static void a_lower_tier_only_tightens(void **state)
{
    (void)state;
    static const char *const raise = "schema = 1\n[[rule]]\nid = 'scan.tools'\naction = 'deny'\n";
    assert_int_equal(decided(TIER_WORKSPACE, "schema = 1\n", NULL, "nmap x"),
                     DECISION_REQUIRE_APPROVAL);
    assert_int_equal(decided(TIER_WORKSPACE, raise, NULL, "nmap x"), DECISION_DENY);
    assert_int_equal(decided(TIER_AGENT, "schema = 1\n" DENIES MATCH, NULL, "zap"), DECISION_DENY);
    refused(TIER_WORKSPACE, "[[rule]]\nid = 'fs.rm-system'\naction = 'flag'\n", "not less");
    refused(TIER_AGENT, "[[rule]]\nid = 'fs.rm-system'\nrisk = 'low'\n", "not less");
    refused(TIER_WORKSPACE,
            "[[rule]]\nid = 'k'\ndescription = 'd'\nrisk = 'low'\naction = 'allow'\n" MATCH,
            "only builtin and tenant rules allow");
    refused(TIER_WORKSPACE, DENIES "locked = true\n" MATCH, "or are locked");
    refused(TIER_WORKSPACE, "[lists]\nhosts = ['evil.example']\n", "only a tenant");
    refused(TIER_WORKSPACE, "[defaults]\nno_approver = 'deny'\n", "only a profile or a tenant");
    refused(TIER_WORKSPACE,
            "[[override]]\nagents = ['*']\nexempts = ['scan.tools']\nreason = 'r'\n",
            "only a tenant's rule files soften");
    const char *flag = "schema = 1\n[[rule]]\nid = 'k'\ndescription = 'd'\nrisk = 'low'\n"
                       "action = 'flag'\n" MATCH;
    assert_int_equal(decided(TIER_WORKSPACE, flag, "strict", "zap"), DECISION_REQUIRE_APPROVAL);
}

/* --- directories --- */

struct folder {
    char path[64];
};

static struct folder folder_make(void)
{
    struct folder f = {"/tmp/corral-rules-XXXXXX"};
    assert_non_null(mkdtemp(f.path));
    return f;
}

static void folder_write(const struct folder *f, const char *name, const char *text, mode_t mode)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", f->path, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    assert_int_equal(fchmod(fd, mode), 0);
    close(fd);
}

static void folder_remove(const struct folder *f)
{
    struct err err;
    assert_int_equal(dir_remove(AT_FDCWD, f->path, &err), 0);
}

static int load_folder(const char *path, int64_t least, struct ruleset **out, struct err *err)
{
    const struct ruleset_source source = {
        .tier = TIER_TENANT, .path = path, .least_generation = least};
    return ruleset_load(&(struct ruleset_options){.sources = &source, .sources_count = 1}, out,
                        err);
}

static void assert_folder_refused(const char *path, const char *words)
{
    struct err err = {0};
    struct ruleset *set = NULL;
    assert_int_equal(load_folder(path, 0, &set, &err), -1);
    if (!strstr(err.text, words))
        fail_msg("\"%s\" does not say \"%s\"", err.text, words);
}

static void reads_every_rule_file_of_a_directory(void **state)
{
    (void)state;
    struct err err;
    SCOPED(ruleset_free) struct ruleset *set = NULL;
    struct folder f = folder_make();
    folder_write(&f, "b.toml", "schema = 1\n" DENIES "[rule.match]\ncommand = ['@z']\n", 0600);
    folder_write(&f, "a.toml", "schema = 1\n[lists]\nz = ['zap']\n", 0644);
    folder_write(&f, "notes.txt", "{", 0600);
    folder_write(&f, ".hidden.toml", "{", 0600);
    if (load_folder(f.path, 0, &set, &err))
        fail_msg("%s", err.text);
    struct policy_context context = rules_context();
    struct judgement j = rules_judge(set, &context, "zap");
    assert_true(rules_has(&j, "t"));
    folder_remove(&f);
}

static void trusts_no_file_that_others_may_write(void **state)
{
    (void)state;
    struct folder f = folder_make();
    char link[128], path[128];
    snprintf(link, sizeof link, "%s-link", f.path);
    snprintf(path, sizeof path, "%s/l.toml", f.path);
    folder_write(&f, "a.toml", "schema = 1\n", 0620);
    assert_folder_refused(f.path, "a.toml: its group or others may write it (mode 620)");
    folder_write(&f, "a.toml", "schema = 1\n", 0602);
    assert_folder_refused(f.path, "a.toml: its group or others may write it (mode 602)");
    folder_write(&f, "a.toml", "schema = 1\n", 0600);
    assert_int_equal(symlink("a.toml", path), 0);
    assert_folder_refused(f.path, "l.toml: a symlink");
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_folder_refused(f.path, "l.toml: not a regular file");
    assert_int_equal(unlink(path), 0);
    assert_int_equal(symlink(f.path, link), 0);
    assert_folder_refused(link, "a symlink");
    assert_int_equal(unlink(link), 0);
    assert_int_equal(chmod(f.path, 0770), 0);
    assert_folder_refused(f.path, "may write it (mode 770)");
    folder_remove(&f);
    assert_folder_refused(f.path, "opening");
}

static void trusts_no_file_of_somebody_else(void **state)
{
    (void)state;
    if (geteuid()) {
        print_message("needs root to give a file away\n");
        skip();
    }
    struct folder f = folder_make();
    char path[128];
    snprintf(path, sizeof path, "%s/a.toml", f.path);
    folder_write(&f, "a.toml", "schema = 1\n", 0600);
    assert_int_equal(chown(path, 12345, 0), 0);
    assert_folder_refused(f.path, "a.toml: belongs to uid 12345");
    folder_remove(&f);
}

static void an_older_generation_is_refused(void **state)
{
    (void)state;
    struct err err;
    struct ruleset *set = NULL;
    struct folder f = folder_make();
    uint8_t hash[POLICY_HASH_BYTES];
    folder_write(&f, "a.toml", "schema = 1\ngeneration = 7\n", 0600);
    folder_write(&f, "b.toml", "schema = 1\ngeneration = 3\n", 0600);
    assert_int_equal(load_folder(f.path, 7, &set, &err), 0);
    assert_true(ruleset_generation(set, 0) == 7);
    memcpy(hash, ruleset_hash(set), sizeof hash);
    ruleset_free(&set);
    assert_int_equal(load_folder(f.path, 8, &set, &err), -1);
    assert_non_null(strstr(err.text, "generation 7, but 8 was in force already"));
    folder_write(&f, "a.toml", "schema = 1\ngeneration = 8\n", 0600);
    assert_int_equal(load_folder(f.path, 7, &set, &err), 0);
    assert_memory_not_equal(hash, ruleset_hash(set), sizeof hash);
    ruleset_free(&set);
    folder_write(&f, "a.toml", "schema = 1\ngeneration = -1\n", 0600);
    assert_folder_refused(f.path, "a.toml:2:1: generation is a number");
    folder_remove(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses_what_it_does_not_know_and_says_where),
        cmocka_unit_test(needs_its_schema_first),
        cmocka_unit_test(a_profile_says_what_becomes_of_commands_that_no_rule_knows),
        cmocka_unit_test(a_lower_tier_only_tightens),
        cmocka_unit_test(reads_every_rule_file_of_a_directory),
        cmocka_unit_test(trusts_no_file_that_others_may_write),
        cmocka_unit_test(trusts_no_file_of_somebody_else),
        cmocka_unit_test(an_older_generation_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
