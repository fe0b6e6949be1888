/* describe.c - a service's part of docs/PROTOCOL.md, printed from its table; see service.h. */
#include "service/service.h"

#include <string.h>

static int describe_roles(unsigned roles, const char *service, struct bytes *to, struct err *err)
{
    const char *separator = "";
    for (unsigned role = 1; role <= ROLE_SERVICE; role <<= 1) {
        if (!(roles & role))
            continue;
        const char *only = role == ROLE_SERVICE && service ? service : "";
        if (bytes_addf(to, err, "%s%s%s%s", separator, registry_role_name((enum role)role),
                       *only ? ":" : "", only))
            return -1;
        separator = ", ";
    }
    return 0;
}

static int describe_row(const char *operation, unsigned roles, const char *service,
                        const struct message *request, const struct message *answer,
                        const char *doc, struct bytes *to, struct err *err)
{
    return bytes_addf(to, err, "| `%s` | ", operation) || describe_roles(roles, service, to, err) ||
                   bytes_addf(to, err, " | [%s](#%s) | [%s](#%s) | %s |\n", request->name,
                              request->name, answer->name, answer->name, doc)
               ? -1
               : 0;
}

int service_describe(const struct service_table *t, struct bytes *to, struct err *err)
{
    if (bytes_addf(to, err,
                   "## %s\n\n%s\n\n"
                   "| operation | who may call it | request | answer | what it does |\n"
                   "|---|---|---|---|---|\n",
                   t->name, t->doc))
        return -1;
    for (const struct query *q = t->queries; q->operation; q++)
        if (describe_row(q->operation, q->roles, q->service, q->request, q->answer, q->doc, to,
                         err))
            return -1;
    for (const struct op_kind *const *k = t->operations; *k; k++)
        if (describe_row((*k)->operation, (*k)->roles, NULL, (*k)->request, (*k)->answer, (*k)->doc,
                         to, err))
            return -1;
    return bytes_addf(to, err, "\n");
}
