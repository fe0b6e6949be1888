/* op_acl.c - acl_add and acl_remove: one record each, which is the change itself.
 *
 * Nothing outside the guardian changes, so there is no intent: the result's record is in the
 * journal, or nothing has happened. In force, or gone, once it is on disk and before it is
 * answered.
 */
#include "guardian/guardian.h"

#include "base/clock.h"
#include "base/rand.h"
#include "base/text.h"

#include <stdio.h>
#include <string.h>

enum { BODY_BYTES = 64 * 1024 };

struct acl_change {
    struct volume_acl acl;
    struct bytes body; /* of a removal: what the lists point into; otherwise the request has them */
};

static struct guardian *guardian_of(const struct op *op)
{
    return op->service->state;
}

static int check_journal(const struct op *op, struct err *err)
{
    struct outbox *outbox = op->service->outbox;
    return outbox_state(outbox) >= OUTBOX_RESTRICTED
               ? err_set(err, ERR_RESTRICTED, "%s", outbox_detail(outbox))
               : 0;
}

static int check_addition(const struct op *op, const char *tenant, struct err *err)
{
    const struct acl_add *in = op->request;
    bool is_admin = op->roles & ROLE_ADMIN;
    if (strcmp(tenant, op->tenant) != 0 && !is_admin)
        return err_set(err, ERR_FORBIDDEN, "%s may add volume ACLs of tenant %s only",
                       op->principal, op->tenant);
    if (!text_is_name(tenant, NAME_BYTES - 1))
        return err_set(err, ERR_INVALID, "acl_add.tenant: letters, digits, . _ - only");
    if (volume_check_acl(in, err))
        return err_add(err, "acl_add");
    if (in->sensitive && !is_admin)
        return err_set(err, ERR_FORBIDDEN, "only an admin may allow a sensitive path");
    if (acls_count(guardian_of(op)->acls, tenant) >= ACLS_OF_TENANT)
        return err_set(err, ERR_QUOTA, "the tenant %s has %d volume ACLs; remove one first", tenant,
                       ACLS_OF_TENANT);
    return check_journal(op, err);
}

static enum op_state add_received(struct op *op, const struct wake *wake)
{
    const struct acl_add *in = op->request;
    struct acl_change *c = op->data;
    const char *tenant = in->tenant[0] ? in->tenant : op->tenant;
    struct err err;
    (void)wake;
    if (check_addition(op, tenant, &err))
        return op_refuse(op, &err);
    c->acl = (struct volume_acl){.allowed = in->allowed,
                                 .blocked = in->blocked,
                                 .sensitive = in->sensitive,
                                 .added_ns = clock_wall_ns()};
    rand_id(c->acl.acl_id);
    text_copy(c->acl.tenant, sizeof c->acl.tenant, tenant);
    text_copy(c->acl.host_path, sizeof c->acl.host_path, in->host_path);
    text_copy(c->acl.container_path, sizeof c->acl.container_path, in->container_path);
    text_copy(c->acl.mode, sizeof c->acl.mode, in->mode[0] ? in->mode : "ro");
    text_copy(c->acl.agent, sizeof c->acl.agent, in->agent);
    text_copy(c->acl.added_by, sizeof c->acl.added_by, op->principal);
    text_copy(c->acl.reason, sizeof c->acl.reason, in->reason);
    return OP_RESULTED;
}

/* Absent and not yours answer alike. */
static int find(struct op *op, const char *acl_id, struct err *err)
{
    struct acl_change *c = op->data;
    const struct volume_acl *acl = acls_find(guardian_of(op)->acls, acl_id);
    if (!acl || !call_sees(op->call, acl->tenant, ""))
        return err_set(err, ERR_NOT_FOUND, "no volume ACL %s", acl_id);
    c->body = bytes_open(BODY_BYTES);
    return schema_encode(&message_volume_acl, acl, &c->body, err) ||
                   schema_decode(&message_volume_acl, bytes_view(&c->body), SCHEMA_LENIENT, &c->acl,
                                 err)
               ? -1
               : 0;
}

static enum op_state remove_received(struct op *op, const struct wake *wake)
{
    const struct acl_remove *in = op->request;
    struct err err;
    (void)wake;
    if (find(op, in->acl_id, &err) || check_journal(op, &err))
        return op_refuse(op, &err);
    return OP_RESULTED;
}

static void put_in_force(struct op *op)
{
    struct acl_change *c = op->data;
    struct acls *acls = guardian_of(op)->acls;
    struct err err;
    if (op->kind == &op_acl_remove)
        acls_drop(acls, c->acl.acl_id);
    else if (acls_put(acls, &c->acl, &err))
        service_fail("acl.put", &err); /* the next start reads it from the record */
}

/* What a person reads in the log. */
static void describe(const struct op *op, struct event *event)
{
    const struct acl_change *c = op->data;
    const char *why = op->kind == &op_acl_remove ? ((const struct acl_remove *)op->request)->reason
                                                 : c->acl.reason;
    char text[4096];
    snprintf(text, sizeof text, "%s%s%s -> %s %s%s", why, why[0] ? ": " : "", c->acl.host_path,
             c->acl.container_path, c->acl.mode, c->acl.sensitive ? " sensitive" : "");
    text_copy(event->detail, sizeof event->detail, text);
}

static enum op_state resulted(struct op *op, const struct wake *wake)
{
    struct acl_change *c = op->data;
    struct err err;
    if (wake->reason == WAKE_DURABLE) {
        put_in_force(op);
        return OP_REPLIED;
    }
    if (wake->reason != WAKE_ENTERED)
        return OP_RESULTED;
    struct event result = {.phase = "result", .status = "success", .acl = c->acl};
    schema_mark(&message_event, &result, "acl");
    text_copy(result.tenant, sizeof result.tenant, c->acl.tenant);
    describe(op, &result);
    result.duration_ms = clock_boot_ms() - op->started_boot_ms;
    op_answer(op, &message_volume_acl, &c->acl);
    if (op_record(op, &result, true, &err))
        service_fail("acl.result", &err);
    return OP_RESULTED;
}

static void close_change(struct op *op)
{
    struct acl_change *c = op->data;
    bytes_close(&c->body);
}

const struct op_kind op_acl_add = {
    .operation = "acl_add",
    .request = &message_acl_add,
    .answer = &message_volume_acl,
    .roles = ROLE_OPERATOR | ROLE_ADMIN,
    .data_bytes = sizeof(struct acl_change),
    .step = {[OP_RECEIVED] = add_received,
             [OP_RESULTED] = resulted,
             [OP_REPLIED] = op_step_replied,
             [OP_REFUSED] = op_step_refused},
    .close = close_change,
    .doc = "Lets sandboxes see a part of their host: for new sandboxes, from the answer on.",
};

const struct op_kind op_acl_remove = {
    .operation = "acl_remove",
    .request = &message_acl_remove,
    .answer = &message_volume_acl,
    .roles = ROLE_OPERATOR | ROLE_ADMIN,
    .data_bytes = sizeof(struct acl_change),
    .step = {[OP_RECEIVED] = remove_received,
             [OP_RESULTED] = resulted,
             [OP_REPLIED] = op_step_replied,
             [OP_REFUSED] = op_step_refused},
    .close = close_change,
    .doc = "Takes a volume ACL away; sandboxes that have the volume keep it. Answers what it was.",
};
