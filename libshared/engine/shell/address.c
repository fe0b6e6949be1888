/* address.c - see address.h. */
#include "engine/shell/address.h"

#include "base/scope.h"

#include <arpa/inet.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Full-width letters, digits and dots, which programs that know IDNA make plain: U+FF10… U+FF5A,
 * U+FF0E, U+3002, U+FF61. Returns the bytes read, 0 when it is none of them. */
static size_t plain_of(const unsigned char *s, size_t left, char *plain)
{
    if (left < 3)
        return 0;
    if (s[0] == 0xe3 && s[1] == 0x80 && s[2] == 0x82) {
        *plain = '.';
        return 3;
    }
    if (s[0] != 0xef || (s[1] != 0xbc && s[1] != 0xbd))
        return 0;
    unsigned code = 0xf000u | (s[1] & 0x3fu) << 6 | (s[2] & 0x3fu);
    if (code == 0xff61)
        *plain = '.';
    else if (code >= 0xff01 && code <= 0xff5e)
        *plain = (char)(code - 0xff01 + '!');
    else
        return 0;
    return 3;
}

/* Decodes and lowers; false when it does not fit. */
static bool decode(char to[ADDRESS_MAX_BYTES], const char *host, size_t len)
{
    size_t n = 0;
    for (size_t i = 0; i < len; n++) {
        if (n + 1 >= ADDRESS_MAX_BYTES)
            return false;
        size_t wide = plain_of((const unsigned char *)host + i, len - i, &to[n]);
        bool percent = !wide && host[i] == '%' && len - i > 2 && hex_value(host[i + 1]) >= 0 &&
                       hex_value(host[i + 2]) >= 0;
        if (percent)
            to[n] = (char)(hex_value(host[i + 1]) * 16 + hex_value(host[i + 2]));
        else if (!wide)
            to[n] = host[i];
        i += wide ? wide : percent ? 3 : 1;
        if (to[n] >= 'A' && to[n] <= 'Z')
            to[n] = (char)(to[n] | 0x20);
    }
    to[n] = 0;
    return strlen(to) == n;
}

/* One number of an IPv4 address: decimal, 0 octal, 0x hexadecimal. */
static bool read_number(const char **at, uint64_t *value)
{
    const char *s = *at;
    unsigned base = 10;
    if (s[0] == '0' && (s[1] == 'x' || s[1] == 'X')) {
        base = 16;
        s += 2;
    } else if (s[0] == '0') {
        base = 8;
    }
    const char *from = s;
    for (*value = 0; hex_value(*s) >= 0 && (unsigned)hex_value(*s) < base; s++) {
        *value = *value * base + (unsigned)hex_value(*s);
        if (*value > UINT32_MAX)
            return false;
    }
    if (s == from && base != 16)
        return false;
    *at = s;
    return true;
}

/* inet_aton's reading of one to four numbers. */
static bool read_ipv4(const char *text, uint32_t *address)
{
    uint64_t parts[4];
    size_t count = 0;
    const char *at = text;
    do {
        if (count == COUNT(parts) || !read_number(&at, &parts[count]))
            return false;
        count++;
    } while (*at == '.' && *++at);
    if (*at)
        return false;
    uint64_t last_max = UINT32_MAX >> (8 * (count - 1));
    if (parts[count - 1] > last_max)
        return false;
    uint64_t value = parts[count - 1];
    for (size_t i = 0; i + 1 < count; i++) {
        if (parts[i] > 255)
            return false;
        value |= parts[i] << (24 - 8 * i);
    }
    *address = (uint32_t)value;
    return true;
}

static void write_ipv4(char to[ADDRESS_MAX_BYTES], uint32_t a)
{
    snprintf(to, ADDRESS_MAX_BYTES, "%u.%u.%u.%u", a >> 24, a >> 16 & 255, a >> 8 & 255, a & 255);
}

/* IPv4 in IPv6: mapped ::ffff:0:0/96, compatible ::/96 but :: and ::1, NAT64 64:ff9b::/96. */
static bool holds_ipv4(const struct in6_addr *a, uint32_t *address)
{
    static const unsigned char zeroes[12], mapped[12] = {[10] = 0xff, [11] = 0xff},
                                           nat64[12] = {0x00, 0x64, 0xff, 0x9b};
    const unsigned char *s = a->s6_addr;
    *address = (uint32_t)s[12] << 24 | (uint32_t)s[13] << 16 | (uint32_t)s[14] << 8 | s[15];
    bool compatible = !memcmp(s, zeroes, 12) && *address > 1;
    return compatible || !memcmp(s, mapped, 12) || !memcmp(s, nat64, 12);
}

static void normalize_ipv6(char to[ADDRESS_MAX_BYTES])
{
    struct in6_addr six;
    uint32_t four;
    char bare[ADDRESS_MAX_BYTES];
    size_t from = to[0] == '[', len = strcspn(to + from, "]%");
    memcpy(bare, to + from, len);
    bare[len] = 0;
    if (inet_pton(AF_INET6, bare, &six) != 1)
        return;
    if (holds_ipv4(&six, &four))
        write_ipv4(to, four);
    else
        inet_ntop(AF_INET6, &six, to, ADDRESS_MAX_BYTES);
}

bool address_normalize(char to[ADDRESS_MAX_BYTES], const char *host, size_t len)
{
    uint32_t four;
    if (len >= ADDRESS_MAX_BYTES || !decode(to, host, len))
        return false;
    size_t n = strlen(to);
    while (n > 1 && to[n - 1] == '.')
        to[--n] = 0;
    if (strchr(to, ':'))
        normalize_ipv6(to);
    else if (read_ipv4(to, &four))
        write_ipv4(to, four);
    return true;
}

bool address_is_local(const char *normal)
{
    static const char *const names[] = {
        "localhost", "localhost.localdomain", "ip6-localhost", "ip6-loopback", "::1", "::",
        "0.0.0.0"};
    static const char below[] = ".localhost";
    uint32_t four;
    size_t len = strlen(normal), n = sizeof below - 1;
    for (size_t i = 0; i < COUNT(names); i++)
        if (!strcmp(normal, names[i]))
            return true;
    if (len > n && !strcmp(normal + len - n, below))
        return true;
    return read_ipv4(normal, &four) && four >> 24 == 127;
}
