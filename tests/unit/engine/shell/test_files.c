/* Files that commands touch, by redirects, operands and options. */
#include "base/scope.h"
#include "engine/shell/facts.h"

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

/* One file: the letters of what is done to it, "*" for all below it, and its path. */
static void show_file(char *to, size_t size, const struct file_fact *f)
{
    static const char letters[] = "rwdmxsv";
    for (size_t bit = 0; letters[bit]; bit++)
        if (f->touches & 1u << bit)
            put(to, size, (const char[]){letters[bit], 0});
    put(to, size, f->recursive ? "*:" : ":");
    put(to, size, f->path.text);
}

/* In the order of the command line, which is the reverse of the list's. */
static void show_files(char *to, size_t size, const struct file_fact *f)
{
    const struct file_fact *all[64];
    size_t count = 0;
    for (; f && count < COUNT(all); f = f->next)
        all[count++] = f;
    to[0] = 0;
    while (count) {
        show_file(to, size, all[--count]);
        put(to, size, count ? " " : "");
    }
}

struct row {
    const char *text, *files;
};

static void check(const struct row *rows, size_t count)
{
    size_t wrong = 0;
    for (size_t i = 0; i < count; i++) {
        SCOPED(facts_close) struct facts f = {0};
        char shown[1024];
        facts_read_shell(&f, &setting, view_of(rows[i].text));
        assert_non_null(f.first);
        show_files(shown, sizeof shown, f.first->files);
        if (strcmp(shown, rows[i].files) != 0) {
            print_error("%s\n    %s\n", rows[i].text, shown);
            wrong++;
        }
    }
    assert_int_equal(wrong, 0);
}

static void sees_redirects(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"a <b >c 2>>d", "r:b w:c w:d"},
        {"a <>b", "rw:b"},
        {"a &>b", "w:b"},
        {"a >&b", "w:b"},
        {"a >&2 2>&1 <&-", ""},
        {"a >|b", "w:b"},
        {">b", "w:b"},
        {"exec 3<>b", "rw:b"},
        {"a <<E\nx\nE\n", ""},
        {"a <<<x", ""},
        {"a >/dev/tcp/h/1", "w:/dev/tcp/h/1"},
        {"a >$x", "w:?"},
        {"a >~/.x", "w:/users/agent/.x"},
        {"./a", "x:./a"},
        {"sh <b", "rx:b"},
        {"python3 <b", "rx:b"},
        {"python3 c <b", "r:b x:c"},
    };
    check(rows, COUNT(rows));
}

static void sees_what_is_read(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"cat a b", "r:a r:b"},
        {"cat - a", "r:a"},
        {"head -n 5 a", "r:a"},
        {"head -n5 a", "r:a"},
        {"grep x a", "rs:a"},
        {"grep -r x a b", "rs*:a rs*:b"},
        {"grep -e x a", "rs:a"},
        {"grep -f p a", "x:p rs:a"},
        {"rg -n key /", "rs:/"},
        {"sed -n 1p a", "r:a"},
        {"sed -n -e 1p a", "r:a"},
        {"awk '{print}' a", "r:a"},
        {"awk -f p a", "x:p r:a"},
        {"jq . a", "r:a"},
        {"base64 -w0 a", "r:a"},
        {"xxd -p a", "r:a"},
        {"sort -o a b", "w:a r:b"},
        {"diff -r a b", "rs*:a rs*:b"},
        {"sh a b", "x:a"},
        {"sh -c a b", ""},
        {"bash -s a", ""},
        {"python3 a b", "x:a"},
        {"python3 -m a b", ""},
        {"node -e 1 a", ""},
        {". a b", "x:a"},
        {"ls a", ""},
        {"stat a", ""},
        {"echo a", ""},
        {"printf %s a", ""},
        {"git -C a diff b", ""},
        {"openssl enc -base64 -in a -out b", "r:a w:b"},
        {"gpg -o a -d b", "w:a r:b"},
        {"unheard a -o b", ""},
        {"cat --help a", ""},
    };
    check(rows, COUNT(rows));
}

