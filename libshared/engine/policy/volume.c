/* volume.c - the decision on volumes; see volume.h. Forms and paths are in volume_path.c. */
#include "engine/policy/volume.h"

#include "base/scope.h"
#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { SHOWN_BYTES = 100 };

/* A path for a reason or hint: escaped, and cut in front, because its end tells more. */
static void show(char to[SHOWN_BYTES], const char *path)
{
    struct err err;
    SCOPED(bytes_close) struct bytes shown = bytes_open(8192);
    if (text_show(&shown, path, strlen(path), &err)) {
        text_copy(to, SHOWN_BYTES, "a path");
        return;
    }
    const char *text = (const char *)shown.data;
    size_t cut = shown.len < SHOWN_BYTES ? 0 : shown.len - (SHOWN_BYTES - 4);
    while (cut && (text[cut] & 0xc0) == 0x80)
        cut++;
    snprintf(to, SHOWN_BYTES, "%s%s", cut ? "\xe2\x80\xa6" : "", text + cut);
}

static bool refuse(struct judgement *out, enum policy_risk risk, const char *rule,
                   const char *format, ...) __attribute__((format(printf, 4, 5)));

/* Always false, so that a refusal is one line. */
static bool refuse(struct judgement *out, enum policy_risk risk, const char *rule,
                   const char *format, ...)
{
    char reason[512];
    va_list list;
    va_start(list, format);
    vsnprintf(reason, sizeof reason, format, list);
    va_end(list);
    *out = (struct judgement){.decision = DECISION_DENY, .risk = risk, .rules_count = 1};
    out->rules[0] = rule;
    text_copy(out->reason, sizeof out->reason, reason);
    return false;
}

static void hint(struct judgement *out, const char *text)
{
    text_copy(out->hint, sizeof out->hint, text);
}

/* What an operator would type. */
static void hint_acl(struct judgement *out, const struct mount *m)
{
    char words[sizeof m->real_path + sizeof m->container_path + 128];
    snprintf(words, sizeof words, "Ask an operator: corral add-acl %s %s --mode %s", m->real_path,
             m->container_path, m->mode);
    struct err err;
    SCOPED(bytes_close) struct bytes shown = bytes_open(8 * sizeof words);
    if (!text_show(&shown, words, strlen(words), &err))
        hint(out, (const char *)shown.data);
}

static bool is_for(const struct volume_acl *acl, const char *tenant, const char *agent)
{
    return !strcmp(acl->tenant, tenant) && (!acl->agent[0] || text_matches(acl->agent, agent));
}

static bool is_overridden(const struct mount *m, const char *tenant, const char *agent,
                          const struct volume_acls *acls)
{
    for (size_t i = 0; i < acls->count; i++)
        if (acls->rows[i]->sensitive && is_for(acls->rows[i], tenant, agent) &&
            !strcmp(acls->rows[i]->host_path, m->real_path))
            return true;
    return false;
}

/* Why it is sensitive beside its path, as the manager saw; NULL. */
static const char *sensitive_fact(const struct mount *m)
{
    if (m->same_as[0])
        return "is a part of the system under another name";
    if (m->is_own)
        return "is, holds or lies in what is Corral's own";
    if (m->holds.count)
        return "holds keys or an engine's socket";
    return strcmp(m->type, "socket") ? NULL : "is a socket, behind which something listens";
}

static bool refuse_sensitive(const char *shown, const char *why, struct judgement *out)
{
    refuse(out, RISK_CRITICAL, VOLUME_SENSITIVE, "%s %s: no volume, whatever an ACL says.", shown,
           why);
    hint(out, "Mount a directory of its own with nothing in it but what the sandbox needs.");
    return false;
}

/* What the manager saw there is told only to those whom an ACL lets see it. */
static bool is_mountable(const struct mount *m, const char *shown, struct judgement *out)
{
    if (!strcmp(m->type, "absent"))
        return refuse(out, RISK_LOW, VOLUME_TYPE, "%s is not there, or cannot be reached.", shown);
    if (!strcmp(m->type, "other"))
        return refuse(out, RISK_HIGH, VOLUME_TYPE,
                      "%s is neither a directory nor a regular file: no volume.", shown);
    if (m->below[0]) {
        char below[SHOWN_BYTES];
        show(below, m->below);
        refuse(out, RISK_MEDIUM, VOLUME_SUBMOUNT,
               "Below %s another file system is mounted, at %s: a volume is of one.", shown, below);
        hint(out, "Mount the directories that the sandbox needs one by one.");
        return false;
    }
    return true;
}

/* The path relative to the ACL's root. */
static const char *relative(const struct volume_acl *acl, const char *path)
{
    size_t n = strlen(acl->host_path);
    return path[n] == '/' ? path + n + 1 : path + n;
}

static bool matches_one(struct list patterns, const char *path, bool or_holds)
{
    char pattern[257];
    for (struct view v; list_next_text(&patterns, &v);)
        if (text_copy_view(pattern, sizeof pattern, v) &&
            volume_pattern_matches(pattern, path, or_holds))
            return true;
    return false;
}

