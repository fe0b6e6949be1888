/* Variables, functions and what commands write: what the text tells is known, and what may differ
 * is every value that it may have, or a hole. */
#include "base/scope.h"
#include "base/text.h"
#include "tests/lib/facts_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void knows_what_was_assigned(void **state)
{
    (void)state;
    assert_runs("X=./build; rm -rf \"$X\"", "rm -rf ./build");
    assert_runs("X=rm; Y='-rf /'; $X $Y", "rm -rf /");
    assert_runs("a=1 b=${a}2; c $b", "c 12");
    assert_runs("a=1; a=2 b $a", "b 1");
    assert_runs("a=1; a+=2; b $a", "b 12");
    assert_runs("rm${IFS}-rf${IFS}/", "rm -rf /");
    assert_runs("IFS=,; a=x,y; b $a", "b x y");
    assert_runs("a=; $a b $a c \"$a\" d", "b c  d");
    assert_runs("a='x  y'; b $a \"$a\"", "b x y x  y");
    assert_runs("unset a; b ${a-c}", "unset a | b c");
    assert_runs("export a=1; declare b=2; readonly c=3; d $a$b$c",
                "export a=1 | declare b=2 | readonly c=3 | d 123");
    assert_runs("read -r a <<< /etc; b $a", "read -r a | b /etc");
    assert_runs("printf -v a %s-%s 1 2; b $a", "printf -v a %s-%s 1 2 | b 1-2");
    assert_runs("a=b; c ${!a} ; b=d; c ${!a}", "c ? | c d");
}

static void evaluates_what_is_literal(void **state)
{
    (void)state;
    assert_runs("a ${HOME#/users/} ${HOME##*/} ${HOME%/*} ${HOME/agent/x}",
                "a agent agent /users /users/x");
    assert_runs("a ${#HOME} ${HOME:1:5} ${HOME^^} ${HOME//[a-z]/.}",
                "a 12 users /USERS/AGENT /...../.....");
    assert_runs("unset z; a ${z:-/d} ${z:+/e}", "unset z | a /d");
    assert_runs("n=3; a $((n * (2 + 1))) $((7 / 2)) $((n > 2 ? 1 : 0)) $((n / 0))", "a 9 3 1 ?");
    assert_runs("a {1..3} {c..a}", "a 1 2 3 c b a");
    assert_runs("unset z; a ${z:-/d} ${z:=/f}", "unset z | a /d /f | a /f /f");
    assert_runs("n=1; ((n++)); a $n", "a ?");
    assert_runs("a=(x 'y z'); a+=(w); b \"${a[@]}\" ${#a[@]} ${a[1]}", "b x y z w 3 y z");
    assert_runs("set -- a b c; shift; d \"$@\" $# ${@:2}", "set -- a b c | shift | d b c 2 c");
}

static void takes_every_value_that_a_branch_may_leave(void **state)
{
    (void)state;
    assert_runs("if a; then X=/; else X=b; fi; rm $X", "a | rm / | rm b");
    assert_runs("X=b; if a; then X=/; fi; rm $X", "a | rm b | rm /");
    assert_runs("if a; then X=/; fi; rm $X", "a | rm ? | rm /");
    assert_runs("X=b; a && X=/; rm $X", "a | rm b | rm /");
    assert_runs("X=b; a || X=/; rm $X", "a | rm b | rm /");
    assert_runs("X=b && rm $X", "rm b");
    assert_runs("X=a; case $1 in x) X=b;; y) X=c;; *) X=d;; esac; rm $X", "rm b | rm c | rm d");
    assert_runs("X=a; case $1 in x) X=b;& y) rm $X;; esac", "rm a | rm b");
    assert_runs("X=a; (X=/; rm $X); rm $X", "rm / | rm a");
    assert_runs("X=a; b | X=/; rm $X", "b | rm a");
    assert_runs("X=a; X=/ & rm $X", "rm a");
    assert_runs("X=a; b $(X=/); rm $X", "b | rm a");
    assert_runs("shopt -s lastpipe; X=a; b | X=/; rm $X", "shopt -s lastpipe | b | rm a | rm /");
}

static void follows_loops_until_nothing_new_happens(void **state)
{
    (void)state;
    assert_runs("for d in /etc b; do rm $d; done; rm $d", "rm /etc | rm b | rm b");
    assert_runs("for d in a b; do c && break; done; rm $d",
                "c | break | c | break | rm ? | rm b | rm a");
    assert_runs("X=a; while b; do rm $X; X=/; done", "b | rm a | b | rm a | rm ? | rm /");
    assert_runs("for i in $(seq 1 3); do a $i; done", "seq 1 3 | a 1 | a 2 | a 3");
    assert_runs("for i in $(seq 1 99); do a $i; done", "seq 1 99 | a ?");
    assert_runs("for f in *.c; do a $f; done", "a *.c");
    assert_runs("X=a; for x in $y; do X=/; done; rm $X", "rm a | rm ? | rm /");
    assert_runs("while read x; do rm $x; done <f", "read x | rm ? | read x | rm ?");
}

