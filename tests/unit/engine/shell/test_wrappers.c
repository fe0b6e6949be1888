/* Programs that run other programs: what they run is a record of its own. */
#include "base/scope.h"
#include "engine/shell/options.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
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

/* What wrappers run: "a b | @c", where "@" is one that runs elsewhere; " !" at the end is trouble.
 */
static void show(char *to, size_t size, const struct facts *f)
{
    to[0] = 0;
    for (const struct command_fact *c = f->first; c; c = c->next) {
        if (!c->argv.count || !c->wrapper)
            continue;
        put(to, size, to[0] ? " | " : "");
        put(to, size, c->context & CONTEXT_ELSEWHERE ? "@" : "");
        for (size_t i = 0; i < c->argv.count; i++) {
            put(to, size, i ? " " : "");
            put(to, size, c->argv.items[i].text);
        }
    }
    put(to, size, f->trouble.kinds ? " !" : "");
}

struct row {
    const char *text, *runs;
};

static void check(const struct row *rows, size_t count)
{
    size_t wrong = 0;
    for (size_t i = 0; i < count; i++) {
        SCOPED(facts_close) struct facts f = {0};
        char shown[2048];
        facts_read_shell(&f, &setting, view_of(rows[i].text));
        show(shown, sizeof shown, &f);
        if (strcmp(shown, rows[i].runs) != 0) {
            print_error("%s\n    %s    (%s)\n", rows[i].text, shown, f.trouble.why);
            wrong++;
        }
    }
    assert_int_equal(wrong, 0);
}

static void peels_prefixes(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"sudo -u root A=b rm x", "rm x"},
        {"sudo --user=root -- rm x", "rm x"},
        {"doas rm x", "rm x"},
        {"pkexec rm x", "rm x"},
        {"su -c 'rm x'", "rm x"},
        {"su root -- -c 'rm x'", "rm x"},
        {"runuser -u bob -- rm x", "rm x"},
        {"sg docker 'rm x'", "rm x"},
        {"capsh --print -- -c 'rm x'", "rm x"},
        {"pwsh -NoProfile -Command 'rm x'", "rm x"},
        {"coproc rm x", ""}, /* the shell's own word */
        {"sg docker -c 'rm x'", "rm x"},
        {"env -i -u A B=c rm x", "rm x"},
        {"nice -n 5 ionice -c3 chrt -b 0 taskset 1 rm x",
         "ionice -c3 chrt -b 0 taskset 1 rm x | chrt -b 0 taskset 1 rm x | taskset 1 rm x | rm x"},
        {"nohup setsid stdbuf -oL unbuffer rm x",
         "setsid stdbuf -oL unbuffer rm x | stdbuf -oL unbuffer rm x | unbuffer rm x | rm x"},
        {"timeout --kill-after=5 -s TERM 10 rm x", "rm x"},
        {"gtimeout 5 rm x", "rm x"},
        {"time -p rm x", ""}, /* the shell's own word */
        {"command time -f %e rm x", "time -f %e rm x | rm x"},
        {"flock -n /tmp/l rm x", "rm x"},
        {"flock /tmp/l -c 'rm x'", "rm x"},
        {"strace -f -o x rm x", "rm x"},
        {"ltrace -e x rm x", "rm x"},
        {"valgrind --leak-check=full rm x", "rm x"},
        {"perf record -g -o x rm x", "rm x"},
        {"gdb -q --args rm x", "rm x"},
        {"gdb rm", ""},
        {"proxychains4 -q rm x", "rm x"},
        {"torsocks rm x", "rm x"},
        {"script -qc 'rm x' /dev/null", "rm x"},
        {"busybox rm x", "rm x"},
        {"busybox sh -c 'rm x'", "sh -c rm x | rm x"},
        {"toybox rm x", "rm x"},
        {"/lib64/ld-linux-x86-64.so.2 /bin/rm x", "/bin/rm x"},
        {"fakeroot rm x", "rm x"},
        {"faketime '1 day ago' rm x", "rm x"},
        {"setpriv --reuid=0 rm x", "rm x"},
        {"systemd-run --user -p A=b --wait rm x", "rm x"},
        {"xvfb-run -a rm x", "rm x"},
        {"dbus-run-session -- rm x", "rm x"},
        {"sshpass -p x rm x", "rm x"},
        {"entr -r rm x", "rm x"},
        {"watchexec -e py -- rm x", "rm x"},
        {"unshare -r -n rm x", "rm x"},
        {"unshare --map-root-user rm x", "rm x"},
        {"bwrap --ro-bind / / --dev-bind /dev /dev rm x", "rm x"},
        {"gosu bob rm x", "rm x"},
        {"direnv exec . rm x", "rm x"},
        {"mise exec node@20 -- rm x", "rm x"},
        {"ip netns exec n rm x", "rm x"},
        {"screen -dmS n rm x", "rm x"},
        {"numactl -N 0 rm x", "rm x"},
        {"sudo -Q rm x", " !"},
        {"timeout $t rm x", " !"},
    };
    check(rows, COUNT(rows));
}

