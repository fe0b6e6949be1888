/* Every key of a match: a command that has what it asks for, and one that has not. */
#include "engine/policy/key.h"
#include "tests/unit/engine/policy/rules.h"

static const struct {
    const char *match, *yes, *no;
} cases[] = {
    {"command = ['zap', 'zip*']", "zipped x", "zep"},
    {"command = ['zap']", "sh -c '/usr/bin/zap'", "echo zap"},
    {"command = ['zap', 'zap*', 'zap']", "zap", "zep"},
    {"command = ['za*']\nnot_command = ['zap']", "zapp", "zap"},
    {"not_command = ['zap']", "zip", "zap"},
    {"command = ['shutdown']", "shutdown -c", "shutdown --help"},
    {"context_any = ['loop', 'trap']", "for i in 1; do zap; done", "zap"},
    {"context_all = ['loop', 'subshell']", "for i in 1; do (zap); done",
     "for i in 1; do zap; done"},
    {"trouble_any = ['dynamic']", "zap; $X", "zap"},
    {"swept = true", "find . -exec zap {} +", "zap"},
    {"command = ['zap']\nswept = false", "zap", "find . -exec zap {} +"},
    {"command = ['zap']\nnot_swept = true", "zap", "find . -exec zap {} +"},
    {"depth_min = 2", "env nice zap", "env zap"},
    {"redirects_any = ['<>', '>|']", "zap 3<> x", "zap > x"},
    {"varies = true", "for x in 1 2; do zap $x; done", "for x in 1 2; do zap y; done"},
    {"varies = true", "for x in $(a); do env zap $x; done", "while zap $x; do sleep 1; done"},
    {"command = ['zap']\noperands_min = 2", "zap a b", "zap a"},
    {"command = ['zap']\noperands_max = 1", "zap a", "zap a b"},
    {"args_unknown = true", "zap $x", "zap x"},
    {"first_operand = ['pu*']", "zap push a", "zap a push"},
    {"flags_any = ['-r']", "zap -fr x", "zap -f r"},
    {"flags_any = ['-r']\nflags_unknown = true", "zap $OPTIONS x", "zap -- -r"},
    {"flags_unknown = true", "zap $OPTIONS x", "zap -- $X"},
    {"command = ['zap']\nnot_flags_any = ['-n']", "zap $OPTIONS x", "zap -n x"},
    {"flags_all = ['-f', '-r']", "zap -f -r", "zap -f"},
    {"option_values_any = ['--output=/etc/*']", "zap --output=/etc/x", "zap --output=x"},
    {"operands_any = ['a*']", "zap -x abc", "zap --abc"},
    {"args_any = ['--a*']", "zap --abc", "zap abc"},
    {"args_all = ['a', 'b']", "zap b a", "zap a a"},
    {"env_any = ['LD_*']", "LD_X=1 zap", "zap LD_X=1"},
    {"env_any = ['A=b*']", "export A=bc", "export A=cb"},
    {"env_regex = ['^PAGER=(?!cat$).']", "A=1 PAGER=more zap", "PAGER=cat zap"},
    {"env_regex = ['^PAGER=(?!cat$).']", "export PAGER=more", "PAGER= zap"},
    {"env_regex = ['^PAGER=(?!cat$).']", "env PAGER=more zap", "env -u PAGER zap"},
    {"command = ['zap']\nnot_env_regex = ['^PAGER=']", "zap", "PAGER=x zap"},
    {"command = ['zap']\nwrappers_any = ['nice']", "nice env zap", "env zap"},
    {"sets_id = true", "chmod u=rwx,g+s x", "chmod u+x,o+r x"},
    {"sets_id = true", "chmod 02755 x", "chmod 1755 x"},
    {"command = ['chmod']\nworld_writable = true", "chmod a+rw x", "chmod g+w x"},
    {"command = ['chmod']\nworld_writable = true", "chmod 777 x", "chmod 775 x"},
    {"size_over_mb = 10", "truncate -s 1G x", "truncate -s 10M x"},
    {"size_over_mb = 10", "dd if=a of=b bs=1M count=11", "dd if=a of=b bs=1k count=11"},
    {"size_over_mb = 10", "head -c $N x", "head -c 5 x"},
    {"recursive = true", "rm -r x", "rm x"},
    {"hosts_any = ['*.example.org', '10.0.0.0/8']", "curl http://10.1.2.3/",
     "curl http://11.1.2.3/"},
    {"hosts_outside = true", "curl https://x.example.org", "curl https://pypi.org"},
    {"hosts_unknown = true", "curl https://$H/", "curl https://x.example.org/"},
    {"schemes_any = ['ssh']", "ssh x.example.org ls", "curl https://x.example.org"},
    {"ports_any = ['22', '8000-9000']", "curl http://x.example.org:8080", "curl x.example.org:80"},
    {"listens = true", "nc -l 8080", "nc x.example.org 8080"},
    {"recursive = true", "rm -r x", "rm x"},
    {"program_path = ['/tmp/**']", "/tmp/a/zap", "zap /tmp/a"},
    {"paths_any = ['/etc/**']", "cd /etc; zap x", "zap ./etc/x"},
    {"files_any = ['/etc/**']", "zap < /etc/x", "zap /etc/x"},
    {"reads_any = ['~/.ssh/*']", "zap < ~/.ssh/key", "zap > ~/.ssh/key"},
    {"reads_any = ['~/.ssh/*']", "zap < ~bob/.ssh/key", "zap < /srv/bob/.ssh/key"},
    {"reads_any = ['~/.ssh/*']", "zap < /root/.ssh/key", "zap < /rooted/.ssh/key"},
    {"env_any = ['Y']", "printf -v Y %s 1", "printf Y -v %s 1"},
    {"env_regex = ['^Y=/x']", "read -r Y <<< /x", "read -r Y < /x"},
    {"writes_any = ['/etc/**']", "zap >> /etc/x", "zap < /etc/x"},
    {"deletes_any = ['@system']", "rm /etc/x", "cat /etc/x"},
    {"deletes_any = ['~/.ssh/**']", "rm -r /home/a*/.ssh", "rm -r /srv/b*/.ssh"},
    {"deletes_any = ['~/.ssh/**']", "rm -r ~/.s*", "rm -r ~/s*"},
    {"deletes_any = ['/etc/x/**']", "rm -r /*/x/y", "rm -r /u*/x/y"},
    {"modes_any = ['@system']", "chmod 700 /etc/x", "rm /etc/x"},
    {"searches_any = ['@root']", "find / -name x", "find . -name x"},
    {"runs_any = ['/tmp/**']", "sh /tmp/x", "cat /tmp/x"},
    {"moves_any = ['@root']", "mv /etc x", "mv x /etc/y"},
    {"command = ['zap']\npaths_unknown = true", "zap $X", "zap x"},
    {"command = ['zap']\npaths_any = ['/etc/**']\npaths_unknown = true", "zap $X", "zap x"},
    {"stdin_from = ['zap']", "zap | tee x | sort", "sort \"$(zap)\""},
    {"stdin_from = ['zip', 'za*']", "zap | sort", "zep | sort"},
    {"command = ['sort']\nfed_by = ['zip', 'zap', 'z*p']", "zap | sort", "zapo | sort"},
    {"fed_by = ['zap']", "zap | tee x | sort", "sort; zap"},
    {"fed_args_any = ['x*']", "zap xyz | tail | sort", "zap xyz; sort"},
    {"command = ['zap']\nfed_args_any = ['xyz']", "awk '/[x]yz/{print $1}' | zap",
     "awk xyzz | zap"},
    {"command = ['zap']\nfed_args_any = ['x*']", "sort xyz | zap", "sort y | zap xyz"},
    {"command = ['sort']\nfed_reads = ['/etc/x']", "cat /etc/x | sort", "cat x | sort"},
    {"runs_fed_by = ['zap']", "zap | tee x; sh x", "zap > x; cat x"},
    {"feeds_unknown = true", "$X | sort", "zap | sort"},
    {"args_regex = ['^zap a.c$']", "zap abc", "zap abcd"},
    {"raw_regex = ['z.p']", "zap \"", "zap"},
};