static void sees_what_is_written(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"tee -a a b", "w:a w:b"},
        {"touch a", "w:a"},
        {"mkdir -p a/b", "w:a/b"},
        {"truncate -s 0 a", "w:a"},
        {"cp a b", "r:a w:b w:b/a"},
        {"cp -r x/a y/b /etc", "r*:x/a r*:y/b w:/etc w:/etc/a w:/etc/b"},
        {"cp -t /etc x/passwd", "r:x/passwd w:/etc w:/etc/passwd"},
        {"cp --target-directory=/etc x/passwd", "r:x/passwd w:/etc w:/etc/passwd"},
        {"cp x/* /etc", "r:x/* w:/etc w:/etc/*"},
        {"mv a b", "rdv*:a w:b w:b/a"},
        {"ln -sf a /etc/b", "r:a w:/etc/b w:/etc/b/a"},
        {"ln -s /etc/x", "r:/etc/x w:x"},
        {"install -m 755 a /usr/bin/b", "r:a w:/usr/bin/b w:/usr/bin/b/a"},
        {"install -d a b", "w:a w:b"},
        {"dd if=a of=/dev/sda bs=1M", "r:a w:/dev/sda"},
        {"dcfldd if=a of=/dev/sda", "r:a w:/dev/sda"},
        {"qemu-img convert -O raw a /dev/sdb", "r:a w:/dev/sdb"},
        {"sed -i s/a/b/ x y", "rw:x rw:y"},
        {"sed -i.bak -e s/a/b/ x", "rw:x"},
        {"perl -pi -e s/a/b/ x", "rw:x"},
        {"perl -ne print x", "r:x"},
        {"patch -p1 -i a", "w*:. r:a"},
        {"patch -d /usr/src -p1 <a", "r:a w*:/usr/src"},
        {"patch a b", "rw:a r:b"},
        {"vim a", "rw:a"},
        {"xxd -r a b", "r:a w:b"},
        {"uniq a b", "r:a w:b"},
        {"zip -r a.zip b", "w:a.zip r*:b"},
        {"gzip a", "rwd:a"},
        {"gzip -k a", "r:a"},
        {"split -b 1M a b", "r:a w:b"},
        {"mkfs.ext4 /dev/sda1", "rw:/dev/sda1"},
        {"curl -o /etc/x http://h/y", "w:/etc/x"},
        {"curl -O http://h/y?z", "w:y"},
        {"curl -sSLo- http://h/y", ""},
        {"curl --output-dir d -O http://h/y", "w:d w:d/y"},
        {"wget http://h/a/b.sh", "w:b.sh"},
        {"wget -P d http://h/", "w:d w:d/index.html"},
        {"wget -O a http://h/b", "w:a"},
        {"wget -qO- http://h/b", ""},
        {"git clone https://h/a/b.git", "w:b"},
        {"git clone https://h/a/b.git c", "w:c"},
        {"scp h:/etc/passwd x", "w:x w:x/passwd"},
        {"scp x h:y", "r:x"},
        {"gcc -o a b.c", "w:a r:b.c"},
    };
    check(rows, COUNT(rows));
}

static void sees_what_is_deleted_and_changed(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"rm -rf a /", "d*:a d*:/"},
        {"rm a -fr", "d*:a"},
        {"rm --rec a", "d*:a"},
        {"rm a", "d:a"},
        {"rm -- -a", "d:-a"},
        {"rm /e*", "d:/e*"},
        {"rm -r \"$x/\"*", "d*:?/*"},
        {"unlink a", "d:a"},
        {"rmdir a", "d:a"},
        {"shred a", "rw:a"},
        {"shred -u a", "rwd:a"},
        {"find a b -name x -delete", "s*:a d*:a/? s*:b d*:b/?"},
        {"find -delete", "s*:. d*:./?"},
        {"find a -fprint b", "w:b s*:a"},
        {"chmod 755 a", "m:a"},
        {"chmod -R 777 a b", "m*:a m*:b"},
        {"chmod -x a", "m:a"},
        {"chmod u+s a", "m:a"},
        {"chmod --reference=x a", "m:a"},
        {"chown -R root:root a", "m*:a"},
        {"chattr -i a", "m:a"},
        {"setfacl -m u:x:rw a", "m:a"},
        {"rsync -a --delete a/ /b", "r*:a/ wd*:/b w:/b/a"},
        {"rsync -a --remove-source-files a h:b", "rd*:a"},
        {"rsync -a h:b a", "w:a w:a/b"},
        {"tar -cf a.tar --remove-files b", "w:a.tar rd*:b"},
        {"git mv a b", "rdv*:a w:b w:b/a"},
    };
    check(rows, COUNT(rows));
}

