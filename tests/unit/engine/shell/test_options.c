/* Options and operands: every spelling of an option gives the same name, and no value is taken for
 * an operand. */
#include "base/scope.h"
#include "engine/shell/options.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const struct facts_setting setting = {.cwd = "/workspace", .home = "/users/agent"};

static void show_text(char *to, size_t size, const char *before, const char *text)
{
    size_t len = strlen(to);
    snprintf(to + len, size - len, "%s%s", before, text);
    for (char *hole = to + len; (hole = strchr(hole, HOLE)); hole++)
        *hole = '?';
}

/* "-a -o=value | operand operand". */
static void show(char *to, size_t size, const struct command_fact *c)
{
    to[0] = 0;
    for (size_t i = 0; i < c->options_count; i++) {
        show_text(to, size, i ? " " : "", c->options[i].name);
        if (c->options[i].value)
            show_text(to, size, "=", c->options[i].value->text);
    }
    show_text(to, size, c->options_count ? " |" : "|", "");
    for (size_t i = 0; i < c->operands_count; i++)
        show_text(to, size, " ", c->operands[i]->text);
}

struct row {
    const char *text, *shown;
};

/* The last command of each text. */
static void check(const struct row *rows, size_t count)
{
    size_t wrong = 0;
    for (size_t i = 0; i < count; i++) {
        SCOPED(facts_close) struct facts f = {0};
        char shown[1024];
        facts_read_shell(&f, &setting, view_of(rows[i].text));
        const struct command_fact *c = f.first;
        assert_non_null(c);
        show(shown, sizeof shown, c);
        if (strcmp(shown, rows[i].shown) != 0) {
            print_error("%s: %s\n", rows[i].text, shown);
            wrong++;
        }
    }
    assert_int_equal(wrong, 0);
}

static void splits_clusters_and_their_values(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"rm -rf a b", "-r -f | a b"},
        {"rm a -rf b", "-r -f | a b"},
        {"rm -r -f -- -x", "-r -f | -x"},
        {"rm -rrr a", "-r | a"},
        {"cp -rt /etc a b", "-r -t=/etc | a b"},
        {"cp -rt/etc a b", "-r -t=/etc | a b"},
        {"tar -xzf a.tgz -C /", "-x -z -f=a.tgz -C=/ |"},
        {"tar xzfC a.tgz / b", "-x -z -f=a.tgz -C=/ | b"},
        {"sed -i.bak -e s/a/b/ x", "-i=.bak -e=s/a/b/ | x"},
        {"sed -i s/a/b/ x", "-i | s/a/b/ x"},
        {"sed -n 1p x -i", "-n -i | 1p x"},
        {"curl -fsSLo /x http://a", "-f -s -S -L -o=/x | http://a"},
        {"head -20 x", "-2 -0 | x"},
        {"grep -rn -- -e x", "-r -n | -e x"},
        {"grep - x", "| - x"},
        {"bash -euo pipefail x -c y", "-e -u -o=pipefail | x -c y"},
        {"bash +x -c y z", "+x -c | y z"},
        {"ssh -p 22 a@b rm -rf /", "-p=22 | a@b rm -rf /"},
    };
    check(rows, COUNT(rows));
}

static void reads_long_options_as_getopt_does(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"rm --recursive --force a", "--recursive --force | a"},
        {"rm --rec --fo a", "--recursive --force | a"},
        {"rm --no-pres -r /", "--no-preserve-root -r | /"},
        {"cp --target-directory=/etc a", "--target-directory=/etc | a"},
        {"cp --targ /etc a", "--target-directory=/etc | a"},
        {"cp --no a b", "--no | a b"}, /* the beginning of several */
        {"grep --color x y", "--color | x y"},
        {"chmod --reference=a b", "--reference=a | b"},
        {"ls --unheard-of=1 -- -x", "--unheard-of=1 | -x"},
    };
    check(rows, COUNT(rows));
}

static void reads_programs_with_words_for_options(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"find / -name x -delete", "-name=x -delete | /"},
        {"find a b -type f -exec rm {} + -print", "-type=f -exec=rm -print | a b"},
        {"find -L a ! -newer b -o -perm 4000", "-L -newer=b -o -perm=4000 | a"},
        {"find", "|"},
        {"terraform apply -auto-approve", "-auto-approve | apply"},
        {"terraform -chdir=x destroy", "-chdir=x | destroy"},
        {"openssl s_client -connect h:443 -quiet", "-connect=h:443 -quiet | s_client"},
        {"gcc -O2 -Wall -o x -std=c11 y.c", "-O=2 -W=all -o=x -std=c11 | y.c"},
    };
    check(rows, COUNT(rows));
}