static void peels_package_runners(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"npx -y rimraf /", "rimraf /"},
        {"npx -p a -c 'rm x'", "rm x"},
        {"npm exec -- rm x", "rm x"},
        {"pnpm dlx rimraf /", "rimraf /"},
        {"bunx rimraf /", "rimraf /"},
        {"yarn dlx rimraf /", "rimraf /"},
        {"npm run build", ""},
        {"uv run --with x rm x", "rm x"},
        {"uv run python -c 1", "python -c 1"},
        {"uvx ruff .", "ruff ."},
        {"poetry run rm x", "rm x"},
        {"pipenv run rm x", "rm x"},
        {"pipx run rm x", "rm x"},
        {"bundle exec rm x", "rm x"},
        {"conda run -n e rm x", "rm x"},
        {"nix-shell -p a --run 'rm x'", "rm x"},
    };
    check(rows, COUNT(rows));
}

static void joins_command_lines(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"watch -n 1 'rm x; b'", "rm x | b"},
        {"watch -n1 docker ps", "docker ps"},
        {"tmux new-session -d -s n 'rm x'", "rm x"},
        {"tmux new -d rm x", "rm x"},
        {"tmux send-keys -t n 'rm x' Enter", "rm x Enter"},
        {"hyperfine --prepare 'a' 'rm x' 'b'", "a | rm x | b"},
        {"concurrently -k 'a' 'rm x'", "a | rm x"},
        {"nodemon --exec 'rm x' y", "rm x"},
        {"parallel rm -rf ::: /etc /usr", "rm -rf /etc | rm -rf /usr"},
        {"parallel -j4 'cp {} {}.bak' ::: a", "cp a a.bak"},
        {"parallel ::: 'rm x' b", "rm x | b"},
        {"ls | parallel rm -rf {}", "rm -rf ?"},
        {"ls | parallel -k gzip", "gzip ?"},
        {"cat x | parallel", " !"},
        {"fd -e py -x rm -f", "rm -f ?"},
        {"at now <<<'rm x'", "rm x"},
        {"echo 'rm x' | at now + 1 minute", "rm x"},
        {"echo 'rm x' | batch", "rm x"},
        {"cat x | at now", " !"},
        {"at -l", ""},
        {"at -f x now", ""},
        {"echo '* * * * * rm x' | crontab -", "rm x"},
        {"crontab - <<'E'\n# a\nA=b\n@daily rm x\n5 4 * * 1 b %c\nE\n", "rm x | b"},
        {"crontab -l", ""},
        {"make -f - <<'E'\nall:\n\t@rm -rf $$HOME/x $(Y)\nE\n", "rm -rf /users/agent/x ?"},
        {"make --eval='a: ; rm x' a", "rm x"},
        {"make -f - <<<'X := $(shell rm x)'", "rm x"},
        {"cat x | make -f -", " !"},
        {"make -j4 -C a test", ""},
        {"watch \"$x\"", " !"},
    };
    check(rows, COUNT(rows));
}

