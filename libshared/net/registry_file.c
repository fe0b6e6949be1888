/* registry_file.c - the registry as lines of JSON; see registry_file.h. */
#include "net/registry_file.h"

#include "base/file.h"
#include "base/mem.h"
#include "base/scope.h"
#include "base/text.h"
#include "schema/message.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum {
    LINE_BYTES = 8 * 1024, /* of JSON; a key with all its patterns has about 1 KiB */
    FILE_BYTES = 16 * 1024 * 1024,
    ROLE_TEXT_BYTES = 73 /* "service:" and a name */
};

/* Where parsing stands. */
struct reader {
    struct view rest;
    size_t line; /* the number of the line taken last */
    struct bytes packed;
};

static void reader_close(struct reader *reader)
{
    bytes_close(&reader->packed);
}

/* Takes the next line and decodes it. Views in *out live until the next call. */
static int take_line(struct reader *r, const struct message *message, void *out, struct err *err)
{
    r->line++;
    const uint8_t *end = r->rest.len ? memchr(r->rest.data, '\n', r->rest.len) : NULL;
    if (!end)
        return err_set(err, ERR_INVALID, "line %zu: missing, or not ended", r->line);
    struct view line = {r->rest.data, (size_t)(end - r->rest.data)};
    r->rest = (struct view){end + 1, r->rest.len - line.len - 1};
    if (line.len > LINE_BYTES)
        return err_set(err, ERR_INVALID, "line %zu: more than %d bytes", r->line, LINE_BYTES);
    bytes_clear(&r->packed);
    if (schema_from_json(message, line, &r->packed, out, err))
        return err_add(err, "line %zu", r->line);
    return 0;
}

static int key_from_line(const struct registered_key *in, struct registry_row *out, struct err *err)
{
    struct registry_row row = {.not_before_s = in->not_before_s, .not_after_s = in->not_after_s};
    text_copy(row.public_key, sizeof row.public_key, in->public_key);
    text_copy(row.tenant, sizeof row.tenant, in->tenant);
    text_copy(row.principal, sizeof row.principal, in->principal);
    struct view item;
    for (struct list roles = in->roles; list_next_text(&roles, &item);) {
        char role[ROLE_TEXT_BYTES];
        if (!text_copy_view(role, sizeof role, item) || registry_row_add_role(&row, role, err))
            return err_add(err, "roles");
    }
    int count = 0;
    for (struct list agents = in->agents; list_next_text(&agents, &item); count++)
        if (!item.len || !text_copy_view(row.agents[count], sizeof row.agents[count], item))
            return err_set(err, ERR_INVALID, "agents[%d] is not a name or pattern", count);
    *out = row;
    return 0;
}

static int take_rows(struct reader *r, struct registry_row *rows, size_t count, struct err *err)
{
    for (size_t i = 0; i < count; i++) {
        struct registered_key key;
        if (take_line(r, &message_registered_key, &key, err))
            return -1;
        if (key_from_line(&key, &rows[i], err))
            return err_add(err, "line %zu", r->line);
    }
    return 0;
}

static int take_agents(struct reader *r, struct registry_agent *agents, size_t count,
                       struct err *err)
{
    for (size_t i = 0; i < count; i++) {
        struct registered_agent agent;
        if (take_line(r, &message_registered_agent, &agent, err))
            return -1;
        text_copy(agents[i].tenant, sizeof agents[i].tenant, agent.tenant);
        text_copy(agents[i].name, sizeof agents[i].name, agent.name);
        agents[i].settings = agent.settings;
    }
    return 0;
}

/* What the lines gave, before it is checked as a whole. */
struct draft {
    struct registry_row *rows;
    struct registry_agent *agents;
};

static void draft_close(struct draft *draft)
{
    free(draft->rows);
    free(draft->agents);
}

