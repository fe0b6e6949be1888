/* units.c - values with units; see units.h. */
#include "cli/units.h"

#include "base/clock.h"
#include "base/text.h"
#include "cli/options.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>

/* Reads "12", "1.5" or ".5" times `scale`, digits below 1/scale cut off, and moves *text behind it.
 * False when there is no number or it does not fit. */
static bool decimal(const char **text, int64_t scale, int64_t *out)
{
    const char *at = *text;
    int64_t whole = 0, part = 0, parts = 1; /* behind the point: part / parts */
    bool digits = false;
    for (; *at >= '0' && *at <= '9'; at++, digits = true)
        if (__builtin_mul_overflow(whole, 10, &whole) ||
            __builtin_add_overflow(whole, *at - '0', &whole))
            return false;
    if (*at == '.')
        for (at++; *at >= '0' && *at <= '9'; at++, digits = true) {
            if (parts >= S_NS)
                continue; /* nanoseconds are the finest unit */
            part = part * 10 + (*at - '0');
            parts *= 10;
        }
    if (!digits || __builtin_mul_overflow(whole, scale, &whole) ||
        __builtin_add_overflow(whole, part * scale / parts, &whole))
        return false;
    *text = at;
    *out = whole;
    return true;
}

struct unit {
    const char *name;
    int64_t factor;
};

/* Reads a number with one of the units (the first one is meant when none is written); at least
 * `unit`'s smallest value 1. */
static bool with_unit(const char *text, const struct unit *units, int64_t *out)
{
    const char *name = text + strspn(text, "0123456789.");
    for (const struct unit *u = units; u->name; u++) {
        if (*name ? strcasecmp(name, u->name) : u != units)
            continue;
        return decimal(&text, u->factor, out) && text == name && *out >= 1;
    }
    return false;
}

static bool read_duration(const char *text, int64_t *ms)
{
    static const struct unit units[] = {{"s", 1000},    {"ms", 1},      {"m", 60000},
                                        {"min", 60000}, {"h", 3600000}, {"d", 86400000},
                                        {NULL, 0}};
    return with_unit(text, units, ms);
}

int units_duration_ms(const char *text, void *to, struct err *err)
{
    if (!read_duration(text, to))
        return err_set(err, ERR_INVALID, "\"%.40s\" is no duration such as 500ms, 5s, 2m, 1h",
                       text);
    return 0;
}

int units_memory_mb(const char *text, void *to, struct err *err)
{
    static const struct unit units[] = {
        {"m", 1},      {"mb", 1},      {"mib", 1},      {"g", 1024},      {"gb", 1024},
        {"gib", 1024}, {"t", 1048576}, {"tb", 1048576}, {"tib", 1048576}, {NULL, 0}};
    if (!with_unit(text, units, to))
        return err_set(err, ERR_INVALID, "\"%.40s\" is no size such as 64m, 1g or 512 (MiB)", text);
    return 0;
}

int units_cpu_millis(const char *text, void *to, struct err *err)
{
    static const struct unit units[] = {{"", 1000}, {NULL, 0}};
    if (!with_unit(text, units, to))
        return err_set(err, ERR_INVALID, "\"%.40s\" is no number of cores such as 0.5 or 2", text);
    return 0;
}

int units_count(const char *text, void *to, struct err *err)
{
    int64_t count = 0;
    const char *at = text;
    if (strspn(text, "0123456789") != strlen(text) || !decimal(&at, 1, &count) || count < 1)
        return err_set(err, ERR_INVALID, "\"%.40s\" is no number of 1 or more", text);
    *(int64_t *)to = count;
    return 0;
}

/* Reads "Z", "+02:00" or "-0130" as seconds east of UTC. */
static bool read_zone(const char *text, long *seconds)
{
    if (!strcmp(text, "Z") || !strcmp(text, "z")) {
        *seconds = 0;
        return true;
    }
    unsigned hours, minutes;
    int end = 0;
    char sign;
    if (sscanf(text, "%c%2u:%2u%n", &sign, &hours, &minutes, &end) != 3 || text[end])
        return false;
    if ((sign != '+' && sign != '-') || hours > 23 || minutes > 59)
        return false;
    *seconds = (long)(hours * 3600 + minutes * 60) * (sign == '-' ? -1 : 1);
    return true;
}

/* A date that exists: timegm(3) would silently make March of February's 30th. */
static bool is_real(const struct tm *tm, time_t seconds)
{
    struct tm again;
    return gmtime_r(&seconds, &again) && again.tm_mday == tm->tm_mday &&
           again.tm_mon == tm->tm_mon && again.tm_hour == tm->tm_hour &&
           again.tm_min == tm->tm_min && again.tm_sec == tm->tm_sec;
}