/* How far an ACL goes for a mount; the farthest of all is what is reported. */
enum reach { REACH_NOTHING, REACH_PLACE, REACH_PATTERN, REACH_MODE, REACH_ALL };

static enum reach reach_of(const struct volume_acl *acl, const struct mount *m)
{
    if (!volume_path_is_within(m->container_path, acl->container_path))
        return REACH_PLACE;
    if (acl->allowed.count && !matches_one(acl->allowed, relative(acl, m->real_path), false))
        return REACH_PATTERN;
    return !strcmp(m->mode, "rw") && strcmp(acl->mode, "rw") ? REACH_MODE : REACH_ALL;
}

static bool refuse_reach(const struct mount *m, const char *shown, enum reach reach,
                         const struct volume_acl *acl, struct judgement *out)
{
    char place[SHOWN_BYTES], asked[SHOWN_BYTES] = "";
    if (strcmp(m->host_path, m->real_path) != 0) {
        char from[SHOWN_BYTES];
        show(from, m->host_path);
        snprintf(asked, sizeof asked, " (asked for as %.80s)", from);
    }
    if (reach == REACH_PLACE) {
        show(place, acl->container_path);
        refuse(out, RISK_MEDIUM, VOLUME_NOT_ALLOWED, "%s may be mounted at %s or below only.",
               shown, place);
    } else if (reach == REACH_PATTERN) {
        refuse(out, RISK_MEDIUM, VOLUME_PATTERN, "%s%s matches no pattern that its ACL allows.",
               shown, asked);
        hint(out, "Mount one of the paths that the ACL allows: corral list-acls.");
        return false;
    } else if (reach == REACH_MODE) {
        refuse(out, RISK_MEDIUM, VOLUME_MODE, "%s may be read, not written.", shown);
        hint(out, "Mount it with ro, or ask an operator for an ACL with --mode rw.");
        return false;
    } else {
        refuse(out, RISK_MEDIUM, VOLUME_NOT_ALLOWED, "No volume ACL allows %s%s.", shown, asked);
    }
    hint_acl(out, m);
    return false;
}

static bool is_allowed(const struct mount *m, const char *shown, const char *tenant,
                       const char *agent, const struct volume_acls *acls, struct judgement *out)
{
    enum reach best = REACH_NOTHING;
    const struct volume_acl *nearest = NULL;
    bool is_directory = !strcmp(m->type, "directory");
    for (size_t i = 0; i < acls->count; i++) {
        const struct volume_acl *acl = acls->rows[i];
        /* An override is for that one path: it opens nothing below it. */
        bool covers = acl->sensitive ? !strcmp(m->real_path, acl->host_path)
                                     : volume_path_is_within(m->real_path, acl->host_path);
        if (!is_for(acl, tenant, agent) || !covers)
            continue;
        if (matches_one(acl->blocked, relative(acl, m->real_path), is_directory)) {
            refuse(out, RISK_HIGH, VOLUME_BLOCKED,
                   "%s is, lies in or may hold what a blocked pattern of its ACL matches.", shown);
            hint(out, "Mount a directory that no blocked pattern reaches: corral list-acls.");
            return false;
        }
        enum reach reach = reach_of(acl, m);
        if (reach > best) {
            best = reach;
            nearest = acl;
        }
    }
    return best == REACH_ALL || refuse_reach(m, shown, best, nearest, out);
}

static bool is_fine(const struct mount *m, const char *tenant, const char *agent,
                    const struct volume_acls *acls, struct judgement *out)
{
    char shown[SHOWN_BYTES];
    show(shown, m->real_path);
    bool is_free = is_overridden(m, tenant, agent, acls);
    const char *by_path = volume_sensitive_path(m->real_path), *by_fact = sensitive_fact(m);
    if (by_path && !is_free)
        return refuse_sensitive(shown, by_path, out);
    if (!is_allowed(m, shown, tenant, agent, acls, out))
        return false;
    if (by_fact && !is_free)
        return refuse_sensitive(shown, by_fact, out);
    return is_mountable(m, shown, out);
}

static enum policy_risk risk_of(const struct mount *m)
{
    if (volume_sensitive_path(m->real_path) || sensitive_fact(m))
        return RISK_HIGH;
    return !strcmp(m->mode, "rw") || m->exposed.count ? RISK_MEDIUM : RISK_LOW;
}

void volume_judge(struct list mounts, const char *tenant, const char *agent,
                  const struct volume_acls *acls, struct judgement *out)
{
    struct mount m;
    struct judgement all = {.reason = "Every volume is allowed by an ACL."};
    while (list_next(&mounts, &message_mount, &m)) {
        if (!is_fine(&m, tenant, agent, acls, out))
            return;
        if (risk_of(&m) > all.risk)
            all.risk = risk_of(&m);
    }
    *out = all;
}
