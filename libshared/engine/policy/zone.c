/* zone.c - see zone.h. */
#include "engine/policy/zone.h"

#include "base/file.h"
#include "base/scope.h"

#include <ctype.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FILE_BYTES = 256 * 1024, DAY_S = 86400, HEADER_BYTES = 44, TYPE_BYTES = 6 };

/* Bytes not read yet. */
struct cursor {
    const uint8_t *data;
    size_t left;
};

static const uint8_t *take(struct cursor *c, size_t len)
{
    if (len > c->left)
        return NULL;
    const uint8_t *at = c->data;
    c->data += len;
    c->left -= len;
    return at;
}

static int64_t big_endian(const uint8_t *bytes, int len)
{
    uint64_t value = bytes[0] & 0x80 ? UINT64_MAX : 0;
    for (int i = 0; i < len; i++)
        value = value << 8 | bytes[i];
    return (int64_t)value;
}

struct header {
    char version;
    size_t utc_flags, standard_flags, leaps, changes, types, letters;
};

static bool read_header(struct cursor *c, struct header *out)
{
    const uint8_t *h = take(c, HEADER_BYTES);
    if (!h || memcmp(h, "TZif", 4) != 0)
        return false;
    size_t counts[6];
    for (int i = 0; i < 6; i++) {
        int64_t count = big_endian(h + 20 + 4 * i, 4);
        if (count < 0 || count > FILE_BYTES)
            return false;
        counts[i] = (size_t)count;
    }
    *out = (struct header){(char)h[4], counts[0], counts[1], counts[2],
                           counts[3],  counts[4], counts[5]};
    return true;
}

/* Passes over a body whose times have so many bytes. */
static bool skip_body(struct cursor *c, const struct header *h, size_t time)
{
    return take(c, h->changes * (time + 1) + h->types * TYPE_BYTES + h->letters +
                       h->leaps * (time + 4) + h->standard_flags + h->utc_flags);
}

static bool read_changes(struct arena *arena, struct cursor *c, const struct header *h,
                         struct zone *out)
{
    const uint8_t *times = take(c, h->changes * 8), *kinds = take(c, h->changes);
    const uint8_t *types = take(c, h->types * TYPE_BYTES);
    if (!times || !kinds || !types || !h->types || h->changes > ZONE_MAX_CHANGES)
        return false;
    int64_t *at = arena_new(arena, h->changes + 1, sizeof *at);
    int32_t *offset = arena_new(arena, h->changes + 1, sizeof *offset);
    for (size_t i = 0; at && offset && i < h->changes; i++) {
        if (kinds[i] >= h->types)
            return false;
        at[i] = big_endian(times + 8 * i, 8);
        offset[i] = (int32_t)big_endian(types + TYPE_BYTES * kinds[i], 4);
    }
    out->at = at;
    out->offset_s = offset;
    out->count = h->changes;
    out->first_s = (int32_t)big_endian(types, 4);
    return at && offset && take(c, h->letters + h->leaps * 12 + h->standard_flags + h->utc_flags);
}

/* "hh[:mm[:ss]]", with a sign; moves *at behind it. */
static bool read_time(const char **at, int64_t *out)
{
    int64_t sign = **at == '-' ? -1 : 1, seconds = 0, unit = 3600;
    *at += **at == '-' || **at == '+';
    if (!isdigit((unsigned char)**at))
        return false;
    for (;; unit /= 60) {
        char *end;
        seconds += unit * strtol(*at, &end, 10);
        *at = end;
        if (*end != ':' || unit == 1 || !isdigit((unsigned char)end[1]))
            break;
        *at = end + 1;
    }
    *out = sign * seconds;
    return true;
}

static bool skip_name(const char **at)
{
    const char *from = *at;
    if (**at == '<') {
        *at += strcspn(*at, ">");
        *at += **at == '>';
    } else {
        while (isalpha((unsigned char)**at))
            ++*at;
    }
    return *at > from;
}

/* "Mm.w.d[/time]" */
static bool read_day(const char **at, struct zone_day *out)
{
    int used = 0;
    if (sscanf(*at, "M%2d.%1d.%1d%n", &out->month, &out->week, &out->weekday, &used) != 3 ||
        out->month < 1 || out->month > 12 || out->week < 1 || out->week > 5 || out->weekday > 6)
        return false;
    *at += used;
    out->second = 7200;
    if (**at != '/')
        return true;
    ++*at;
    return read_time(at, &out->second);
}

