/* hosts.c - see hosts.h. Ports that are not given are those of the scheme. */
#include "engine/shell/hosts.h"

#include "base/scope.h"
#include "engine/shell/address.h"
#include "engine/shell/files.h"

#include <string.h>

/* A place that is being read: a part of an argument. */
struct spot {
    const char *text;
    size_t len;
};

struct seeker {
    struct walk *w;
    struct command_fact *c;
    unsigned port; /* that an option gives to all hosts of the command; 0: none */
};

static const struct scheme {
    const char *name;
    unsigned port;
} schemes[] = {
    {"http", 80},     {"https", 443},  {"ssh", 22},      {"ftp", 21},          {"ftps", 990},
    {"sftp", 22},     {"git", 9418},   {"ws", 80},       {"wss", 443},         {"telnet", 23},
    {"smtp", 25},     {"smtps", 465},  {"imap", 143},    {"imaps", 993},       {"ldap", 389},
    {"ldaps", 636},   {"redis", 6379}, {"mysql", 3306},  {"postgres", 5432},   {"rsync", 873},
    {"dns", 53},      {"tftp", 69},    {"gopher", 70},   {"mongodb", 27017},   {"amqp", 5672},
    {"docker", 2375}, {"smb", 445},    {"rediss", 6379}, {"postgresql", 5432}, {"dict", 2628},
};

static unsigned port_of_scheme(const char *scheme)
{
    for (size_t i = 0; scheme && i < COUNT(schemes); i++)
        if (!strcmp(schemes[i].name, scheme))
            return schemes[i].port;
    return 0;
}

static unsigned read_port(const char *text, size_t len)
{
    unsigned port = 0;
    for (size_t i = 0; i < len && text[i] >= '0' && text[i] <= '9'; i++)
        if ((port = port * 10 + (unsigned)(text[i] - '0')) > 65535)
            return 0;
    return port;
}

static void add_host(struct seeker *k, struct host_fact host, struct spot name)
{
    char normal[ADDRESS_MAX_BYTES];
    struct host_fact *fact = walk_new(k->w, 1, sizeof *fact);
    if (!fact)
        return;
    if (!address_normalize(normal, name.text, name.len)) /* too long, or with a NUL inside */
        memcpy(normal, (const char[]){HOLE, 0}, 2);
    host.name = arena_text(&k->w->facts->arena, normal, strlen(normal));
    if (!host.name)
        return;
    host.is_local = address_is_local(normal) || (host.listens && !normal[0]);
    if (!host.port)
        host.port = k->port ? k->port : port_of_scheme(host.scheme);
    host.next = k->c->hosts;
    *fact = host;
    k->c->hosts = fact;
}

/* A host that is known only when it runs. */
static struct spot unknown_host(void)
{
    static const char hole[] = {HOLE, 0};
    return (struct spot){hole, 1};
}

static struct spot spot_of(const struct arg *a)
{
    return (struct spot){a->text, a->len};
}

/* The host of "user@host:port"; what stands before the last @ is no host. The port goes to
 * *port when there is one. A hole before the @ may hold anything, also the end of the host. */
static struct spot take_authority(struct spot s, unsigned *port)
{
    const char *at = s.len ? memrchr(s.text, '@', s.len) : NULL;
    if (at && memchr(s.text, HOLE, (size_t)(at - s.text)) && at > s.text)
        return unknown_host();
    if (at) {
        s.len -= (size_t)(at + 1 - s.text);
        s.text = at + 1;
    }
    size_t end = 0;
    const char *close = s.len && s.text[0] == '[' ? memchr(s.text, ']', s.len) : NULL;
    if (close)
        end = (size_t)(close + 1 - s.text);
    while (end < s.len && s.text[end] != ':')
        end++;
    if (end < s.len) /* more than one colon: an IPv6 address without brackets */
        if (!close && memchr(s.text + end + 1, ':', s.len - end - 1))
            end = s.len;
    if (end < s.len)
        *port = read_port(s.text + end + 1, s.len - end - 1);
    return (struct spot){s.text, end};
}

static const char *scheme_text(struct seeker *k, const char *text, size_t len)
{
    char *copy = arena_text(&k->w->facts->arena, text, len);
    for (char *c = copy; c && *c; c++)
        if (*c >= 'A' && *c <= 'Z')
            *c = (char)(*c | 0x20);
    return copy;
}

