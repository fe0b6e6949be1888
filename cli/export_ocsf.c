/* export_ocsf.c - records as events of OCSF 1.3.0; see export.h.
 *
 * schema.ocsf.io/1.3.0. Of each class the required attributes are there, and what else has a place;
 * where a host's or a user's name is not known the part that is required says what is.
 */
#include "base/scope.h"
#include "base/text.h"
#include "cli/export.h"
#include "data/pack.h"

#include <stdio.h>
#include <string.h>

enum { EVENT_BYTES = 512 * 1024, API = 6003, PROCESS = 1007, FINDING = 2004, NS_PER_MS = 1000000 };

/* An object in the making: pairs that are there. The first failure stays. */
struct object {
    struct bytes body;
    size_t count;
    struct err *err;
    bool failed;
};

static struct object object_open(struct err *err)
{
    return (struct object){.body = bytes_open(EVENT_BYTES), .err = err};
}

static void object_close(struct object *o)
{
    bytes_close(&o->body);
}

/* Adds a pair; the value is written by whichever of the two is given. */
static void add(struct object *o, const char *key, const struct view *text, int64_t number)
{
    struct pack p = pack_begin(&o->body, o->err);
    pack_text(&p, key);
    if (text)
        pack_str(&p, *text);
    else
        pack_int(&p, number);
    o->failed = o->failed || pack_end(&p);
    o->count++;
}

static void add_text(struct object *o, const char *key, const char *text)
{
    struct view view = view_of(text);
    if (view.len)
        add(o, key, &view, 0);
}

static void add_view(struct object *o, const char *key, struct view text)
{
    if (text.len)
        add(o, key, &text, 0);
}

static void add_int(struct object *o, const char *key, int64_t number)
{
    add(o, key, NULL, number);
}

/* Adds an object, or an array with it alone, and closes it; nothing when it is empty. */
static void add_object(struct object *o, const char *key, struct object *child, bool in_array)
{
    struct pack p = pack_begin(&o->body, o->err);
    o->failed = o->failed || child->failed;
    if (child->count) {
        pack_text(&p, key);
        if (in_array)
            pack_array(&p, 1);
        pack_map(&p, child->count);
        pack_raw(&p, bytes_view(&child->body));
        o->failed = o->failed || pack_end(&p);
        o->count++;
    }
    object_close(child);
}

static bool is_kill(const struct log_row *row)
{
    return !strcmp(row->kind, "kill_switch");
}

static int class_of(const struct log_row *row)
{
    if (is_kill(row) || !strcmp(row->status, "denied") || !strcmp(row->kind, "guardian_denial"))
        return FINDING;
    return strcmp(row->kind, "command_execute") ? API : PROCESS;
}

/* The class's activity: of an API Create, Read, Update, Delete or Other by the verb in the name, of
 * a process Launch or Terminate, of a finding Create. */
static int activity_of(const struct log_row *row, int class)
{
    static const struct {
        const char *part;
        int activity;
    } verbs[] = {{"create", 1}, {"add", 1},    {"approve", 1}, {"read", 2},   {"write", 3},
                 {"update", 3}, {"delete", 4}, {"remove", 4},  {"revoke", 4}, {"terminate", 4}};
    if (class == FINDING)
        return 1;
    if (class == PROCESS)
        return strcmp(row->phase, "intent") ? 2 : 1;
    for (size_t i = 0; i < COUNT(verbs); i++)
        if (strstr(row->kind, verbs[i].part))
            return verbs[i].activity;
    return 99;
}

/* Findings as severe as the risk, a kill high; all else is informational. */
static int severity_of(const struct log_row *row, int class)
{
    static const char *const risks[] = {"low", "medium", "high", "critical"};
    for (int i = 0; class == FINDING && i < (int)COUNT(risks); i++)
        if (!strcmp(row->risk, risks[i]))
            return i + 2;
    return class == FINDING ? 4 : 1;
}

static int status_of(const struct log_row *row, int class)
{
    if (class == FINDING)
        return 1; /* new */
    return !row->status[0] ? 0 : strcmp(row->status, "success") ? 2 : 1;
}

/* "<service>@<host id>" */
struct origin {
    char service[81], host[81];
};

static struct origin origin_of(const struct log_row *row)
{
    struct origin o = {.host = "unknown"};
    size_t len = strcspn(row->source, "@");
    text_copy_view(o.service, sizeof o.service, (struct view){(const uint8_t *)row->source, len});
    if (row->source[len])
        text_copy(o.host, sizeof o.host, row->source + len + 1);
    return o;
}

static void add_metadata(struct object *o, const struct log_row *row)
{
    struct object metadata = object_open(o->err), product = object_open(o->err);
    char uid[24];
    snprintf(uid, sizeof uid, "%lld", (long long)row->gseq);
    add_text(&product, "name", "Corral");
    add_text(&product, "vendor_name", "Corral");
    add_text(&product, "version", CORRAL_VERSION);
    add_object(&metadata, "product", &product, false);
    add_text(&metadata, "version", "1.3.0");
    add_text(&metadata, "uid", uid);
    add_text(&metadata, "event_code", row->kind);
    add_text(&metadata, "correlation_uid", row->op_id);
    add_object(o, "metadata", &metadata, false);
}

