/* decode.c - see decode.h. What is no text (a NUL, a byte that stands for a hole) is a failure. */
#include "engine/shell/decode.h"

#include <ctype.h>
#include <stdint.h>
#include <string.h>

void made_add(struct made *m, const char *text, size_t len)
{
    if (m->failed || len > MADE_MAX_BYTES - m->len) {
        m->failed = true;
        return;
    }
    if (m->len + len + 1 > m->room) {
        size_t room = (m->len + len + 32) * 2;
        char *larger = arena_new(m->arena, room, 1);
        if (!larger) {
            m->failed = true;
            return;
        }
        if (m->len)
            memcpy(larger, m->text, m->len);
        m->text = larger;
        m->room = room;
    }
    memcpy(m->text + m->len, text, len);
    m->len += len;
    m->text[m->len] = 0;
    m->arena->steps += len;
}

void made_put(struct made *m, int c)
{
    char byte = (char)c;
    if (c >= 0 && c < 2)
        m->failed = true;
    made_add(m, &byte, 1);
}

static void put_point(struct made *m, uint32_t point)
{
    if (point < 0x80) {
        made_put(m, (int)point);
    } else if (point < 0x800) {
        made_put(m, (int)(0xc0 | point >> 6));
        made_put(m, (int)(0x80 | (point & 0x3f)));
    } else if (point < 0x10000) {
        made_put(m, (int)(0xe0 | point >> 12));
        made_put(m, (int)(0x80 | (point >> 6 & 0x3f)));
        made_put(m, (int)(0x80 | (point & 0x3f)));
    } else {
        m->failed = true;
    }
}

static int digit_of(int c)
{
    if (isdigit(c))
        return c - '0';
    return isxdigit(c) ? tolower(c) - 'a' + 10 : 99;
}

/* Up to `most` digits; false without one. */
static bool read_number(const char **at, int base, int most, uint32_t *value)
{
    int n = 0;
    for (*value = 0; n < most && digit_of((unsigned char)**at) < base; n++, ++*at)
        *value = *value * (uint32_t)base + (uint32_t)digit_of((unsigned char)**at);
    return n > 0;
}

bool decode_escape(struct made *to, const char **at, bool zero)
{
    static const char letters[] = "abeEfnrtv\\", values[] = "\a\b\033\033\f\n\r\t\v\\";
    char c = **at;
    const char *letter = c ? strchr(letters, c) : NULL;
    uint32_t value;
    if (!c) {
        made_put(to, '\\');
        return true;
    }
    ++*at;
    if (letter) {
        made_put(to, values[letter - letters]);
    } else if (c == 'c') {
        return false;
    } else if (c >= '0' && c <= '7' && (!zero || c == '0')) {
        *at -= !zero;
        if (read_number(at, 8, 3, &value))
            made_put(to, (int)(value & 0xff));
        else
            to->failed = true;
    } else if (c == 'x' && read_number(at, 16, 2, &value)) {
        made_put(to, (int)value);
    } else if ((c == 'u' && read_number(at, 16, 4, &value)) ||
               (c == 'U' && read_number(at, 16, 8, &value))) {
        put_point(to, value);
    } else {
        made_put(to, '\\');
        made_put(to, (unsigned char)c);
    }
    return true;
}

/* Digits of so many bits each; what is no digit is skipped where it is a blank. */
static void decode_bits(struct made *to, const char *text, size_t len, const char *digits,
                        unsigned bits)
{
    uint32_t held = 0;
    unsigned count = 0;
    for (size_t i = 0; i < len && text[i] != '='; i++) {
        const char *digit = text[i] ? strchr(digits, text[i]) : NULL;
        if (!digit && isspace((unsigned char)text[i]))
            continue;
        if (!digit) {
            to->failed = true;
            return;
        }
        held = held << bits | (uint32_t)(digit - digits);
        count += bits;
        if (count < 8)
            continue;
        count -= 8;
        made_put(to, (int)(held >> count & 0xff));
        held &= (1u << count) - 1;
    }
    to->arena->steps += len;
}

void decode_base64(struct made *to, const char *text, size_t len)
{
    decode_bits(to, text, len, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
                6);
}

void decode_base32(struct made *to, const char *text, size_t len)
{
    decode_bits(to, text, len, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 5);
}