/* "scheme://user@host:port/path"; without a scheme it has the one that is given. */
static void add_url(struct seeker *k, struct spot s, const char *scheme)
{
    struct host_fact host = {.scheme = scheme};
    size_t i = 0;
    while (i < s.len &&
           (s.text[i] == '+' || s.text[i] == '-' || s.text[i] == '.' || (s.text[i] | 0x20) >= 'a' ||
            (s.text[i] >= '0' && s.text[i] <= '9')) &&
           s.text[i] != '{' && s.text[i] != '~')
        i++;
    if (i && s.len - i > 2 && !strncmp(s.text + i, "://", 3)) {
        host.scheme = scheme_text(k, s.text, i);
        s.text += i + 3;
        s.len -= i + 3;
    }
    if (!host.scheme || !strcmp(host.scheme, "file") || !strcmp(host.scheme, "unix") ||
        !strcmp(host.scheme, "data") || !s.len)
        return;
    size_t end = 0;
    while (end < s.len && !strchr("/?#\\", s.text[end]))
        end++;
    s.len = end;
    struct spot name = take_authority(s, &host.port);
    if (memchr(name.text, '{', name.len)) /* curl tries several */
        name = unknown_host();
    if (name.len)
        add_host(k, host, name);
}

/* "host", "host:port", "user@host". */
static void add_login(struct seeker *k, struct spot s, const char *scheme)
{
    struct host_fact host = {.scheme = scheme};
    struct spot name = take_authority(s, &host.port);
    if (name.len)
        add_host(k, host, name);
}

/* "user@host:path", "host::module", "scheme://…"; nothing for a file. */
static void add_remote(struct seeker *k, const struct arg *a, const char *scheme)
{
    if (!is_remote(a))
        return;
    if (strstr(a->text, "://")) {
        add_url(k, spot_of(a), scheme);
        return;
    }
    size_t len = a->text[0] == '[' ? strcspn(a->text, "]") + 1 : strcspn(a->text, ":");
    add_login(k, (struct spot){a->text, len < a->len ? len : a->len}, scheme);
}

/* "8080", ":8080", "host:8080", "8080:host:80" of ssh -L, where only the first host listens. */
static void add_listener(struct seeker *k, const struct arg *a)
{
    struct host_fact host = {.listens = true, .scheme = "tcp"};
    size_t first = strcspn(a->text, ":");
    bool number = first && strspn(a->text, "0123456789") == first;
    struct spot s = {a->text, a->len};
    if (number) {
        host.port = read_port(a->text, first);
        add_host(k, host, (struct spot){"", 0});
        return;
    }
    struct spot name = take_authority(s, &host.port);
    if (name.len == s.len) { /* "host:8080:target:80" */
        size_t second = first + 1 < s.len ? strcspn(a->text + first + 1, ":") : 0;
        name.len = first < s.len ? first : s.len;
        host.port = second ? read_port(a->text + first + 1, second) : 0;
    }
    add_host(k, host, name);
}

/* curl --resolve name:port:address, --connect-to name:port:host:port. */
static void add_through(struct seeker *k, const struct arg *a)
{
    const char *at = a->text;
    struct host_fact host = {.scheme = "tcp"};
    for (size_t i = 0; i < 2 && at; i++)
        at = (at = strchr(at, ':')) ? at + 1 : NULL;
    if (!at || !*at || *at == ':')
        return;
    struct spot name = take_authority((struct spot){at, strlen(at)}, &host.port);
    if (name.len)
        add_host(k, host, name);
}

/* What looks like a URL wherever it stands. */
static void add_any(struct seeker *k, const struct arg *a)
{
    const char *mark = strstr(a->text, "://");
    if (!mark || mark == a->text)
        return;
    const char *from = mark;
    while (from > a->text &&
           ((from[-1] | 0x20) >= 'a' || from[-1] == '+' || (from[-1] >= '0' && from[-1] <= '9')) &&
           (from[-1] | 0x20) <= 'z')
        from--;
    if (from < mark)
        add_url(k, (struct spot){from, a->len - (size_t)(from - a->text)}, NULL);
}

/* The scheme of a program's hosts that its arguments do not name. */
static const char *scheme_of_program(const struct command_fact *c)
{
    static const struct {
        const char *program, *scheme;
    } known[] = {
        {"curl", "http"},        {"wget", "http"},       {"aria2c", "http"},     {"http", "http"},
        {"ssh", "ssh"},          {"scp", "ssh"},         {"sftp", "ssh"},        {"rsync", "ssh"},
        {"mosh", "ssh"},         {"ssh-copy-id", "ssh"}, {"ssh-keyscan", "ssh"}, {"ftp", "ftp"},
        {"@terminal", "telnet"}, {"mysql", "mysql"},     {"psql", "postgres"},   {"ping", "icmp"},
        {"docker", "docker"},    {"@browser", "http"},   {"@download", "http"},
    };
    const char *name = c->reading->program->name;
    if (!strncmp(name, "git ", 4))
        return "ssh";
    for (size_t i = 0; i < COUNT(known); i++)
        if (!strcmp(known[i].program, name))
            return known[i].scheme;
    return NULL;
}

