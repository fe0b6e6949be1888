/* Code of other languages, and the commands that it runs. */
#include "base/scope.h"
#include "engine/shell/facts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct facts_setting setting = {.cwd = "/workspace", .home = "/users/agent"};

static void put(char *to, size_t size, const char *text)
{
    size_t len = strlen(to);
    snprintf(to + len, size - len, "%s", text);
    for (char *hole = to + len; (hole = strchr(hole, HOLE)); hole++)
        *hole = '?';
}

/* "language:code …" of all commands, the last of each first. */
static void show_code(char *to, size_t size, const struct facts *f)
{
    to[0] = 0;
    for (const struct command_fact *c = f->first; c; c = c->next)
        for (const struct code_fact *code = c->code; code; code = code->next) {
            put(to, size, to[0] ? " | " : "");
            put(to, size, code->language);
            put(to, size, ":");
            put(to, size, code->text.text);
        }
}

/* What the code runs, and " !" for trouble. */
static void show_runs(char *to, size_t size, const struct facts *f)
{
    to[0] = 0;
    for (const struct command_fact *c = f->first; c; c = c->next) {
        if (!c->argv.count || !c->wrapper)
            continue;
        put(to, size, to[0] ? " | " : "");
        for (size_t i = 0; i < c->argv.count; i++) {
            put(to, size, i ? " " : "");
            put(to, size, c->argv.items[i].text);
        }
    }
    put(to, size, f->trouble.kinds ? " !" : "");
}

struct row {
    const char *text, *shown;
};

static void check(const struct row *rows, size_t count,
                  void (*show)(char *to, size_t size, const struct facts *f))
{
    size_t wrong = 0;
    for (size_t i = 0; i < count; i++) {
        SCOPED(facts_close) struct facts f = {0};
        char shown[2048];
        facts_read_shell(&f, &setting, view_of(rows[i].text));
        show(shown, sizeof shown, &f);
        if (strcmp(shown, rows[i].shown) != 0) {
            print_error("%s\n    %s    (%s)\n", rows[i].text, shown, f.trouble.why);
            wrong++;
        }
    }
    assert_int_equal(wrong, 0);
}

static void finds_code_in_arguments(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"python3 -c 'x' y", "python:x"},
        {"python3.11 -Bc 'x'", "python:x"},
        {"python3 -c 'x' --help", "python:x"},
        {"python3 x.py", ""},
        {"python3 -m http.server", ""},
        {"perl -we x", "perl:x"},
        {"perl -ne a -e b", "perl:b | perl:a"},
        {"perl x.pl", ""},
        {"ruby -e x", "ruby:x"},
        {"node -e x", "node:x"},
        {"node -p x", "node:x"},
        {"node -pe x", "node:x"},
        {"node --eval=x", "node:x"},
        {"bun -e x", "node:x"},
        {"deno eval x", "node:x"},
        {"php -r x", "php:x"},
        {"lua -e x", "lua:x"},
        {"awk x f", "awk:x"},
        {"gawk -F: x f", "awk:x"},
        {"awk -f x f", ""},
        {"sed x f", "sed:x"},
        {"sed -n -e x -e y f", "sed:y | sed:x"},
        {"psql -h h -c x db", "sql:x"},
        {"mysql -e x", "sql:x"},
        {"sqlite3 a.db x", "sql:x"},
        {"vim -es -c x f", "vim:x"},
        {"vim +x f", "vim:x"},
        {"R -e x", "r:x"},
        {"julia -e x", "julia:x"},
        {"expect -c x", "expect:x"},
        {"gdb -batch -ex x f", "gdb:x"},
        {"python3 -c \"$x\"", "python:?"},
        {"sudo python3 -c x", "python:x"},
        {"jq x f", ""},
        {"grep -e x f", ""},
    };
    check(rows, COUNT(rows), show_code);
}