static void sees_archives_and_directories(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"tar -xzf a.tgz", "r:a.tgz w*:."},
        {"tar xzf a.tgz -C /", "r:a.tgz w*:/"},
        {"tar -C /etc -czf b.tgz x", "w:b.tgz r*:/etc/x"},
        {"tar czf - /etc", "r*:/etc"},
        {"tar -tf a.tar x", "r:a.tar"},
        {"tar -xOf a.tar x", "r:a.tar"},
        {"tar -C a -C b -xf c", "r:c w*:a/b"},
        {"unzip a.zip -d /opt", "r:a.zip w*:/opt"},
        {"unzip -l a.zip", "r:a.zip"},
        {"7z x a.7z -o/opt", "r:a.7z w:/opt w:/opt/a.7z"},
        {"cpio -idm", "w*:."},
        {"docker run -v /:/host:ro -v x:/y -v ./a:/b alpine", "r*:/ rw*:./a"},
        {"docker run --mount type=bind,source=/etc,target=/e alpine", "rw*:/etc"},
        {"docker build -f d .", "r:d r*:."},
        {"docker cp c:/etc/passwd .", "w*:."},
        {"kubectl apply -f a/b.yml", "r*:a/b.yml"},
        {"socat - OPEN:/etc/x,append", "rw:/etc/x"},
    };
    check(rows, COUNT(rows));
}

static void sees_what_is_sent(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"curl -d @a http://h", "r:a"},
        {"curl -d a=@b http://h", ""},
        {"curl --data-binary @a http://h", "r:a"},
        {"curl --data-urlencode x@a http://h", "r:a"},
        {"curl -F 'f=@a;type=b' http://h", "r:a"},
        {"curl -F f='<a' http://h", "r:a"},
        {"curl -F f=a http://h", ""},
        {"curl -T a http://h", "r:a"},
        {"curl -b a http://h", "r:a"},
        {"curl -b a=b http://h", ""},
        {"curl -H @a http://h", "r:a"},
        {"curl -K a", "r:a"},
        {"curl --upload a http://h", "r:a"},
        {"wget --post-file=a http://h/x -O -", "r:a"},
        {"http POST h x@a y=@b", "r:a r:b"},
        {"mail -a a x@h", "r:a"},
        {"aws s3 cp a s3://b/", "r:a"},
        {"rclone copy a r:b", "r:a"},
        {"gh gist create a", "r:a"},
        {"pip install -r a", "r:a"},
        {"pip install a ./b", "r*:./b"},
        {"ssh -i a h", "r:a"},
    };
    check(rows, COUNT(rows));
}

static void sees_files_of_other_languages(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"python3 -c \"open('/etc/passwd')\"", "r:/etc/passwd"},
        {"python3 -c \"open('/etc/passwd','w')\"", "w:/etc/passwd"},
        {"python3 -c \"open('a', mode='r+b')\"", "rw:a"},
        {"python3 -c \"open(os.path.expanduser('~/.ssh/id'))\"", "r:/users/agent/.ssh/id"},
        {"python3 -c \"open(os.path.expanduser('~/.x'),'a')\"", "w:/users/agent/.x"},
        {"python3 -c \"open('/tmp/'+x)\"", "r:/tmp/?"},
        {"python3 -c \"open(x)\"", ""},
        {"python3 -c \"shutil.rmtree('build')\"", "d*:build"},
        {"python3 -c \"shutil.rmtree(x)\"", "d*:?"},
        {"python3 -c \"os.remove('a')\"", "d:a"},
        {"python3 -c \"os.chmod('a', 511)\"", "m:a"},
        {"python3 -c \"shutil.move('a','/etc/b')\"", "dv*:a w:/etc/b"},
        {"python3 -c \"shutil.copy('a','b')\"", "r:a w:b"},
        {"perl -e 'open F, \">/dev/sda\"'", "w:/dev/sda"},
        {"perl -e 'open(my $f, \"<\", \"a\")'", "r:a"},
        {"perl -e 'open(F, \">>:utf8\", \"a\")'", "w:a"},
        {"perl -e 'unlink \"a\"'", "d:a"},
        {"ruby -e 'File.write(\"a\", 1)'", "w:a"},
        {"ruby -e 'FileUtils.rm_rf \"a\"'", "d*:a"},
        {"node -e \"fs.rmSync('a',{recursive:true})\"", "d*:a"},
        {"node -e \"fs.writeFileSync('a','b')\"", "w:a"},
        {"php -r 'file_put_contents(\"a\", 1);'", "w:a"},
        {"php -r 'unlink(\"a\");'", "d:a"},
        {"lua -e 'io.open(\"a\",\"w\")'", "w:a"},
        {"python3 -c \"print('open')\"", ""},
        {"sed -n 'w /etc/a' b", "r:b w:/etc/a"},
        {"sed 's,x,y,gw /etc/a' b", "r:b w:/etc/a"},
        {"sed -e '/x/r c' -e ':a;N;ba' b", "r:b r:c"},
        {"sed 's/w /x/; y/w /xx/' b", "r:b"},
        {"awk '{print > \"a\"}' b", "r:b w:a"},
        {"awk 'BEGIN{while ((getline x < \"a\") > 0) y}'", "r:a"},
        {"awk '$1 > 2 {print \"> c\"}' b", "r:b"},
        {"vim -es -c 'w! /etc/a' b", "rw:b w:/etc/a"},
        {"ed -s b <<< 'w /etc/a'", "rw:b w:/etc/a"},
    };
    check(rows, COUNT(rows));
}

