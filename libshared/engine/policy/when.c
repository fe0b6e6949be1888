/* when.c - see when.h. */
#include "engine/policy/when.h"

#include "base/text.h"
#include "engine/policy/zone.h"

#include <string.h>

enum { DAY_MIN = 24 * 60, WEEK_DAYS = 7 };

static bool has(const struct rule_globs *globs, const char *text)
{
    for (size_t i = 0; text && i < globs->count; i++)
        if (text_matches(globs->items[i], text))
            return true;
    return !globs->count;
}

/* An entry is "key=value", or the key of a tag whatever its value. */
static bool has_tag(const struct rule_globs *globs, const struct policy_context *context)
{
    for (size_t i = 0; i < context->tags_count; i++) {
        char key[128];
        const char *tag = context->tags[i];
        struct view name = {(const uint8_t *)tag, strcspn(tag, "=")};
        if (has(globs, tag) || (text_copy_view(key, sizeof key, name) && has(globs, key)))
            return true;
    }
    return !globs->count;
}

static bool time_holds(const struct rule_when *when, int64_t now_s)
{
    if (!when->zone)
        return true;
    int64_t minute = (now_s + zone_offset_s(when->zone, now_s)) / 60;
    int64_t day = minute / DAY_MIN, of_day = minute % DAY_MIN;
    bool over_midnight = when->from_min > when->to_min;
    if (over_midnight && of_day < when->to_min)
        day--;                                                     /* it began on the day before */
    if (when->days && !(when->days & 1u << (day + 4) % WEEK_DAYS)) /* 1970 began on a Thursday */
        return false;
    if (when->from_min == when->to_min)
        return true;
    return over_midnight ? of_day >= when->from_min || of_day < when->to_min
                         : of_day >= when->from_min && of_day < when->to_min;
}

bool when_same_globs(const struct rule_globs *a, const struct rule_globs *b)
{
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++)
        if (strcmp(a->items[i], b->items[i]) != 0)
            return false;
    return true;
}

bool when_holds(const struct rule_when *when, const struct policy_context *context)
{
    if (!has(&when->tenants, context->tenant) || !has(&when->agents, context->agent) ||
        !has_tag(&when->tags, context))
        return false;
    if (when->networks && context->network != NETWORK_UNKNOWN &&
        !(when->networks & 1u << context->network))
        return false;
    if (when->asks_interactive && when->interactive != context->interactive)
        return false;
    return time_holds(when, context->now_s);
}

bool override_holds(const struct rule_override *override, const struct policy_context *context)
{
    if (override->expires_s && context->now_s >= override->expires_s)
        return false;
    return when_holds(&override->when, context) && when_holds(&override->scope, context);
}