static void add_actor(struct object *o, const struct log_row *row, const struct origin *origin)
{
    struct object actor = object_open(o->err), user = object_open(o->err);
    add_text(&user, "name", row->principal);
    if (user.count)
        add_text(&user, "domain", row->tenant);
    add_object(&actor, "user", &user, false);
    add_text(&actor, "app_name", row->agent[0] ? row->agent : origin->service);
    add_object(o, "actor", &actor, false);
}

static void add_api(struct object *o, const struct log_row *row, const struct origin *origin)
{
    struct object api = object_open(o->err), service = object_open(o->err);
    struct object request = object_open(o->err), source = object_open(o->err);
    add_text(&api, "operation", row->kind);
    add_text(&service, "name", origin->service);
    add_object(&api, "service", &service, false);
    add_text(&request, "uid", row->op_id);
    add_object(&api, "request", &request, false);
    add_object(o, "api", &api, false);
    add_text(&source, "name", origin->host);
    add_text(&source, "svc_name", origin->service);
    add_object(o, "src_endpoint", &source, false);
}

static struct view command_of(const struct log_row *row)
{
    return row->whole_command.len ? row->whole_command : row->command;
}

static void add_process(struct object *o, const struct log_row *row, const struct origin *origin)
{
    struct object device = object_open(o->err), process = object_open(o->err);
    char uid[24];
    snprintf(uid, sizeof uid, "%lld", (long long)row->gseq);
    add_int(&device, "type_id", 0);
    add_text(&device, "hostname", origin->host);
    add_object(o, "device", &device, false);
    add_text(&process, "uid", row->op_id[0] ? row->op_id : uid);
    add_view(&process, "cmd_line", command_of(row));
    add_object(o, "process", &process, false);
    if (schema_has(&message_log_row, row, "exit_code"))
        add_int(o, "exit_code", row->exit_code);
}

static void add_finding(struct object *o, const struct log_row *row)
{
    struct object finding = object_open(o->err), analytic = object_open(o->err);
    struct object resource = object_open(o->err);
    char title[96], uid[24];
    snprintf(uid, sizeof uid, "%lld", (long long)row->gseq);
    snprintf(title, sizeof title, is_kill(row) ? "Kill switch" : "Denied: %s", row->kind);
    add_text(&finding, "title", title);
    add_text(&finding, "uid", uid);
    add_text(&finding, "desc", row->detail);
    if (row->rule[0]) {
        add_int(&analytic, "type_id", 1);
        add_text(&analytic, "uid", row->rule);
    }
    add_object(&finding, "analytic", &analytic, false);
    add_object(o, "finding_info", &finding, false);
    if (row->sandbox_id[0]) {
        add_text(&resource, "uid", row->sandbox_id);
        add_text(&resource, "type", "sandbox");
    }
    add_object(o, "resources", &resource, true);
}

static void add_common(struct object *o, const struct log_row *row, int class)
{
    int activity = activity_of(row, class);
    add_int(o, "class_uid", class);
    add_int(o, "category_uid", class / 1000);
    add_int(o, "activity_id", activity);
    if (activity == 99)
        add_text(o, "activity_name", row->kind);
    add_int(o, "type_uid", (int64_t) class * 100 + activity);
    add_int(o, "severity_id", severity_of(row, class));
    add_int(o, "status_id", status_of(row, class));
    add_text(o, "status_detail", row->cause);
    add_int(o, "time", row->time_ns / NS_PER_MS);
    if (schema_has(&message_log_row, row, "duration_ms"))
        add_int(o, "duration", row->duration_ms);
    add_text(o, "message", row->detail);
    add_metadata(o, row);
}

static int finish(struct object *o, const struct log_row *row, struct bytes *to)
{
    SCOPED(bytes_close) struct bytes event = bytes_open(EVENT_BYTES);
    struct pack unmapped = pack_begin(&o->body, o->err);
    pack_text(&unmapped, "unmapped");
    o->failed =
        o->failed || pack_end(&unmapped) || schema_encode(&message_log_row, row, &o->body, o->err);
    o->count++;
    struct pack p = pack_begin(&event, o->err);
    pack_map(&p, o->count);
    pack_raw(&p, bytes_view(&o->body));
    return o->failed || pack_end(&p) || export_line(bytes_view(&event), to, o->err) ? -1 : 0;
}

int export_ocsf(const struct log_row *row, struct bytes *to, struct err *err)
{
    SCOPED(object_close) struct object o = object_open(err);
    int class = class_of(row);
    struct origin origin = origin_of(row);
    add_common(&o, row, class);
    add_actor(&o, row, &origin);
    if (class == API)
        add_api(&o, row, &origin);
    else if (class == PROCESS)
        add_process(&o, row, &origin);
    else
        add_finding(&o, row);
    return finish(&o, row, to);
}