int registry_parse(struct view text, int64_t now_s, struct registry **to, struct err *err)
{
    SCOPED(reader_close) struct reader r = {.rest = text, .packed = bytes_open(LINE_BYTES)};
    SCOPED(draft_close) struct draft draft = {0};
    struct registry_head head;
    if (take_line(&r, &message_registry_head, &head, err))
        return -1;
    struct registry_parts parts = {.generation = head.generation,
                                   .row_count = (size_t)head.keys,
                                   .agent_count = (size_t)head.agents};
    parts.rows = draft.rows = mem_new(parts.row_count + 1, sizeof *draft.rows);
    parts.agents = draft.agents = mem_new(parts.agent_count + 1, sizeof *draft.agents);
    if (!draft.rows || !draft.agents)
        return err_set(err, ERR_MEMORY, "no memory for a registry of %zu keys", parts.row_count);
    if (take_rows(&r, draft.rows, parts.row_count, err) ||
        take_agents(&r, draft.agents, parts.agent_count, err))
        return -1;
    if (r.rest.len)
        return err_set(err, ERR_INVALID, "line %zu: more lines than the first one says",
                       r.line + 1);
    return registry_make(&parts, now_s, to, err);
}

static int print_line(const struct message *message, const void *in, struct bytes *to,
                      struct err *err)
{
    return schema_json(message, in, 0, to, err) || bytes_add(to, "\n", 1, err) ? -1 : 0;
}

/* Role names of a row, one behind the other in `store`. */
static int list_roles(const struct registry_row *row, struct bytes *store, struct list *roles,
                      struct err *err)
{
    for (unsigned role = ROLE_AGENT; role <= ROLE_SERVICE; role <<= 1) {
        if (!(row->roles & role))
            continue;
        char text[ROLE_TEXT_BYTES] = "service:";
        if (role == ROLE_SERVICE)
            text_copy(text + strlen(text), sizeof row->service, row->service);
        else
            text_copy(text, sizeof text, registry_role_name((enum role)role));
        if (list_add_text(store, roles, view_of(text), err))
            return -1;
    }
    return 0;
}

static int print_row(const struct registry_row *row, struct bytes *to, struct err *err)
{
    SCOPED(bytes_close) struct bytes roles = bytes_open(LINE_BYTES);
    SCOPED(bytes_close) struct bytes agents = bytes_open(LINE_BYTES);
    struct registered_key key = {.not_before_s = row->not_before_s,
                                 .not_after_s = row->not_after_s};
    text_copy(key.public_key, sizeof key.public_key, row->public_key);
    text_copy(key.tenant, sizeof key.tenant, row->tenant);
    text_copy(key.principal, sizeof key.principal, row->principal);
    if (list_roles(row, &roles, &key.roles, err))
        return -1;
    for (int i = 0; i < REGISTRY_MAX_PATTERNS && *row->agents[i]; i++)
        if (list_add_text(&agents, &key.agents, view_of(row->agents[i]), err))
            return -1;
    return print_line(&message_registered_key, &key, to, err);
}

int registry_print(const struct registry *registry, struct bytes *to, struct err *err)
{
    struct registry_parts parts = registry_parts(registry);
    struct registry_head head = {.generation = parts.generation,
                                 .keys = (int64_t)parts.row_count,
                                 .agents = (int64_t)parts.agent_count};
    if (print_line(&message_registry_head, &head, to, err))
        return -1;
    for (size_t i = 0; i < parts.row_count; i++)
        if (print_row(&parts.rows[i], to, err))
            return -1;
    for (size_t i = 0; i < parts.agent_count; i++) {
        struct registered_agent agent = {.settings = parts.agents[i].settings};
        text_copy(agent.tenant, sizeof agent.tenant, parts.agents[i].tenant);
        text_copy(agent.name, sizeof agent.name, parts.agents[i].name);
        schema_mark(&message_registered_agent, &agent, "settings");
        if (print_line(&message_registered_agent, &agent, to, err))
            return -1;
    }
    return 0;
}

int registry_load(int dirfd, const char *path, int64_t now_s, struct registry **to, struct err *err)
{
    SCOPED(bytes_close) struct bytes text = {0};
    if (file_check_unshared(dirfd, path, err) || /* who writes it can connect as anybody */
        file_read(dirfd, path, FILE_BYTES, &text, err))
        return err_add(err, "registry");
    return registry_parse(bytes_view(&text), now_s, to, err) ? err_add(err, "registry %s", path)
                                                             : 0;
}

int registry_save(int dirfd, const char *path, const struct registry *registry, struct err *err)
{
    SCOPED(bytes_close) struct bytes text = bytes_open(FILE_BYTES);
    if (registry_print(registry, &text, err) ||
        file_replace(dirfd, path, text.data, text.len, 0644, err))
        return err_add(err, "registry %s", path);
    return 0;
}