/* A program that may be given a bare host where others have a path. */
static void add_by_role(struct seeker *k, char role, const struct arg *a)
{
    const char *scheme = k->c->reading->program ? scheme_of_program(k->c) : NULL;
    switch (role) {
    case ROLE_URL:
        add_url(k, spot_of(a), scheme ? scheme : "http");
        break;
    case ROLE_HOST:
    case ROLE_LOGIN:
        if (strstr(a->text, "://"))
            add_url(k, spot_of(a), scheme);
        else
            add_login(k, spot_of(a), scheme);
        break;
    case ROLE_REMOTE:
    case ROLE_TARGET:
        add_remote(k, a, scheme);
        break;
    case ROLE_PLACE:
        if (strstr(a->text, "://"))
            add_any(k, a);
        else if (scheme && !strchr("./", a->text[0]))
            add_remote(k, a, scheme);
        break;
    case ROLE_LISTEN:
        add_listener(k, a);
        break;
    case ROLE_ANY:
        add_any(k, a);
        break;
    case ROLE_THROUGH:
        add_through(k, a);
        break;
    default:
        break;
    }
}

/* "/dev/tcp/host/port" of a redirect. */
static void find_connections(struct seeker *k)
{
    for (size_t i = 0; i < k->c->redirects_count; i++) {
        const char *text = k->c->redirects[i].target.text;
        bool tcp = !strncmp(text, "/dev/tcp/", 9);
        if ((!tcp && strncmp(text, "/dev/udp/", 9) != 0) ||
            k->c->redirects[i].op >= REDIRECT_HEREDOC)
            continue;
        size_t len = strcspn(text + 9, "/");
        struct host_fact host = {.scheme = tcp ? "tcp" : "udp"};
        if (text[9 + len])
            host.port = read_port(text + 9 + len + 1, strlen(text + 9 + len + 1));
        add_host(k, host, (struct spot){text + 9, len});
    }
}

/* nc [-l] [host] [port]. */
static void find_netcat(struct seeker *k)
{
    bool listens = k->c->reading->effects[EFFECT_LISTENS];
    bool udp = option_of(k->c, "-u") || option_of(k->c, "--udp");
    struct host_fact host = {.scheme = udp ? "udp" : "tcp", .listens = listens};
    size_t first = k->c->reading->commands, count = k->c->operands_count - first;
    const struct arg *name = count ? k->c->operands[first] : NULL;
    const struct arg *port = count > 1 ? k->c->operands[first + 1] : NULL;
    if (listens && count == 1 && strspn(name->text, "0123456789") == name->len) {
        port = name;
        name = NULL;
    }
    if (!name && !listens)
        return;
    if (port)
        host.port = read_port(port->text, port->len);
    add_host(k, host, name ? spot_of(name) : (struct spot){"", 0});
}

/* "TCP:host:port", "TCP4-LISTEN:port,bind=host,fork", "OPENSSL:host:port". */
static void find_socat(struct seeker *k)
{
    static const char *const kinds[] = {"tcp", "udp", "ssl", "openssl", "sctp", "socks", "proxy"};
    for (size_t i = 0; i < k->c->operands_count; i++) {
        const char *text = k->c->operands[i]->text;
        size_t kind = strcspn(text, ":"), which = 0;
        while (which < COUNT(kinds) && strncasecmp(text, kinds[which], strlen(kinds[which])) != 0)
            which++;
        if (which == COUNT(kinds) || !text[kind])
            continue;
        char *lower = (char *)scheme_text(k, text, kind);
        struct host_fact host = {.scheme = which == 1 ? "udp" : "tcp"};
        host.listens =
            lower && (strstr(lower, "listen") || strstr(lower, "recv") || strstr(lower, "-l"));
        const char *from = text + kind + 1, *bind = strstr(from, "bind=");
        size_t len = strcspn(from, ",");
        struct spot name = take_authority((struct spot){from, len}, &host.port);
        if (host.listens) {
            host.port = read_port(from, len);
            name = bind ? (struct spot){bind + 5, strcspn(bind + 5, ",:")} : (struct spot){"", 0};
        }
        add_host(k, host, name);
    }
}