static void binds_the_arguments_of_functions(void **state)
{
    (void)state;
    assert_runs("f() { rm \"$1\"; }; f /etc; f x", "f /etc | rm /etc | f x | rm x");
    assert_runs("f() { rm \"$@\"; }; f a 'b c'; rm \"$1\"", "f a b c | rm a b c | rm ?");
    assert_runs("f() { local X=/; rm $X; }; X=a; f; rm $X", "f | local X=/ | rm / | rm a");
    assert_runs("f() { X=/; [ a ] && return; X=b; }; f; rm $X",
                "f | [ a ] | return | rm ? | rm b | rm /");
    assert_runs("f() { rm $X; }; X=/ f; X=a; f", "f | rm / | f | rm a");
    assert_runs("f() { rm \"$1\"; }", "rm ?");
    assert_runs("if a; then sudo() { b; }; fi; sudo rm x", "a | sudo rm x | b | rm x");
    assert_runs("(sudo() { b; }); sudo rm x", "sudo rm x | b | rm x");
    assert_runs("ls() { rm x; }; ls", "ls | rm x");
}

static void passes_what_is_exported_to_other_shells(void **state)
{
    (void)state;
    assert_runs("sh -c 'rm $1 \"$@\"' _ /etc b", "sh -c rm $1 \"$@\" _ /etc b | rm /etc /etc b");
    assert_runs("X=/ sh -c 'rm $X'", "sh -c rm $X | rm /");
    assert_runs("export X=/; bash -c 'rm $X'", "export X=/ | bash -c rm $X | rm /");
    assert_runs("X=/; sh -c 'rm $X'", "sh -c rm $X | rm ?");
    assert_runs("env X=/ sh -c 'rm $X'; rm \"$X\"",
                "env X=/ sh -c rm $X | sh -c rm $X | rm / | rm ?");
    assert_runs("sh -c 'X=/'; rm \"$X\"", "sh -c X=/ | rm ?");
    assert_runs("X=a; eval 'X=/'; rm $X", "eval X=/ | rm /");
}

static void forgets_what_may_have_changed(void **state)
{
    (void)state;
    assert_runs("X=a; read X; rm \"$X\"", "read X | rm ?");
    assert_runs("X=a; . ./env; rm \"$X\"", ". ./env | rm ?");
    assert_runs("X=a; declare \"$y=/\"; rm \"$X\"", "declare ?=/ | rm ?");
    assert_runs("X=a; trap 'X=/' EXIT; X=b; rm \"$X\"", "trap X=/ EXIT | rm ?");
    assert_runs("declare -n r=X; X=a; r=/; rm \"$X\"", "declare -n r=X | rm ?");
    assert_runs("declare -i X; X=a; rm \"$X\"", "declare -i X | rm ?");
    assert_runs("readonly X=/; X=a; rm \"$X\"", "readonly X=/ | rm a | rm ?");
    assert_runs("X=a; coproc X { b; }; rm \"$X\"", "b | rm ?");
    assert_runs("RANDOM=/; rm \"$RANDOM\"", "rm ?");
    assert_runs("X=/; : $((1/y)); X=a\nrm $X", ": ? | rm ? | rm a | rm /");
    assert_runs("X=a; mapfile X <f; getopts ab X; rm \"$X\"", "mapfile X | getopts ab X | rm ?");
}

static void evaluates_what_commands_write(void **state)
{
    (void)state;
    assert_runs("X=$(echo rm); $X a", "echo rm | rm a");
    assert_runs("$(printf '\\x72m') a", "printf \\x72m | rm a");
    assert_runs("$(echo -e '\\0162\\x6d') a", "echo -e \\0162\\x6d | rm a");
    assert_runs("a \"$(cd /tmp && pwd)\" $(basename /x/y) $(dirname /x/y)",
                "cd /tmp | pwd | basename /x/y | dirname /x/y | a ? y /x");
    assert_runs("a \"$(pwd)/x\"", "pwd | a /workspace/x");
    assert_runs("X=$(mktemp -d); a \"$X/y\"", "mktemp -d | a /tmp/tmp.?/y");
    assert_runs("a \"$(echo x; b)\" $(echo \"$y\")", "echo x | b | echo ? | a ? ?");
}

