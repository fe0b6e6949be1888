/* Secrets in texts: for each kind of row what is found, and what is not. */
#include "base/secret.h"
#include "base/scope.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define X36 "abcdefghijklmnopqrstuvwxyz0123456789"
#define JWT "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dBjftJeZ4CVP-mB92K27uhbUJU1p1r"
#define PEM                                                                                        \
    "-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEA7\nq8Zv+/x=\n-----END RSA PRIVATE KEY-----"

/* A text and the secrets in it, with blanks between them, blank and _ being the same; ~ stands for
 * the NUL between words. */
struct row {
    enum secret_form form;
    const char *text, *secrets;
};

static const struct row rows[] = {
    /* options */
    {SECRET_WORDS, "deploy~--password~hunter2", "hunter2"},
    {SECRET_WORDS, "deploy~--password=hunter2", "hunter2"},
    {SECRET_WORDS, "deploy~--password~two words", "two words"},
    {SECRET_WORDS, "deploy~-password~hunter2", "hunter2"},
    {SECRET_SHELL, "deploy --token 'a b;c' --verbose", "a b;c"},
    {SECRET_SHELL, "deploy --api-key=k3y --secret \"s 1\"", "k3y s_1"},
    {SECRET_SHELL, "deploy --client-secret x\\ y", "x\\_y"},
    {SECRET_SHELL, "deploy --password-file /run/p --password-stdin x", ""},
    {SECRET_SHELL, "deploy --max-tokens 100 --tokenizer bpe", ""},
    {SECRET_SHELL, "deploy --password --verbose", ""},
    {SECRET_SHELL, "deploy --token \"$TOKEN\" --secret $(cat f) --password `p`", ""},
    {SECRET_SHELL, "mysql -u root -phunter2 db", "hunter2"},
    {SECRET_SHELL, "mysql -u root -p db", ""},
    {SECRET_SHELL, "mkdir -pv x; cp -p a b", ""},
    {SECRET_SHELL, "mysql -e x; mkdir -px y", ""},
    {SECRET_WORDS, "mysql~-phun ter2~db", "hun ter2"},
    {SECRET_WORDS, "sh~-c~mysql -phunter2 db", "hunter2"},
    {SECRET_SHELL, "sshpass -p 'hunter2' ssh h", "hunter2"},
    {SECRET_SHELL, "sshpass -phunter2 ssh -p 22 h", "hunter2"},
    {SECRET_SHELL, "docker login -u me -p hunter2 r.example", "hunter2"},
    {SECRET_SHELL, "docker run -p 80:80 nginx", ""},
    {SECRET_SHELL, "curl -u me:hunter2 https://x.example", "hunter2"},
    {SECRET_SHELL, "curl --user me:hunter2 https://x.example", "hunter2"},
    {SECRET_SHELL, "curl -u me https://x.example", ""},
    {SECRET_SHELL, "sort -u a:b", ""},
    {SECRET_WORDS, "redis-cli~-a~hunter2", "hunter2"},
    {SECRET_WORDS, "ls~-a~hunter2", ""},
    /* names */
    {SECRET_SHELL, "PGPASSWORD=hunter2 psql", "hunter2"},
    {SECRET_SHELL, "export DB_PASS='hun ter2'; ls", "hun ter2"},
    {SECRET_SHELL, "X_TOKEN=\"a\"b ls", "\"a\"b"},
    {SECRET_SHELL, "PASSWORD=a$(rm -rf /)b", "a"},
    {SECRET_SHELL, "PASSWORD=a; rm -rf /", "a"},
    {SECRET_SHELL, "PASSWORD= rm", ""},
    {SECRET_SHELL, "AUTHOR=me SSH_AUTH_SOCK=/tmp/s TOKEN_URL=u SECRET_NAME=n PWD=/x", ""},
    {SECRET_SHELL, "AUTH=none PASSWORD=xxxxxx TOKEN=true", ""},
    {SECRET_SHELL, "PRIVATE_KEY=/etc/ssl/k.pem", ""},
    {SECRET_SHELL, "python -c 'token=get_token()'", ""},
    {SECRET_SHELL, "docker pull r.example/token:latest", ""},
    {SECRET_SHELL, "[ \"$TOKEN\" == x ]", ""},
    {SECRET_PAIR, "DB_PASSWORD=hunter 2; x", "hunter 2; x"},
    {SECRET_PAIR, "SECRET_KEY_BASE=a", "a"},
    {SECRET_PAIR, "AWS_SECRET_ACCESS_KEY=/a+b", "/a+b"},
    {SECRET_PAIR, "PATH=/usr/bin:/bin", ""},
    {SECRET_PAIR, "MY_CREDENTIALS=/etc/c.json", ""},
    {SECRET_PAIR, "HOME=/root/token", ""},
    {SECRET_PLAIN, "PASSWORD=hunter 2\nA=b", "hunter 2"},
    {SECRET_PLAIN, "{\"password\": \"hun\\\"ter2\", \"a\": 1}", "hun\\\"ter2"},
    {SECRET_PLAIN, "password: hunter2\nuser: me", "hunter2"},
    {SECRET_PLAIN, "unexpected token: x\npassword: short", ""},
    {SECRET_SHELL, "curl -d '{\"token\":\"hunter2\"}' x", "hunter2"},
    {SECRET_SHELL, "curl -d \"{\\\"token\\\":\\\"hunter2\\\"}\" x", "hunter2"},
    {SECRET_SHELL, "curl -H 'X-Api-Key: hunter2' x", "hunter2"},
    {SECRET_SHELL, "curl 'https://x.example/?a=b&access_token=hunter2&c=d'", "hunter2"},
    {SECRET_SHELL, "echo \"Enter password: \"; rm -rf \"/\"", ""},
    {SECRET_SHELL, "echo \"PASSWORD=\"; rm -rf /; echo \"\"", ""},
    {SECRET_SHELL, "cat <<E\nit's\nE\necho \"PASSWORD=\"; rm -rf /; echo \"x\"", ""},
    {SECRET_PLAIN, "//registry.example/:_authToken=hunter2", "hunter2"},
    {SECRET_PLAIN, "AccountName=x;AccountKey=aGVsbG8=;EndpointSuffix=y", "aGVsbG8="},
    /* URLs */
    {SECRET_SHELL, "git clone https://me:hunter2@h.example/x", "hunter2"},
    {SECRET_SHELL, "git clone https://0123456789abcdef0123@h.example/x", "0123456789abcdef0123"},
    {SECRET_PLAIN, "postgres://me:p@ss@h:5432/db", "p@ss"},
    {SECRET_SHELL, "git clone ssh://git@h.example/x https://h.example/a@b", ""},
    {SECRET_SHELL, "curl http://h.example:8080/a:b@c http://$U:$P@h", ""},
    /* headers */
    {SECRET_SHELL, "curl -H 'Authorization: Bearer hunter2' x", "hunter2"},
    {SECRET_SHELL, "curl -H \"Authorization: Basic bWU6aHVudGVy\" x", "bWU6aHVudGVy"},
    {SECRET_SHELL, "curl -H \"Authorization: Bearer $TOKEN\" x", ""},
    {SECRET_PLAIN, "sent bearer abcdefghij0123456789", "abcdefghij0123456789"},
    {SECRET_PLAIN, "the bearer of this", ""},
    /* what looks like nothing else */
    {SECRET_PLAIN, "AKIAIOSFODNN7EXAMPLE", "AKIAIOSFODNN7EXAMPLE"},
    {SECRET_PLAIN, "ASIAIOSFODNN7EXAMPLE.", "ASIAIOSFODNN7EXAMPLE"},
    {SECRET_PLAIN, "xAKIAIOSFODNN7EXAMPLE AKIAx", ""},
    {SECRET_PLAIN, "AIza" X36, "AIza" X36},
    {SECRET_PLAIN, "ya29." X36, "ya29." X36},
    {SECRET_PLAIN, "GOCSPX-" X36, "GOCSPX-" X36},
    {SECRET_PLAIN, "ghp_" X36 "!", "ghp_" X36},
    {SECRET_PLAIN, "gho_" X36, "gho_" X36},
    {SECRET_PLAIN, "ghu_" X36, "ghu_" X36},
    {SECRET_PLAIN, "ghs_" X36, "ghs_" X36},
    {SECRET_PLAIN, "ghr_" X36, "ghr_" X36},
    {SECRET_PLAIN, "ghp_x ghp_", ""},
    {SECRET_PLAIN, "github_pat_" X36, "github_pat_" X36},
    {SECRET_PLAIN, "glpat-" X36, "glpat-" X36},
    {SECRET_PLAIN, "xoxa-" X36, "xoxa-" X36},
    {SECRET_PLAIN, "xoxb-" X36, "xoxb-" X36},
    {SECRET_PLAIN, "xoxp-" X36, "xoxp-" X36},
    {SECRET_PLAIN, "xoxr-" X36, "xoxr-" X36},
    {SECRET_PLAIN, "xoxs-" X36, "xoxs-" X36},
    {SECRET_PLAIN, "sk_live_" X36, "sk_live_" X36},
    {SECRET_PLAIN, "rk_live_" X36, "rk_live_" X36},
    {SECRET_PLAIN, "sk-ant-" X36, "sk-ant-" X36},
    {SECRET_PLAIN, "sk-proj-" X36, "sk-proj-" X36},
    {SECRET_PLAIN, "sk-" X36 X36, "sk-" X36 X36},
    {SECRET_PLAIN, "task-" X36 X36 " sk-learn", ""},
    {SECRET_PLAIN, "npm_" X36, "npm_" X36},
    {SECRET_PLAIN, "npm_config_cache", ""},
    {SECRET_PLAIN, "pypi-" X36 X36, "pypi-" X36 X36},
    {SECRET_PLAIN, "pypi-mirror", ""},
    {SECRET_PLAIN, "SG." X36 "." X36, "SG." X36 "." X36},
    {SECRET_PLAIN, "hf_" X36, "hf_" X36},
    {SECRET_PLAIN, "dop_v1_" X36 X36, "dop_v1_" X36 X36},
    {SECRET_PLAIN, "dckr_pat_" X36, "dckr_pat_" X36},
    {SECRET_PLAIN, "hvs." X36, "hvs." X36},
    {SECRET_PLAIN, "x " JWT " y", JWT},
    {SECRET_PLAIN, "eyJhbGciOiJIUzI1NiJ9 eyJ.eyJ", ""},
    {SECRET_PLAIN, "a\n" PEM "\nb", PEM},
    {SECRET_SHELL, "echo '" PEM "' > k; ls", PEM},
    {SECRET_SHELL, "echo -----BEGIN PRIVATE KEY-----; rm -rf /", "-----BEGIN PRIVATE KEY-----"},
    {SECRET_PLAIN, "-----BEGIN CERTIFICATE-----\nMIIE\n-----END CERTIFICATE-----", ""},
    /* what was replaced before */
    {SECRET_SHELL, "PASSWORD=[redacted:password:7:0123abcd] ls", ""},
    {SECRET_SHELL, "curl -u me:[redacted:password:7:0123abcd] x", ""},
    {SECRET_SHELL, "git clone https://[redacted:url:7:0123abcd]@h", ""},
    {SECRET_WORDS, "x~--password~[redacted:pass", ""},
    {SECRET_SHELL, "PASSWORD=[redacted:password:7:0123abcd]more", ""},
};