/* The rule for all times behind the last change: "CET-1CEST,M3.5.0,M10.5.0/3". */
static bool read_rule(const char *rule, struct zone *out)
{
    int64_t west;
    if (!*rule)
        return true;
    if (!skip_name(&rule) || !read_time(&rule, &west))
        return false;
    out->has_rule = true;
    out->standard_s = (int32_t)-west;
    if (!*rule)
        return true;
    out->has_summer = true;
    out->summer_s = out->standard_s + 3600;
    if (!skip_name(&rule))
        return false;
    if (*rule != ',') {
        if (!read_time(&rule, &west))
            return false;
        out->summer_s = (int32_t)-west;
    }
    return *rule++ == ',' && read_day(&rule, &out->begins) && *rule++ == ',' &&
           read_day(&rule, &out->ends) && !*rule;
}

static bool read_file(struct arena *arena, struct view file, struct zone *out)
{
    struct cursor c = {file.data, file.len};
    struct header h;
    if (!read_header(&c, &h) || h.version < '2' || !skip_body(&c, &h, 4) || !read_header(&c, &h) ||
        !read_changes(arena, &c, &h, out))
        return false;
    const char *rule = (const char *)take(&c, 1);
    char text[128] = "";
    if (!rule || *rule != '\n' || c.left > sizeof text || !c.left || c.data[c.left - 1] != '\n')
        return false;
    memcpy(text, c.data, c.left - 1);
    return read_rule(text, out);
}

static bool is_fixed(const char *name, struct zone *out)
{
    int64_t east;
    bool utc = !strcmp(name, "UTC");
    if (!utc && ((*name != '+' && *name != '-') || !read_time(&name, &east) || *name))
        return false;
    *out = (struct zone){.has_rule = true, .standard_s = utc ? 0 : (int32_t)east};
    return true;
}

int zone_read(struct arena *arena, const char *name, struct zone *out, struct err *err)
{
    char path[128];
    SCOPED(bytes_close) struct bytes file = bytes_open(FILE_BYTES);
    if (is_fixed(name, out))
        return 0;
    bool plain = !strstr(name, "..") && name[0] != '/' && strlen(name) < 64;
    snprintf(path, sizeof path, "/usr/share/zoneinfo/%.64s", name);
    SCOPED(fd_close) int fd = plain ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (fd < 0)
        return err_set(err, ERR_CONFIG, "there is no time zone \"%.60s\"", name);
    size_t got;
    uint8_t *to = bytes_reserve(&file, FILE_BYTES, err);
    if (!to || file_read_at(fd, to, FILE_BYTES, 0, &got, err))
        return -1;
    bytes_grew(&file, got);
    struct zone zone = {0};
    if (!read_file(arena, bytes_view(&file), &zone))
        return err_set(err, ERR_CONFIG, "%s is not understood", path);
    *out = zone;
    return 0;
}

/* http://howardhinnant.github.io/date_algorithms.html */
int64_t zone_days_of(int64_t year, int month, int day)
{
    year -= month <= 2;
    int64_t era = (year >= 0 ? year : year - 399) / 400, of_era = year - era * 400;
    int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static int64_t year_of(int64_t time_s)
{
    int64_t year = 1970 + time_s / (DAY_S * (int64_t)366);
    while (zone_days_of(year + 1, 1, 1) * DAY_S <= time_s)
        year++;
    while (zone_days_of(year, 1, 1) * DAY_S > time_s)
        year--;
    return year;
}

/* Local seconds since 1970 of the rule's moment in a year. */
static int64_t moment_of(const struct zone_day *day, int64_t year)
{
    int64_t first = zone_days_of(year, day->month, 1);
    int64_t after = zone_days_of(year + (day->month == 12), day->month % 12 + 1, 1);
    int64_t weekday = ((first + 4) % 7 + 7) % 7; /* 1970 began on a Thursday */
    int64_t at = first + (day->weekday - weekday + 7) % 7 + 7 * (day->week - 1);
    while (at >= after)
        at -= 7;
    return at * DAY_S + day->second;
}

static bool is_summer(const struct zone *zone, int64_t time_s)
{
    int64_t year = year_of(time_s + zone->standard_s);
    int64_t begins = moment_of(&zone->begins, year) - zone->standard_s;
    int64_t ends = moment_of(&zone->ends, year) - zone->summer_s;
    return begins < ends ? time_s >= begins && time_s < ends : time_s >= begins || time_s < ends;
}

int32_t zone_offset_s(const struct zone *zone, int64_t time_s)
{
    size_t low = 0, high = zone->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (zone->at[middle] <= time_s)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == zone->count && zone->has_rule)
        return zone->has_summer && is_summer(zone, time_s) ? zone->summer_s : zone->standard_s;
    return low ? zone->offset_s[low - 1] : zone->first_s;
}