/* dig [@server] name [type] [+option], host name [server]. */
static void find_lookup(struct seeker *k)
{
    static const char *const types[] = {"a",  "aaaa", "any", "axfr", "caa", "cname", "mx",
                                        "ns", "ptr",  "soa", "srv",  "txt", "in"};
    struct host_fact host = {.scheme = "dns"};
    for (size_t i = 0; i < k->c->operands_count; i++) {
        const struct arg *a = k->c->operands[i];
        struct spot s = spot_of(a);
        size_t t = 0;
        while (t < COUNT(types) && strcasecmp(a->text, types[t]) != 0)
            t++;
        if (a->text[0] == '+' || t < COUNT(types))
            continue;
        if (a->text[0] == '@')
            s = (struct spot){a->text + 1, a->len - 1};
        if (s.len)
            add_host(k, host, s);
    }
}

/* The hosts of the recipients' addresses. */
static void find_mail(struct seeker *k)
{
    struct host_fact host = {.scheme = "smtp"};
    for (size_t i = 0; i < k->c->operands_count; i++) {
        const struct arg *a = k->c->operands[i];
        const char *at = strrchr(a->text, '@');
        if (at)
            add_host(k, host, (struct spot){at + 1, a->len - (size_t)(at + 1 - a->text)});
        else if (a->kind != ARG_LITERAL)
            add_host(k, host, spot_of(a));
    }
}

/* http [METHOD] URL [item …]; ":8000/x" is on this host. */
static void find_httpie(struct seeker *k)
{
    for (size_t i = 0; i < k->c->operands_count && i < 2; i++) {
        const struct arg *a = k->c->operands[i];
        if (strspn(a->text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == a->len && a->len && !i)
            continue; /* the method */
        bool here = a->text[0] == ':' && a->text[1] != ':';
        if (here)
            add_host(k, (struct host_fact){.scheme = "http"}, (struct spot){"localhost", 9});
        else
            add_url(k, spot_of(a), "http");
        break;
    }
}

static void find_special(struct seeker *k)
{
    static const struct {
        const char *name;
        void (*find)(struct seeker *k);
    } programs[] = {
        {"dig", find_lookup}, {"host", find_lookup},    {"http", find_httpie}, {"mail", find_mail},
        {"nc", find_netcat},  {"@sendmail", find_mail}, {"socat", find_socat},
    };
    for (size_t i = 0; i < COUNT(programs); i++)
        if (!strcmp(programs[i].name, k->c->reading->program->name))
            programs[i].find(k);
}

/* URLs in the code of other languages. */
static void find_in_code(struct seeker *k)
{
    static const char *const languages[] = {"python", "perl", "ruby", "node", "php", "lua"};
    for (const struct code_fact *f = k->c->code; f; f = f->next) {
        size_t i = 0;
        while (i < COUNT(languages) && strcmp(languages[i], f->language) != 0)
            i++;
        for (const char *at = f->text.text; i < COUNT(languages) && (at = strstr(at, "://"));) {
            size_t len = strcspn(at, "'\"`, \t\n)<>;|");
            const char *from = at;
            while (from > f->text.text && (from[-1] | 0x20) >= 'a' && (from[-1] | 0x20) <= 'z')
                from--;
            if (from < at && len > 3)
                add_url(k, (struct spot){from, len + (size_t)(at - from)}, NULL);
            at += len;
        }
    }
}

static unsigned port_of_options(const struct command_fact *c)
{
    unsigned port = 0;
    for (size_t i = 0; i < c->options_count; i++)
        if (c->reading->roles[i] == ROLE_PORT && c->options[i].value)
            port = read_port(c->options[i].value->text, c->options[i].value->len);
    return port;
}

void hosts_find(struct walk *w, struct command_fact *c)
{
    struct seeker k = {.w = w, .c = c};
    find_connections(&k);
    if (!c->argv.count || !c->reading || c->reading->effects[EFFECT_LOOKS])
        return;
    const struct program *row = c->reading->program;
    k.port = port_of_options(c);
    for (size_t i = 0; i < c->options_count; i++)
        if (c->options[i].value)
            add_by_role(&k, row ? c->reading->roles[i] : ROLE_ANY, c->options[i].value);
    if (row && row->operands[0] == '!')
        find_special(&k);
    for (size_t i = c->reading->commands; i < c->operands_count; i++)
        add_by_role(&k, operand_role(c, i), c->operands[i]);
    find_in_code(&k);
}