static void a_key_holds_for_what_it_asks_and_for_nothing_else(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        if (!rules_match(cases[i].match, cases[i].yes))
            fail_msg("%s does not match: %s", cases[i].match, cases[i].yes);
        if (rules_match(cases[i].match, cases[i].no))
            fail_msg("%s matches: %s", cases[i].match, cases[i].no);
    }
}

/* Matches that hold for the record below, and the like that do not. */
static const struct {
    const char *yes, *no;
} record_cases[] = {
    {"endless = true", "endless = false"},
    {"in_script = false", "in_script = true"},
    {"code_language = ['py*']", "code_language = ['perl']"},
    {"code_any = ['rm', 'os.*(']", "code_any = ['os*import']"},
    {"code_regex = ['os\\.\\w+\\(']", "code_regex = ['^os']"},
};

/* A command that runs code in a loop without end. */
static bool matches_record(const char *match)
{
    SCOPED(bytes_close) struct bytes text = bytes_open(65536);
    struct err err;
    struct judgement j;
    assert_int_equal(bytes_addf(&text, &err, DENIES "[rule.match]\ncommand = ['zap']\n%s\n", match),
                     0);
    SCOPED(ruleset_free) struct ruleset *set = rules_of((const char *)text.data);
    struct policy_context context = rules_context();
    SCOPED(facts_close) struct facts f = {0};
    facts_read_shell(&f, &(struct facts_setting){context.cwd, context.home}, view_of("zap"));
    const struct code_fact code = {.language = "python",
                                   .text = arg_literal("import os; os.remove('x')")};
    f.first->code = &code;
    f.first->context |= CONTEXT_ENDLESS;
    policy_judge(&f, &context, set, &j);
    return rules_has(&j, "t");
}