static void peels_what_runs_elsewhere(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"ssh -p 22 u@h rm -rf /", "@rm -rf /"},
        {"ssh h 'cd x && rm y'", "@cd x | @rm y"},
        {"ssh h", ""},
        {"ssh h <<'E'\nrm x\nE\n", "@rm x"},
        {"echo 'rm x' | ssh h", "@rm x"},
        {"cat x | ssh h", " !"},
        {"ssh h \"$x\"", " !"},
        {"ssh -V", ""},
        {"ssh -o ProxyCommand='rm x' h", "rm x"},
        {"mosh h -- rm x", "@rm x"},
        {"pdsh -w h rm x", "@rm x"},
        {"docker run --rm -v /a:/b -e A=b alpine rm -rf /b", "@rm -rf /b"},
        {"docker run --rm alpine sh -c 'rm x'", "@sh -c rm x | @rm x"},
        {"docker run --entrypoint sh alpine -c 'rm x'", "@sh -c rm x | @rm x"},
        {"docker run -d nginx", ""},
        {"docker exec -it c bash", "@bash"},
        {"docker exec -i c sh <<'E'\nrm x\nE\n", "@sh | @rm x"},
        {"docker exec db pg_dump x >y", "@pg_dump x"},
        {"docker compose exec -T web rm x", "@rm x"},
        {"docker-compose run --rm web rm x", "@rm x"},
        {"podman run --privileged a rm x", "@rm x"},
        {"nerdctl exec c rm x", "@rm x"},
        {"kubectl exec -it p -c d -- rm x", "@rm x"},
        {"kubectl exec p -n n -- rm x", "@rm x"},
        {"kubectl -n n exec p rm x", "@rm x"},
        {"kubectl run p --image=a -- rm x", "@rm x"},
        {"kubectl run p --image=a", ""},
        {"lxc exec c -- rm x", "@rm x"},
        {"chroot /mnt rm -rf /", "@rm -rf /"},
        {"nsenter -t 1 -m -- rm x", "@rm x"},
        {"docker build .", ""},
        {"docker ps", ""},
    };
    check(rows, COUNT(rows));
}

static void runs_what_options_hold(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"tar cf a b --checkpoint=1 --checkpoint-action=exec='rm x'", "rm x"},
        {"tar cf a b --checkpoint-action=dot", ""},
        {"tar xf a --to-command='rm x'", "rm x"},
        {"tar -I 'rm x' -xf a", "rm x"},
        {"tar xf a --use-compress-program 'zstd -d'", "zstd -d"},
        {"rsync -e 'ssh -p 2' a h:b", "ssh -p 2"},
        {"rsync --rsh='rm x' a h:b", "rm x"},
        {"sort --compress-program='rm x' a", "rm x"},
        {"git rebase -x 'rm x' main", "rm x"},
        {"git rebase --exec='rm x' main", "rm x"},
        {"git bisect run rm x", "rm x"},
        {"git submodule foreach 'rm x'", "rm x"},
        {"git submodule foreach --recursive rm x", "rm x"},
        {"git -c alias.x='!rm y' x", "rm y"},
        {"git -c core.pager='rm x' log", "rm x"},
        {"git -c core.sshCommand='rm x' fetch", "rm x"},
        {"git config alias.x '!rm y'", "rm y"},
        {"git config user.name '!rm y'", ""},
        {"git clone 'ext::sh -c rm%20x' y", "sh -c rm%20x | rm%20x"},
        {"git commit -m 'rm -rf /'", ""},
        {"split --filter='rm x' a", "rm x"},
        {"nc -e /bin/rm h 1", "/bin/rm"},
        {"man sudo", ""},
        {"grep -r sudo .", ""},
        {"echo 'rm x | sh'", ""},
    };
    check(rows, COUNT(rows));
}

static void lets_people_look(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"sudo --version", ""},  {"sudo -V", ""},           {"sudo -l", ""},
        {"env --version", ""},   {"timeout --help", ""},    {"xargs --help", ""},
        {"strace -V", ""},       {"docker run --help", ""}, {"unshare --help", ""},
        {"flock --version", ""}, {"command -v rm", ""},     {"command -V rm x", ""},
        {"bash --version", ""},  {"watch --help", ""},      {"parallel --version", ""},
        {"npx --version", ""},   {"make --version", ""},
    };
    check(rows, COUNT(rows));
}

/* A row that is no longer in order, or has no row of options, would not be found. */
static void finds_every_wrapper(void **state)
{
    (void)state;
    static const char *const names[] = {
#define WRAPPER(name, kind, traits, operands) name,
#include "engine/shell/wrappers.def"
#undef WRAPPER
    };
    for (size_t i = 0; i < COUNT(names); i++) {
        if (i && strcmp(names[i - 1], names[i]) >= 0)
            print_error("%s stands behind %s\n", names[i], names[i - 1]);
        assert_true(!i || strcmp(names[i - 1], names[i]) < 0);
        const struct program *row = program_find(names[i]);
        if (!row || strcmp(row->name, names[i]) != 0)
            print_error("%s is no program's first name\n", names[i]);
        assert_non_null(row);
        assert_string_equal(row->name, names[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(peels_prefixes),         cmocka_unit_test(peels_package_runners),
        cmocka_unit_test(joins_command_lines),    cmocka_unit_test(peels_what_runs_elsewhere),
        cmocka_unit_test(runs_what_options_hold), cmocka_unit_test(lets_people_look),
        cmocka_unit_test(finds_every_wrapper),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
