/* Every key of a match: a command that has what it asks for, and one that has not. */
#include "engine/policy/key.h"
#include "tests/unit/engine/policy/rules.h"

static const struct {
    const char *match, *yes, *no;
} cases[] = {
    {"command = ['zap', 'zip*']", "zipped x", "zep"},
    {"command = ['zap']", "sh -c '/usr/bin/zap'", "echo zap"},
    {"not_command = ['zap']", "zip", "zap"},
    {"context_any = ['loop', 'trap']", "for i in 1; do zap; done", "zap"},
    {"context_all = ['loop', 'subshell']", "for i in 1; do (zap); done",
     "for i in 1; do zap; done"},
    {"trouble_any = ['dynamic']", "zap; $X", "zap"},
    {"swept = true", "find . -exec zap {} +", "zap"},
    {"command = ['zap']\nswept = false", "zap", "find . -exec zap {} +"},
    {"command = ['zap']\nnot_swept = true", "zap", "find . -exec zap {} +"},
    {"depth_min = 2", "env nice zap", "env zap"},
    {"redirects_any = ['<>', '>|']", "zap 3<> x", "zap > x"},
    {"command = ['zap']\noperands_min = 2", "zap a b", "zap a"},
    {"command = ['zap']\noperands_max = 1", "zap a", "zap a b"},
    {"args_unknown = true", "zap $x", "zap x"},
    {"first_operand = ['pu*']", "zap push a", "zap a push"},
    {"flags_any = ['-r']", "zap -fr x", "zap -f r"},
    {"flags_any = ['-r']", "zap $OPTIONS x", "zap -- -r"},
    {"command = ['zap']\nnot_flags_any = ['-n']", "zap $OPTIONS x", "zap -n x"},
    {"flags_all = ['-f', '-r']", "zap -f -r", "zap -f"},
    {"option_values_any = ['--output=/etc/*']", "zap --output=/etc/x", "zap --output=x"},
    {"operands_any = ['a*']", "zap -x abc", "zap --abc"},
    {"args_any = ['--a*']", "zap --abc", "zap abc"},
    {"args_all = ['a', 'b']", "zap b a", "zap a a"},
    {"env_any = ['LD_*']", "LD_X=1 zap", "zap LD_X=1"},
    {"env_any = ['A=b*']", "export A=bc", "export A=cb"},
    {"command = ['zap']\nwrappers_any = ['nice']", "nice env zap", "env zap"},
    {"sets_id = true", "chmod u=rwx,g+s x", "chmod u+x,o+r x"},
    {"sets_id = true", "chmod 02755 x", "chmod 1755 x"},
    {"command = ['chmod']\nworld_writable = true", "chmod a+rw x", "chmod g+w x"},
    {"command = ['chmod']\nworld_writable = true", "chmod 777 x", "chmod 775 x"},
    {"size_over_mb = 10", "truncate -s 1G x", "truncate -s 10M x"},
    {"size_over_mb = 10", "dd if=a of=b bs=1M count=11", "dd if=a of=b bs=1k count=11"},
    {"size_over_mb = 10", "head -c $N x", "head -c 5 x"},
    {"recursive = true", "rm -r x", "rm x"},
    {"program_path = ['/tmp/**']", "/tmp/a/zap", "zap /tmp/a"},
    {"paths_any = ['/etc/**']", "cd /etc; zap x", "zap ./etc/x"},
    {"files_any = ['/etc/**']", "zap < /etc/x", "zap /etc/x"},
    {"reads_any = ['~/.ssh/*']", "zap < ~/.ssh/key", "zap > ~/.ssh/key"},
    {"writes_any = ['/etc/**']", "zap >> /etc/x", "zap < /etc/x"},
    {"deletes_any = ['@system']", "rm /etc/x", "cat /etc/x"},
    {"modes_any = ['@system']", "chmod 700 /etc/x", "rm /etc/x"},
    {"searches_any = ['@root']", "find / -name x", "find . -name x"},
    {"runs_any = ['/tmp/**']", "sh /tmp/x", "cat /tmp/x"},
    {"moves_any = ['@root']", "mv /etc x", "mv x /etc/y"},
    {"command = ['zap']\npaths_unknown = true", "zap $X", "zap x"},
    {"command = ['zap']\npaths_any = ['/etc/**']\npaths_unknown = true", "zap $X", "zap x"},
    {"stdin_from = ['zap']", "zap | tee x | sort", "sort \"$(zap)\""},
    {"fed_by = ['zap']", "sort \"$(zap)\"", "sort; zap"},
    {"command = ['sort']\nfed_reads = ['/etc/x']", "cat /etc/x | sort", "cat x | sort"},
    {"feeds_unknown = true", "$X | sort", "zap | sort"},
    {"args_regex = ['^zap a.c$']", "zap abc", "zap abcd"},
    {"raw_regex = ['z.p']", "zap \"", "zap"},
};

static void a_key_holds_for_what_it_asks_and_for_nothing_else(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        if (!rules_match(cases[i].match, cases[i].yes))
            print_error("%s does not match: %s\n", cases[i].match, cases[i].yes);
        if (rules_match(cases[i].match, cases[i].no))
            print_error("%s matches: %s\n", cases[i].match, cases[i].no);
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
        if (!found)
            print_error("no case for %s\n", rows[i].name);
    }
}

static void not_holds_only_where_the_opposite_is_sure(void **state)
{
    (void)state;
    assert_true(rules_match("command = ['zap']\nnot_args_any = ['x']", "zap $Y"));
    assert_true(rules_match("command = ['zap']\nnot_paths_any = ['/tmp/**']", "zap /t*"));
    assert_false(rules_match("command = ['zap']\nnot_paths_any = ['/tmp/**']", "zap /tmp/$X"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_key_holds_for_what_it_asks_and_for_nothing_else),
        cmocka_unit_test(every_key_has_its_case),
        cmocka_unit_test(not_holds_only_where_the_opposite_is_sure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