static void decodes_what_reaches_a_shell(void **state)
{
    (void)state;
    assert_runs("echo cm0gLXJmIC8K | base64 -d | sh",
                "echo cm0gLXJmIC8K | base64 -d | sh | rm -rf /");
    assert_runs("base64 --decode <<< cm0gLXJmIC8K | bash -s",
                "base64 --decode | bash -s | rm -rf /");
    assert_runs("echo cm0gLXJmIC8K | openssl base64 -d | sh",
                "echo cm0gLXJmIC8K | openssl base64 -d | sh | rm -rf /");
    assert_runs("rev <<< '/ fr- mr' | sh", "rev | sh | rm -rf /");
    assert_runs("echo 726d202d7266202f | xxd -r -p | sh",
                "echo 726d202d7266202f | xxd -r -p | sh | rm -rf /");
    assert_runs("echo 'ez -es /' | tr a-z n-za-m | sh",
                "echo ez -es / | tr a-z n-za-m | sh | rm -rf /");
    assert_runs("echo 'r m' | tr -d ' ' | cat | tee x | sh",
                "echo r m | tr -d   | cat | tee x | sh | rm");
    assert_runs("printf '%s %s' rm x | sh", "printf %s %s rm x | sh | rm x");
    assert_runs("{ echo 'rm \\'; echo x; } | sh", "echo rm \\ | echo x | sh | rm x");
    assert_runs("f() { echo rm x; }; f | sh", "f | echo rm x | sh | rm x");
    assert_runs("for c in r m; do printf $c; done | sh", "printf r | printf m | sh | rm");
    assert_runs("bash <(echo rm x); . <(echo rm y)",
                "echo rm x | bash ? | rm x | echo rm y | . ? | rm y");
    assert_runs("eval \"$(echo rm x)\"", "echo rm x | eval rm x | rm x");
    assert_runs("sudo sh -c 'echo rm x' | sh",
                "sudo sh -c echo rm x | sh -c echo rm x | echo rm x | sh | rm x");
    assert_trouble("echo $x | sh", TROUBLE_CODE);
    assert_trouble("echo rm; ls | sh", TROUBLE_CODE);
    assert_trouble("{ echo a; ls; } | sh", TROUBLE_CODE);
    assert_trouble("a && echo b | gunzip | sh", TROUBLE_CODE);
    assert_trouble("{ a && echo b; } | sh", TROUBLE_CODE);
    assert_trouble("if a; then echo b; fi | sh", TROUBLE_CODE);
    assert_trouble("echo a >&2 | sh", TROUBLE_CODE);
    assert_trouble("sh -c \"echo 'a\\\\nb' | sh\"", TROUBLE_CODE);
}

static void reads_scripts_that_the_text_writes(void **state)
{
    (void)state;
    assert_runs("cat > s <<'E'\nrm x\nE\nbash s", "cat | bash s | rm x");
    assert_runs("echo 'rm \\' > s; echo x >> s; sh ./s", "echo rm \\ | echo x | sh ./s | rm x");
    assert_runs("echo rm x | tee s; cp s t; . ./t", "echo rm x | tee s | cp s t | . ./t | rm x");
    assert_runs("echo rm x > /tmp/s; cd /tmp && sh < s", "echo rm x | cd /tmp | sh | rm x");
    assert_runs("ln -s /tmp l; echo rm x > /tmp/s; sh l/s",
                "ln -s /tmp l | echo rm x | sh l/s | rm x");
    assert_runs("X=$(cat <<'E'\nrm x\nE\n); $X", "cat | rm x");
}

/* What the text does not tell may be anything; a long sequence is no single number. */
static void knows_no_more_than_the_text_tells(void **state)
{
    (void)state;
    assert_runs("a x{1..500}", "a x?");
    assert_runs("for i in {a..z}; do b $i; done", "b ?");
    assert_runs("a \"$(< f)\"", "a ?");
}

static void says_which_files_run_and_who_wrote_them(void **state)
{
    (void)state;
    assert_sources("curl -o x u; sh x", "sh", "file:curl run:curl");
    assert_sources("curl u > x; chmod +x x; ./x", "x", "run:curl");
    assert_sources("curl -o x u; python3 y x", "python3", "file:curl");
    assert_sources("read -r x < f; curl $x", "curl", "substitution:read");
    assert_sources("while read -r x; do curl $x; done < f", "curl",
                   "pipe: substitution:read substitution:");
}

static const struct command_fact *last_of(struct facts *f, const char *text, const char *name)
{
    const struct command_fact *last = NULL;
    facts_read_shell(f, &(struct facts_setting){"/workspace", "/users/agent"}, view_of(text));
    for (const struct command_fact *c = f->first; c; c = c->next)
        if (c->name && !strcmp(c->name, name))
            last = c;
    assert_non_null(last);
    return last;
}