static void a_rule_may_ask_whether_it_is_a_file_that_a_command_runs(void **state)
{
    (void)state;
    static const char *const matches[] = {"in_script = true", "in_script = false",
                                          "not_in_script = true"};
    for (size_t i = 0; i < COUNT(matches); i++) {
        SCOPED(bytes_close) struct bytes text = bytes_open(4096);
        struct err err;
        assert_int_equal(
            bytes_addf(&text, &err, DENIES "[rule.match]\ncommand = ['zap']\n%s\n", matches[i]), 0);
        SCOPED(ruleset_free) struct ruleset *set = rules_of((const char *)text.data);
        struct policy_context context = rules_context();
        struct judgement outside = rules_judge(set, &context, "zap");
        context.is_script = true;
        struct judgement inside = rules_judge(set, &context, "zap");
        assert_int_equal(rules_has(&inside, "t"), i == 0);
        assert_int_equal(rules_has(&outside, "t"), i != 0);
    }
}

static void code_and_endless_loops_are_seen_in_the_record(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(record_cases); i++) {
        assert_true(matches_record(record_cases[i].yes));
        assert_false(matches_record(record_cases[i].no));
    }
}

static void every_key_has_its_case(void **state)
{
    (void)state;
    size_t count;
    const struct key_row *rows = key_rows(&count);
    for (size_t i = 0; i < count; i++) {
        bool found = false;
        for (size_t k = 0; k < COUNT(cases); k++)
            found |= strstr(cases[k].match, rows[i].name) != NULL;
        for (size_t k = 0; k < COUNT(record_cases); k++)
            found |= strstr(record_cases[k].yes, rows[i].name) != NULL;
        if (!found)
            fail_msg("no case for %s", rows[i].name);
    }
}

static void not_holds_only_where_the_opposite_is_sure(void **state)
{
    (void)state;
    assert_true(rules_match("command = ['zap']\nnot_args_any = ['x']", "zap $Y"));
    assert_true(rules_match("command = ['zap']\nnot_paths_any = ['/tmp/**']", "zap /t*"));
    assert_false(rules_match("command = ['zap']\nnot_paths_any = ['/tmp/**']", "zap /tmp/$X"));
    assert_false(rules_match("command = ['zap']\nnot_paths_any = ['~/x']", "zap ~/x"));
    assert_true(rules_match("command = ['zap']\nnot_paths_any = ['~/x']", "zap ~bob/x"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_key_holds_for_what_it_asks_and_for_nothing_else),
        cmocka_unit_test(a_rule_may_ask_whether_it_is_a_file_that_a_command_runs),
        cmocka_unit_test(code_and_endless_loops_are_seen_in_the_record),
        cmocka_unit_test(every_key_has_its_case),
        cmocka_unit_test(not_holds_only_where_the_opposite_is_sure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