/* RFC 3339: a date, or a date and a time with zone. */
static bool read_rfc3339(const char *text, int64_t *ns)
{
    struct tm tm = {0};
    int64_t fraction = 0;
    long zone = 0;
    const char *rest = strptime(text, "%Y-%m-%d", &tm);
    if (rest && *rest) {
        if (*rest != 'T' && *rest != 't' && *rest != ' ')
            return false;
        rest = strptime(rest + 1, "%H:%M:%S", &tm);
        if (rest && *rest == '.' && !decimal(&rest, S_NS, &fraction))
            return false;
        if (!rest || !read_zone(rest, &zone))
            return false;
    }
    if (!rest)
        return false;
    struct tm wanted = tm;
    time_t seconds = timegm(&tm);
    if (!is_real(&wanted, seconds) || seconds < zone ||
        __builtin_mul_overflow((int64_t)seconds - zone, (int64_t)S_NS, ns))
        return false;
    return !__builtin_add_overflow(*ns, fraction, ns);
}

int units_time_ns(const char *text, void *to, struct err *err)
{
    int64_t ago_ms, ago_ns, ns;
    if (read_duration(text, &ago_ms)) {
        int64_t now = clock_wall_ns();
        bool fits = !__builtin_mul_overflow(ago_ms, (int64_t)MS_NS, &ago_ns) && ago_ns <= now;
        *(int64_t *)to = fits ? now - ago_ns : 0; /* longer ago than 1970 is all there is */
        return 0;
    }
    if (!read_rfc3339(text, &ns))
        return err_set(err, ERR_INVALID,
                       "\"%.40s\" is no time such as 1h (ago), 2026-01-31 or 2026-01-31T12:00:00Z",
                       text);
    *(int64_t *)to = ns;
    return 0;
}

int units_tag(const char *text, void *to, struct err *err)
{
    char key[128];
    const char *equals = strchr(text, '=');
    if (!equals || (size_t)(equals - text) >= sizeof key)
        return err_set(err, ERR_INVALID, "\"%.40s\" is not key=value", text);
    text_copy_view(key, sizeof key, (struct view){(const uint8_t *)text, (size_t)(equals - text)});
    if (!text_is_name(key, 64))
        return err_set(err, ERR_INVALID, "the key of \"%.40s\" is not letters, digits, . _ -",
                       text);
    return option_list(text, to, err);
}

int units_env(const char *text, void *to, struct err *err)
{
    if (!strchr(text, '=') || text[0] == '=')
        return err_set(err, ERR_INVALID, "\"%.40s\" is not NAME=VALUE", text);
    return option_list(text, to, err);
}

int units_commas(const char *text, void *to, struct err *err)
{
    char *at = (char *)(uintptr_t)text; /* a word of argv, which belongs to the program */
    for (char *part = strsep(&at, ","); part; part = strsep(&at, ","))
        if (!*part)
            return err_set(err, ERR_INVALID, "an empty name between commas");
        else if (option_list(part, to, err))
            return -1;
    return 0;
}

void units_show_ms(char to[UNITS_SHOWN_BYTES], int64_t ms)
{
    long long s = ms / 1000;
    if (ms < 1000)
        snprintf(to, UNITS_SHOWN_BYTES, "%lldms", (long long)ms);
    else if (s < 10)
        snprintf(to, UNITS_SHOWN_BYTES, "%lld.%llds", s, (long long)(ms % 1000 / 100));
    else if (s < 60)
        snprintf(to, UNITS_SHOWN_BYTES, "%llds", s);
    else if (s < 3600)
        snprintf(to, UNITS_SHOWN_BYTES, "%lldm %llds", s / 60, s % 60);
    else if (s < 86400)
        snprintf(to, UNITS_SHOWN_BYTES, "%lldh %lldm", s / 3600, s % 3600 / 60);
    else
        snprintf(to, UNITS_SHOWN_BYTES, "%lldd %lldh", s / 86400, s % 86400 / 3600);
}

void units_show_bytes(char to[UNITS_SHOWN_BYTES], int64_t bytes)
{
    static const char *const names[] = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    if (bytes < 1024) {
        snprintf(to, UNITS_SHOWN_BYTES, "%lld B", (long long)bytes);
        return;
    }
    size_t power = 0;
    int64_t whole = bytes, rest = 0;
    for (; whole >= 1024; power++) {
        rest = whole % 1024;
        whole /= 1024;
    }
    snprintf(to, UNITS_SHOWN_BYTES, "%lld.%lld %s", (long long)whole, (long long)(rest * 10 / 1024),
             names[power - 1]);
}