static void check(const struct row *row)
{
    char text[1024], found[1024] = "", wanted[1024];
    size_t n = strlen(row->text);
    assert_true(n < sizeof text);
    for (size_t i = 0; i <= n; i++)
        text[i] = (char)(row->form == SECRET_WORDS && row->text[i] == '~' ? 0 : row->text[i]);
    struct secret_search search = secret_search(row->form, (struct view){(uint8_t *)text, n});
    for (struct secret s; secret_next(&search, &s);) {
        size_t len = strlen(found);
        snprintf(found + len, sizeof found - len, "%s%.*s", len ? " " : "", (int)s.len,
                 text + s.at);
    }
    snprintf(wanted, sizeof wanted, "%s", row->secrets);
    for (char *c = found; *c; c++)
        *c = *c == ' ' ? '_' : *c;
    for (char *c = wanted; *c; c++)
        *c = *c == ' ' ? '_' : *c;
    if (strcmp(found, wanted))
        fail_msg("%s\n  found  %s\n  wanted %s", row->text, found, wanted);
}

static void finds_what_the_table_says_and_nothing_else(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        check(&rows[i]);
}

static void a_mark_is_known_whole_and_cut_but_not_when_it_is_none(void **state)
{
    static const char mark[] = "[redacted:password:7:0123abcd]";
    (void)state;
    assert_int_equal(secret_mark(view_of("[redacted:password:7:0123abcd]tail")), sizeof mark - 1);
    for (size_t len = 2; len < sizeof mark; len++)
        assert_int_equal(secret_mark((struct view){(const uint8_t *)mark, len}), len);
    assert_int_equal(secret_mark(view_of("[redacted:token:7] tail")), 18);
    assert_int_equal(secret_mark(view_of("[redacted:hunter2 is it]")), 0);
    assert_int_equal(secret_mark(view_of("[redacted:a:1:0123456789012345678901234]")), 0);
    assert_int_equal(secret_mark(view_of("redacted")), 0);
}