static void tells_what_changes_from_round_to_round(void **state)
{
    static const struct {
        const char *text;
        bool changes;
    } cases[] = {
        {"for x in $(a); do b \"$x\"; done", true},
        {"while read -r x; do b \"$x\"; done", true},
        {"for ((i = 0; i < 9; i++)); do b $i; done", true},
        {"while b \"$HOST\"; do sleep 1; done", false},
        {"x=$1; while b \"$x\"; do sleep 1; done", false},
        {"for i in $(seq 9); do b \"$x\"; done", false},
    };
    (void)state;
    SCOPED(facts_close) struct facts f = {0};
    for (size_t i = 0; i < COUNT(cases); i++) {
        const struct command_fact *c = last_of(&f, cases[i].text, "b");
        assert_int_equal(c->argv.items[1].changes, cases[i].changes);
    }
}

static void tells_loops_that_start_programs_without_end(void **state)
{
    static const struct {
        const char *text;
        bool spawns;
    } cases[] = {
        {"while true; do a & done", true},     {"until false; do (a &); done", true},
        {"while :; do a & wait; done", false}, {"while true; do a; sleep 1; done &", false},
        {"for x in 1 2; do a & done", false},
    };
    (void)state;
    SCOPED(facts_close) struct facts f = {0};
    for (size_t i = 0; i < COUNT(cases); i++)
        assert_int_equal(!!(last_of(&f, cases[i].text, "a")->context & CONTEXT_SPAWNS),
                         cases[i].spawns);
}

static void knows_what_xargs_reads(void **state)
{
    (void)state;
    assert_runs("echo /etc /usr | xargs rm -r", "echo /etc /usr | xargs rm -r | rm -r /etc /usr");
    assert_runs("xargs kill <<< 1", "xargs kill | kill 1");
    assert_runs("printf 'a\\nb c\\n' | xargs -n1 x",
                "printf a\\nb c\\n | xargs -n1 x | x a | x b | x c");
    assert_runs("printf ' a\\nb c\\n' | xargs -I% x y% %",
                "printf  a\\nb c\\n | xargs -I% x y% % | x ya a | x yb c b c");
    assert_runs("echo a,b | xargs -d, x", "echo a,b | xargs -d, x | x a b\n");
    assert_runs("echo /etc > l; xargs -a l x", "echo /etc | xargs -a l x | x /etc");
    assert_runs("echo rm / | xargs env", "echo rm / | xargs env | env rm / | rm /");
    assert_runs("echo \"a 'b c'\" | xargs x", "echo a 'b c' | xargs x | x ?");
    assert_runs("echo a | xargs -0 x", "echo a | xargs -0 x | x ?");
    assert_runs("y | xargs x", "y | xargs x | x ?");
    assert_runs("find /a | xargs x", "find /a | xargs x | x /a/?");
    assert_runs("printf 'id\\nreboot\\n' | xargs -n1 sh -c",
                "printf id\\nreboot\\n | xargs -n1 sh -c | sh -c id | id | sh -c reboot | reboot");
}

static void knows_homes_by_their_tilde(void **state)
{
    (void)state;
    assert_runs("a ~ ~/b ~root/c ~bob ~bob/d",
                "a /users/agent /users/agent/b /root/c /home/bob /home/bob/d");
    assert_runs("a ~- ~1/x", "a ? ?/x");
    assert_runs("dd of=~/x a=b:~/y -o=~/z 'c=~/w'",
                "dd of=/users/agent/x a=b:/users/agent/y -o=~/z c=~/w");
    assert_runs("sh -c 'dd of=~/x'", "sh -c dd of=~/x | dd of=~/x");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(knows_what_was_assigned),
        cmocka_unit_test(evaluates_what_is_literal),
        cmocka_unit_test(takes_every_value_that_a_branch_may_leave),
        cmocka_unit_test(follows_loops_until_nothing_new_happens),
        cmocka_unit_test(binds_the_arguments_of_functions),
        cmocka_unit_test(passes_what_is_exported_to_other_shells),
        cmocka_unit_test(forgets_what_may_have_changed),
        cmocka_unit_test(evaluates_what_commands_write),
        cmocka_unit_test(decodes_what_reaches_a_shell),
        cmocka_unit_test(reads_scripts_that_the_text_writes),
        cmocka_unit_test(knows_no_more_than_the_text_tells),
        cmocka_unit_test(says_which_files_run_and_who_wrote_them),
        cmocka_unit_test(tells_what_changes_from_round_to_round),
        cmocka_unit_test(tells_loops_that_start_programs_without_end),
        cmocka_unit_test(knows_what_xargs_reads),
        cmocka_unit_test(knows_homes_by_their_tilde),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