static void reads_options_before_and_behind_sub_commands(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"git -C /x commit -am 'rm -rf /'", "-C=/x -a -m=rm -rf / | commit"},
        {"git push -f origin +main", "-f | push origin +main"},
        {"git -c alias.x='!rm y' x", "-c=alias.x=!rm y | x"},
        {"docker run --rm -v /:/host -it alpine rm -rf /host",
         "--rm -v=/:/host -i -t | run alpine rm -rf /host"},
        {"podman run --privileged x", "--privileged | run x"},
        {"docker container run -d x", "-d | container run x"},
        {"docker rm -f web", "-f | rm web"},
        {"podman rmi -f web", "-f | rmi web"},
        {"docker volume rm -f web", "-f | volume rm web"},
        {"docker logs -f -n 5 web", "-f -n=5 | logs web"},
        {"nerdctl kill -s TERM web", "-s=TERM | kill web"},
        {"docker system prune -af", "-a -f | system prune"},
        {"docker ps -a -f name=web", "-a -f=name=web | ps"},
        {"docker start -a web", "-a | start web"},
        {"sgdisk -o /dev/sda", "-o | /dev/sda"},
        {"docker-compose -f a.yml exec -T db psql -c x", "-f=a.yml -T | exec db psql -c x"},
        {"kubectl delete ns x -n y --force", "-n=y --force | delete ns x"},
        {"kubectl -n y exec p -- rm -rf /", "-n=y | exec p rm -rf /"},
        {"aws --profile p s3 rm --recursive s3://b", "--profile=p --recursive | s3 rm s3://b"},
        {"pip3 install -i http://x y", "-i=http://x | install y"},
        {"git $x -f y", "-f | ? y"},
    };
    check(rows, COUNT(rows));
}

static void knows_programs_with_a_version_in_their_name(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"python3.11 -c x y", "-c=x | y"},
        {"mkfs.ext4 -L a /dev/sda", "-L=a | /dev/sda"},
        {"/usr/bin/php8.2 -r x", "-r=x |"},
    };
    check(rows, COUNT(rows));
    assert_string_equal(program_find("gunzip")->name, "gzip");
    assert_null(program_find("nothing-of-the-kind"));
    assert_null(program_find(""));
    assert_null(program_find("..."));
}

static void takes_no_values_for_unknown_programs(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"unheard -ab c --d e --f=g -- -h", "-a -b --d --f=g | c e -h"},
        {"unheard -x=y z", "-x=y | z"},
        {"$x -r /", "-r | /"},
        {"kill -9 -1", "-9 | -1"},
        {"kill -KILL 1", "-KILL | 1"},
        {"kill -s TERM 1", "-s=TERM | 1"},
        {"kill -- -1", "| -1"},
        {"rm -$x a", "-? | a"},
        {"rm $x", "| ?"},
        {"python3 -c x --help -m y", "-c=x | --help -m y"},
        {"env - A=b c -d", "- | A=b c -d"},
    };
    check(rows, COUNT(rows));
}

static void knows_what_only_looks(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool looks;
    } rows[] = {
        {"sudo --version", true},
        {"sudo -V", true},
        {"/usr/bin/sudo --help", true},
        {"shutdown --help", true},
        {"shutdown --unheard --help", true},
        {"docker run --help", true},
        {"sudo -l", false},
        {"shutdown", false},
        {"shutdown -- --help", false},
        {"sudo rm --help", false}, /* its wrapper acts */
        {"./sudo --help", false},
        {"/tmp/sudo --help", false},
        {"LD_PRELOAD=x ls --help", false},
        {"ls --help >x", false},
        {"unheard --help", false},
        {"python3 -c x --help", false},
        {"perl -e x --help", false},
        {"grep -e --help x", false},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        SCOPED(facts_close) struct facts f = {0};
        facts_read_shell(&f, &setting, view_of(rows[i].text));
        if (f.first->looks_only != rows[i].looks)
            print_error("%s\n", rows[i].text);
        assert_int_equal(f.first->looks_only, rows[i].looks);
    }
}

/* Rows that are no longer in order would not be found. */
static void finds_every_row(void **state)
{
    (void)state;
#define PROGRAM(name, traits, shorts, longs, operands) name,
#define SAME(name, other) name,
    static const char *const names[] = {
#include "engine/shell/options_code.def"
#include "engine/shell/options_containers.def"
#include "engine/shell/options_develop.def"
#include "engine/shell/options_files.def"
#include "engine/shell/options_net.def"
#include "engine/shell/options_run.def"
#include "engine/shell/options_system.def"
#include "engine/shell/options_text.def"
    };
#undef PROGRAM
#undef SAME
    for (size_t i = 0; i < COUNT(names); i++) {
        const struct program *row = program_find(names[i]);
        if (!row || row->traits & SAME_ROW)
            print_error("%s\n", names[i]);
        assert_non_null(row);
        assert_false(row->traits & SAME_ROW);
    }
    assert_true(COUNT(names) > 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(splits_clusters_and_their_values),
        cmocka_unit_test(reads_long_options_as_getopt_does),
        cmocka_unit_test(reads_programs_with_words_for_options),
        cmocka_unit_test(reads_options_before_and_behind_sub_commands),
        cmocka_unit_test(knows_programs_with_a_version_in_their_name),
        cmocka_unit_test(takes_no_values_for_unknown_programs),
        cmocka_unit_test(knows_what_only_looks),
        cmocka_unit_test(finds_every_row),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
