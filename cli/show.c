/* show.c - values of messages in tables; see show.h. */
#include "cli/show.h"

#include "base/text.h"

#include <stdio.h>
#include <string.h>

void show_list(char to[SHOW_LIST_BYTES], struct list texts)
{
    struct view text;
    size_t used = 0;
    to[0] = 0;
    while (used < SHOW_LIST_BYTES - 3 && list_next_text(&texts, &text)) {
        used += (size_t)snprintf(to + used, SHOW_LIST_BYTES - used, "%s", used ? ", " : "");
        text_copy_view(to + used, SHOW_LIST_BYTES - used, text);
        used += strlen(to + used);
    }
}

void show_mounts(char to[SHOW_LIST_BYTES], struct list mounts)
{
    struct mount m;
    size_t used = 0;
    to[0] = 0;
    while (used < SHOW_LIST_BYTES - 3 && list_next(&mounts, &message_mount, &m)) {
        char text[sizeof m.real_path + sizeof m.container_path + 64];
        snprintf(text, sizeof text, "%s%s -> %s %s", used ? ", " : "", m.real_path,
                 m.container_path, m.mode);
        text_copy(to + used, SHOW_LIST_BYTES - used, text);
        used += strlen(to + used);
    }
}

void show_millis(char to[UNITS_SHOWN_BYTES], int64_t millis)
{
    int len = snprintf(to, UNITS_SHOWN_BYTES, "%lld.%03lld", (long long)(millis / 1000),
                       (long long)(millis % 1000));
    while (to[len - 1] == '0' && to[len - 2] != '.')
        to[--len] = 0;
}

static enum colour one_of(const char *word, const char *good, const char *bad)
{
    size_t len = strlen(word);
    if (!strcmp(word, good))
        return GREEN;
    for (const char *at = bad; len && (at = strstr(at, word)); at += len)
        if ((at == bad || at[-1] == '|') && (!at[len] || at[len] == '|'))
            return RED;
    return len ? YELLOW : PLAIN;
}

enum colour show_sandbox_colour(const char *state)
{
    return one_of(state, "running", "unkillable");
}

enum colour show_service_colour(const char *state)
{
    return one_of(state, "normal", "restricted|sealed|down");
}

enum colour show_status_colour(const char *status)
{
    return one_of(status, "success", "failure|denied");
}
