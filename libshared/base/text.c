/* text.c - texts from strangers and for people; see text.h. */
#include "base/text.h"

#include <string.h>

size_t text_decode(const void *from, size_t len, uint32_t *point)
{
    const uint8_t *data = from;
    uint8_t first = data[0];
    if (first < 0x80) {
        *point = first;
        return 1;
    }
    size_t n = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    if (first < 0xc2 || first > 0xf4 || n > len)
        return 0;
    uint32_t value = first & (0x7fu >> n);
    for (size_t i = 1; i < n; i++) {
        if ((data[i] & 0xc0) != 0x80)
            return 0;
        value = value << 6 | (data[i] & 0x3fu);
    }
    static const uint32_t least[5] = {0, 0, 0x80, 0x800, 0x10000};
    if (value < least[n] || value > 0x10ffff || (value >= 0xd800 && value <= 0xdfff))
        return 0;
    *point = value;
    return n;
}

bool text_copy_view(char *to, size_t size, struct view from)
{
    const uint8_t *nul = from.len ? memchr(from.data, 0, from.len) : NULL;
    size_t len = nul ? (size_t)(nul - from.data) : from.len, n = len;
    if (n > size - 1) {
        n = size - 1;
        while (n && (from.data[n] & 0xc0) == 0x80)
            n--;
    }
    if (n)
        memcpy(to, from.data, n);
    to[n] = 0;
    return n == len;
}

bool text_copy(char *to, size_t size, const char *from)
{
    return text_copy_view(to, size, view_of(from));
}

bool text_is_utf8(const void *data, size_t len)
{
    const uint8_t *at = data;
    while (len) {
        uint32_t point;
        size_t n = text_decode(at, len, &point);
        if (!n)
            return false;
        at += n;
        len -= n;
    }
    return true;
}

/* Unicode: Cc, bidi controls, zero width, separators, tags. */
bool text_hides(uint32_t p)
{
    return p < 0x20 || (p >= 0x7f && p < 0xa0) || p == 0xad || p == 0x61c || p == 0x180e ||
           (p >= 0x200b && p <= 0x200f) || (p >= 0x2028 && p <= 0x202e) ||
           (p >= 0x2060 && p <= 0x206f) || p == 0xfeff || (p >= 0xfff9 && p <= 0xfffb) ||
           (p >= 0xe0000 && p <= 0xe0fff);
}

int text_show(struct bytes *to, const void *data, size_t len, struct err *err)
{
    const uint8_t *at = data;
    while (len) {
        uint32_t point = 0;
        size_t n = text_decode(at, len, &point);
        int failed;
        if (!n)
            failed = bytes_addf(to, err, "\\x%02x", at[0]);
        else if (point == '\n' || point == '\t')
            failed = bytes_addf(to, err, "\\%c", point == '\n' ? 'n' : 't');
        else if (point == '\\')
            failed = bytes_add(to, "\\\\", 2, err);
        else if (text_hides(point))
            failed = bytes_addf(to, err, point < 0x80 ? "\\x%02x" : "\\u{%x}", point);
        else
            failed = bytes_add(to, at, n, err);
        if (failed)
            return -1;
        n = n ? n : 1;
        at += n;
        len -= n;
    }
    return 0;
}

void text_hex(char *to, const void *data, size_t len)
{
    static const char digits[] = "0123456789abcdef";
    const uint8_t *from = data;
    for (size_t i = 0; i < len; i++) {
        to[2 * i] = digits[from[i] >> 4];
        to[2 * i + 1] = digits[from[i] & 15];
    }
    to[2 * len] = 0;
}

static int digit_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

bool text_unhex(void *to, size_t len, const char *hex)
{
    if (strlen(hex) != 2 * len)
        return false;
    for (size_t i = 0; i < 2 * len; i++)
        if (digit_value(hex[i]) < 0)
            return false;
    for (size_t i = 0; i < len; i++)
        ((uint8_t *)to)[i] = (uint8_t)(digit_value(hex[2 * i]) << 4 | digit_value(hex[2 * i + 1]));
    return true;
}

void text_base32(char to[27], const uint8_t data[16])
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz234567";
    uint32_t window = 0, bits = 0;
    size_t out = 0;
    for (size_t i = 0; i < 16; i++) {
        window = window << 8 | data[i];
        for (bits += 8; bits >= 5; bits -= 5)
            to[out++] = letters[window >> (bits - 5) & 31];
    }
    to[out++] = letters[window << (5 - bits) & 31];
    to[out] = 0;
}

bool text_matches(const char *pattern, const char *text)
{
    const char *star = NULL, *resume = NULL;
    while (*text) {
        if (*pattern == '*') {
            star = ++pattern;
            resume = text;
        } else if (*pattern == *text) {
            pattern++;
            text++;
        } else if (star) {
            pattern = star;
            text = ++resume;
        } else {
            return false;
        }
    }
    while (*pattern == '*')
        pattern++;
    return !*pattern;
}

bool text_is_name(const char *text, size_t max)
{
    size_t n = strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-");
    return n && n <= max && !text[n] && !strchr("._-", text[0]);
}
