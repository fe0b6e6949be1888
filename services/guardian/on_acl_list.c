/* on_acl_list.c - the volume ACLs that the caller may see, a page at a time. */
#include "guardian/guardian.h"

#include "base/text.h"

#include <string.h>

enum { PAGE_BYTES = 200 * 1024, PAGE_ROWS = 64 };

int on_acl_list(void *state, const struct call *call, const void *in, void *out, struct err *err)
{
    const struct guardian *g = state;
    const struct acl_list *request = in;
    struct acl_page *page = out;
    struct volume_acls all = acls_view(g->acls);
    const char *last = "";
    for (size_t i = 0; i < all.count; i++) {
        const struct volume_acl *acl = all.rows[i];
        if (strcmp(acl->acl_id, request->after) <= 0 || !call_sees(call, acl->tenant, ""))
            continue;
        if (page->acls.count == PAGE_ROWS || call->scratch->len > PAGE_BYTES) {
            text_copy(page->next, sizeof page->next, last);
            return 0;
        }
        if (list_add(call->scratch, &page->acls, &message_volume_acl, acl, err))
            return -1;
        last = acl->acl_id;
    }
    return 0;
}