static void sees_searches_that_name_no_place(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"grep -rn x", "rs*:."},   {"rgrep x", "rs*:."}, {"grep -n x", ""},
        {"grep -rn x a", "rs*:a"}, {"rg x", "rs*:."},    {"rg -e x", "rs*:."},
        {"rg x a", "rs:a"},        {"ag x", "rs*:."},
    };
    check(rows, COUNT(rows));
}

/* The files of the text's last command. */
static void check_last(const struct row *rows, size_t count)
{
    size_t wrong = 0;
    for (size_t i = 0; i < count; i++) {
        SCOPED(facts_close) struct facts f = {0};
        char shown[1024];
        facts_read_shell(&f, &setting, view_of(rows[i].text));
        const struct command_fact *last = f.first;
        while (last && last->next)
            last = last->next;
        assert_non_null(last);
        show_files(shown, sizeof shown, last->files);
        if (strcmp(shown, rows[i].files) != 0) {
            print_error("%s\n    %s\n", rows[i].text, shown);
            wrong++;
        }
    }
    assert_int_equal(wrong, 0);
}

static void follows_links_that_the_text_makes(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"ln -s /etc c; rm -r c/*", "d*:c/* d*:/etc/*"},
        {"ln -s / c && rm -r c/\"$x\"", "d*:c/? d*:/?"},
        {"ln -s /etc c; rm c/x", "d:c/x d:/etc/x"},
        {"ln -s /etc c; rm d/*", "d:d/*"},
        {"ln -s /etc c; rm *", "d:*"},
    };
    check_last(rows, COUNT(rows));
}

static void knows_copies_of_programs_by_their_source(void **state)
{
    (void)state;
    static const struct {
        const char *text, *name;
    } rows[] = {
        {"cp /bin/rm ./z; ./z -rf x", "rm"},
        {"ln -s /usr/sbin/reboot z && ./z", "reboot"},
        {"install -m 755 /bin/rm /tmp/z; /tmp/z x", "rm"},
        {"cp /bin/rm a; mv a b; ./b x", "rm"},
        {"cp /bin/rm a; cp y a; ./a x", "a"},
        {"cp tools/rm a; ./a x", "a"},
        {"cp /bin/rm a; a x", "a"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        SCOPED(facts_close) struct facts f = {0};
        facts_read_shell(&f, &setting, view_of(rows[i].text));
        const struct command_fact *last = f.first;
        while (last->next)
            last = last->next;
        assert_string_equal(last->name, rows[i].name);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sees_redirects),
        cmocka_unit_test(sees_what_is_read),
        cmocka_unit_test(sees_what_is_written),
        cmocka_unit_test(sees_what_is_deleted_and_changed),
        cmocka_unit_test(sees_archives_and_directories),
        cmocka_unit_test(sees_what_is_sent),
        cmocka_unit_test(sees_files_of_other_languages),
        cmocka_unit_test(sees_searches_that_name_no_place),
        cmocka_unit_test(follows_links_that_the_text_makes),
        cmocka_unit_test(knows_copies_of_programs_by_their_source),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