/* xxd takes two digits together and skips what is between. */
void decode_hex(struct made *to, const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (isspace((unsigned char)text[i]))
            continue;
        int high = digit_of((unsigned char)text[i]);
        int low = i + 1 < len ? digit_of((unsigned char)text[i + 1]) : 99;
        if (high > 15 || low > 15) {
            to->failed = true;
            return;
        }
        made_put(to, high << 4 | low);
        i++;
    }
}

void decode_dump(struct made *to, const char *text, size_t len)
{
    for (size_t i = 0; i < len;) {
        size_t end = i;
        while (end < len && text[end] != '\n')
            end++;
        const char *colon = memchr(text + i, ':', end - i);
        if (!colon && end > i)
            to->failed = true;
        if (colon) {
            const char *from = colon + 1 + (colon[1] == ' ');
            const char *gap = memmem(from, (size_t)(text + end - from), "  ", 2);
            decode_hex(to, from, (size_t)((gap ? gap : text + end) - from));
        }
        i = end + 1;
    }
}

void decode_reversed(struct made *to, const char *text, size_t len)
{
    for (size_t i = 0; i < len;) {
        size_t end = i;
        for (; end < len && text[end] != '\n'; end++)
            to->failed |= (text[end] & 0x80) != 0;
        for (size_t at = end; at > i; at--)
            made_put(to, (unsigned char)text[at - 1]);
        if (end < len)
            made_put(to, '\n');
        i = end + 1;
    }
}

void decode_lines(struct made *to, const char *text, size_t len)
{
    to->failed |= len && text[len - 1] != '\n';
    for (size_t end = len; end;) {
        size_t from = end - 1;
        while (from && text[from - 1] != '\n')
            from--;
        made_add(to, text + from, end - from);
        end = from;
    }
}

/* One of the sets of tr, written out: ranges, escapes, [:lower:] and its kin. */
static void write_out(struct made *to, const char *set)
{
    static const struct {
        const char *name, *from;
    } classes[] = {{"[:lower:]", "a-z"},       {"[:upper:]", "A-Z"},
                   {"[:digit:]", "0-9"},       {"[:alpha:]", "A-Za-z"},
                   {"[:alnum:]", "0-9A-Za-z"}, {"[:space:]", "\\t\\n\\v\\f\\r "},
                   {"[:blank:]", "\\t "}};
    while (*set && !to->failed) {
        if (*set == '[' && (set[1] == ':' || set[1] == '=')) {
            size_t i = 0;
            while (i < 7 && strncmp(set, classes[i].name, strlen(classes[i].name)) != 0)
                i++;
            to->failed |= i == 7;
            if (i < 7) {
                write_out(to, classes[i].from);
                set += strlen(classes[i].name);
            }
            continue;
        }
        to->failed |= (*set & 0x80) || (*set == '[' && strchr(set, '*'));
        if (*set == '\\') {
            set++;
            to->failed |= !decode_escape(to, &set, false);
        } else {
            made_put(to, (unsigned char)*set++);
        }
        if (*set == '-' && set[1] && set[1] != '\\' && to->len) {
            unsigned char low = (unsigned char)to->text[to->len - 1], high = (unsigned char)set[1];
            to->failed |= high < low;
            for (int c = low + 1; c <= high && !to->failed; c++)
                made_put(to, c);
            set += 2;
        }
    }
}

void decode_translated(struct made *to, const char *text, size_t len, const char *from,
                       const char *with)
{
    struct made left = {.arena = to->arena}, right = {.arena = to->arena};
    int map[256];
    write_out(&left, from);
    write_out(&right, with ? with : "");
    to->failed |= left.failed || right.failed || !left.len || (with && !right.len);
    for (int c = 0; c < 256; c++)
        map[c] = c;
    for (size_t i = 0; i < left.len && !to->failed; i++) {
        size_t at = with ? (i < right.len ? i : right.len - 1) : 0;
        map[(unsigned char)left.text[i]] = with ? (unsigned char)right.text[at] : -1;
    }
    for (size_t i = 0; i < len && !to->failed; i++)
        if (map[(unsigned char)text[i]] >= 0)
            made_put(to, map[(unsigned char)text[i]]);
}
