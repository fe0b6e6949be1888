/* guardian.c - how the guardian's state begins and ends; see guardian.h. */
#include "guardian/guardian.h"

#include "base/mem.h"
#include "base/text.h"
#include "guardian/approval_table.h"
#include "guardian/approving.h"
#include "guardian/notice.h"
#include "guardian/recover.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A verdict under another key than the one in services.json would be refused everywhere. */
enum { CONDITIONS_BYTES = 256 };

static int load_key(struct guardian *g, struct err *err)
{
    char path[512], hex[2 * KEY_BYTES + 1];
    snprintf(path, sizeof path, "%s/signing.key", g->service->own_path);
    if (keys_sign_load(AT_FDCWD, path, &g->key, err))
        return service_unusable(err);
    text_hex(hex, g->key.public_key, sizeof g->key.public_key);
    if (strcmp(hex, g->service->verdict_key) != 0)
        return err_set(err, ERR_CONFIG, "%s is not the verdict_key of services.json", path);
    return 0;
}

static void on_leaving_rules(void *context)
{
    struct guardian *g = context;
    workspaces_close(&g->workspaces);
}

/* What was approved under other rules is approved no more. */
static void on_new_rules(void *context)
{
    approving_sweep(context);
}

/* Needs the database, which belongs to a worker once the service runs, and a registry that is as
 * the record wants it. */
static int load(struct guardian *g, struct err *err)
{
    struct db *db = projection_db(g->service->projection);
    int64_t generation;
    if (rules_generation(db, &generation, err) || acls_load(db, &g->acls, err) ||
        holds_load(db, &g->holds, err) || approval_load(db, &g->approvals, err))
        return err_add(err, "guardian.db");
    if (keeper_new(g->service, generation, on_leaving_rules, on_new_rules, g, &g->keeper, err))
        return -1;
    approving_sweep(g);
    return 0;
}

int guardian_open(struct service *service, void **state, struct err *err)
{
    struct guardian *g = mem_new(1, sizeof *g);
    if (!g)
        return err_set(err, ERR_MEMORY, "no memory for the guardian");
    g->service = service;
    g->conditions = bytes_open(CONDITIONS_BYTES);
    if (load_key(g, err) || writer_new(service, &g->writer, err) ||
        recover(service, g->writer, err) || notices_new(service, &g->notices, err) ||
        load(g, err)) {
        guardian_close(g);
        return -1;
    }
    *state = g;
    return 0;
}

void guardian_close(void *state)
{
    struct guardian *g = state;
    notices_free(&g->notices);
    approvals_close(&g->approvals);
    holds_close(&g->holds);
    writer_free(&g->writer);
    acls_free(&g->acls);
    workspaces_close(&g->workspaces);
    keeper_free(&g->keeper);
    tally_close(&g->tally);
    facts_close(&g->facts);
    bytes_close(&g->conditions);
    keys_sign_wipe(&g->key);
    free(g);
}

void guardian_durable(void *state, uint64_t seq)
{
    struct guardian *g = state;
    keeper_durable(g->keeper, seq);
}

void guardian_reload(void *state)
{
    struct guardian *g = state;
    keeper_look(g->keeper);
}

const uint8_t *guardian_policy(const struct guardian *g, const char *tenant, const char *agent)
{
    static const uint8_t none[POLICY_HASH_BYTES];
    const struct rulebook *book = keeper_book(g->keeper);
    return book ? ruleset_hash(rulebook_find(book, tenant, agent)) : none;
}