/* A walk that looked at the same bytes again and again would take minutes for these. */
static void the_worst_texts_take_time_in_proportion(void **state)
{
    static const char *const parts[] = {
        "auth=/",      "token=(",    "eyJ",     "eyJhbGciOiJ.eyJ",
        "-----BEGIN ", "http://a:b", "-u ",     "PASSWORD=\"",
        "--token ",    "sk-",        "bearer ", "[redacted:a:",
        "'token':'",   "\\\"",       "a",       "curl -u a",
        "password : ", "<<token=\"",
    };
    enum { LEN = 256 * 1024 };
    (void)state;
    char *text = malloc(LEN);
    assert_non_null(text);
    for (size_t i = 0; i < COUNT(parts); i++)
        for (int form = SECRET_PLAIN; form <= SECRET_PAIR; form++) {
            size_t n = strlen(parts[i]);
            for (size_t at = 0; at < LEN; at++)
                text[at] = parts[i][at % n];
            struct secret_search search =
                secret_search((enum secret_form)form, (struct view){(uint8_t *)text, LEN});
            for (struct secret s; secret_next(&search, &s);)
                assert_true(s.len && s.at + s.len <= LEN);
        }
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_what_the_table_says_and_nothing_else),
        cmocka_unit_test(a_mark_is_known_whole_and_cut_but_not_when_it_is_none),
        cmocka_unit_test(the_worst_texts_take_time_in_proportion),
    };
    return cmocka_run_group_tests_name("base/secret", tests, NULL, NULL);
}