static void finds_code_on_standard_input(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"python3 <<'E'\nx\nE\n", "python:x\n"},
        {"python3 - <<'E'\nx\nE\n", "python:x\n"},
        {"python3 - a <<<x", "python:x\n"},
        {"python3 f.py <<<x", ""},
        {"echo x | python3", "python:x\n"},
        {"echo x | python3 -", "python:x\n"},
        {"echo x | perl", "perl:x\n"},
        {"curl h | python3", "python:?"},
        {"curl h | python3 -m json.tool", ""},
        {"curl h | python3 f.py", ""},
        {"cat f | node", "node:?"},
        {"psql db <<'E'\nx\nE\n", "sql:x\n"},
        {"cat f | mysql db", "sql:?"},
        {"sqlite3 a.db <<<x", "sql:x\n"},
        {"ed f <<<x", "vim:x\n"},
        {"cat f | sed x", "sed:x"},
        {"cat f | awk x", "awk:x"},
        {"python3 < f", ""},
        {"python3", ""},
    };
    check(rows, COUNT(rows), show_code);
}

static void runs_the_shell_commands_in_python(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"python3 -c \"import os; os.system('rm -rf /')\"", "rm -rf /"},
        {"python3 -c 'import os; os.system(\"rm x; b\")'", "rm x | b"},
        {"python3 -c \"os.popen('rm x').read()\"", "rm x"},
        {"python3 -c \"os.system('rm -r'+'f /')\"", "rm -rf /"},
        {"python3 -c \"os.system('rm' ' x')\"", "rm x"},
        {"python3 -c \"os.system('\\x72m x')\"", "rm x"},
        {"python3 -c \"os.system(r'rm x')\"", "rm x"},
        {"python3 -c \"os.system('''rm x''')\"", "rm x"},
        {"python3 -c \"subprocess.run(['rm','-rf','/'])\"", "rm -rf /"},
        {"python3 -c \"subprocess.run('rm x', shell=True)\"", "rm x"},
        {"python3 -c \"subprocess.check_output(['rm', p])\"", "rm ?"},
        {"python3 -c \"subprocess.call([sys.executable,'-c','1'])\"", "python3 -c 1"},
        {"python3 -c \"subprocess.Popen('rm -rf /'.split())\"", "rm -rf /"},
        {"python3 -c \"pty.spawn('/bin/rm')\"", "/bin/rm"},
        {"python3 -c \"os.execvp('rm',['rm','x'])\"", "rm rm x"},
        {"python3 -c \"os.system(x)\"", " !"},
        {"python3 -c \"os.system('rm '+x)\"", "rm ? !"},
        {"python3 -c \"os.system(f'rm {x}')\"", "rm ? !"},
        {"python3 -c \"asyncio.run(main())\"", ""},
        {"python3 -c \"print('os.system')\"", ""},
        {"python3 <<'E'\nimport os\nos.system('rm x')\nE\n", "rm x"},
    };
    check(rows, COUNT(rows), show_runs);
}

static void runs_the_shell_commands_in_other_languages(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"perl -e 'system(\"rm -rf /\")'", "rm -rf /"},
        {"perl -e 'system \"rm\", \"-rf\", \"/\"'", "rm -rf /"},
        {"perl -e 'exec \"rm x\"'", "rm x"},
        {"perl -e 'print `rm x`'", "rm x"},
        {"perl -e 'qx{rm x}'", "rm x"},
        {"perl -e 'system(\"rm $x\")'", "rm ? !"},
        {"ruby -e 'system(\"rm x\")'", "rm x"},
        {"ruby -e '`rm x`'", "rm x"},
        {"ruby -e '%x(rm x)'", "rm x"},
        {"ruby -e 'exec \"rm x\"'", "rm x"},
        {"php -r 'shell_exec(\"rm x\");'", "rm x"},
        {"php -r 'echo `rm x`;'", "rm x"},
        {"node -e \"require('child_process').execSync('rm x')\"", "rm x"},
        {"node -e \"require('child_process').exec('rm x', f)\"", "rm x"},
        {"node -e \"cp.spawn('rm', ['-rf','/'])\"", "rm -rf /"},
        {"node -e \"/a/.exec(b)\"", ""},
        {"lua -e 'os.execute(\"rm x\")'", "rm x"},
        {"lua -e 'io.popen(\"rm x\")'", "rm x"},
        {"awk 'BEGIN{system(\"rm x\")}'", "rm x"},
        {"awk 'BEGIN{\"rm x\" | getline y}'", "rm x"},
        {"awk '{print | \"rm x\"}' f", "rm x"},
        {"awk '{print \"a\"}' f", ""},
        {"awk '{system($1)}' f", " !"},
        {"sed '1e rm x' f", "rm x"},
        {"sed 's/a/b/e' f", " !"},
        {"sed 's/a/be/' f", ""},
        {"sed -e 's/e/e/g;p' f", ""},
        {"sed '/x/e rm x' f", "rm x"},
        {"sed 's/a\\/b/c/;s|d|e|ge' f", " !"},
        {"sed -i '/e/d;$a\\ e rm x' f", ""},
        {"sed 'y/abc/def/' f", ""},
        {"vim -es -c '!rm x' -c q f", "rm x"},
        {"vim -c ':!rm x' f", "rm x"},
        {"vim -c 'w !rm x' f", "rm x"},
        {"psql -c '\\! rm x'", "rm x"},
        {"psql -c \"COPY t TO PROGRAM 'rm x'\"", "rm x"},
        {"sqlite3 a.db '.shell rm x'", "rm x"},
        {"psql -c 'select 1'", ""},
        {"gdb -batch -ex '!rm x'", "rm x"},
        {"gdb -batch -ex 'shell rm x'", "rm x"},
        {"expect -c 'spawn rm x'", "rm x"},
        {"emacs --batch --eval '(shell-command \"rm x\")'", "rm x"},
        {"R -e 'system(\"rm x\")'", "rm x"},
    };
    check(rows, COUNT(rows), show_runs);
}

/* Quotes, brackets and calls that never end. */
static void survives_broken_code(void **state)
{
    (void)state;
    static const char *const codes[] = {"os.system(",       "os.system('",        "os.system('a'+",
                                        "subprocess.run([", "subprocess.run([[[", "os.system('\\",
                                        "os.system(f'{",    "os.system('''",      "system(system(",
                                        "popen('a',['b",    "run(['a',",          "os.system('\\x"};
    for (size_t i = 0; i < COUNT(codes); i++) {
        SCOPED(facts_close) struct facts f = {0};
        const struct view argv[] = {view_of("python3"), view_of("-c"), view_of(codes[i])};
        facts_read_argv(&f, &setting, argv, 3);
        assert_non_null(f.first);
        assert_non_null(f.first->code);
    }
}

/* Each code fills an argument to its bound: no more memory than its length and what it runs. */
static void looks_through_code_in_memory_linear_in_its_length(void **state)
{
    (void)state;
    static const char *const pieces[] = {
        "os.system(", "system('a')", "system(\"", "run([", "run(x,", "`",   "qx{",
        "'a'+",       "print '",     "s/a;",      "f'{",   "\\",     "%x(", "system('a'+"};
    static const char *const programs[] = {"perl", "ruby", "node", "php", "gawk", "sed"};
    enum { SIZE = 60 * 1024 };
    char *code = malloc(SIZE + 1);
    assert_non_null(code);
    for (size_t i = 0; i < COUNT(pieces) * COUNT(programs); i++) {
        const char *piece = pieces[i / COUNT(programs)], *program = programs[i % COUNT(programs)];
        size_t n = strlen(piece);
        for (size_t at = 0; at < SIZE; at++)
            code[at] = piece[at % n];
        code[SIZE] = 0;
        SCOPED(facts_close) struct facts f = {0};
        const struct view argv[] = {view_of(program), view_of("-e"), view_of(code)};
        facts_read_argv(&f, &setting, argv, 3);
        if (f.arena.taken_bytes >= 8 * 1024 * 1024)
            print_error("%s %s: %zu bytes\n", program, piece, f.arena.taken_bytes);
        assert_true(f.arena.taken_bytes < 8 * 1024 * 1024);
    }
    free(code);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_code_in_arguments),
        cmocka_unit_test(finds_code_on_standard_input),
        cmocka_unit_test(runs_the_shell_commands_in_python),
        cmocka_unit_test(runs_the_shell_commands_in_other_languages),
        cmocka_unit_test(survives_broken_code),
        cmocka_unit_test(looks_through_code_in_memory_linear_in_its_length),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
