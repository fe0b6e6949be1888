/* acls.c - volume ACLs, page by page; see acls.h. */
#include "cli/acls.h"

#include "base/text.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

int acls_each(struct connect *connect,
              int (*take)(void *context, const struct volume_acl *acl, struct err *err),
              void *context, struct err *err)
{
    static const struct question question = {PART_GUARDIAN, "acl_list", &message_acl_list,
                                             &message_acl_page, CONNECT_ASK_MS};
    struct acl_list request = {0};
    struct acl_page page;
    struct volume_acl acl;
    do {
        if (connect_ask(connect, &question, &request, &page, err))
            return -1;
        while (list_next(&page.acls, &message_volume_acl, &acl)) {
            int stopped = take(context, &acl, err);
            if (stopped)
                return stopped;
        }
        text_copy(request.after, sizeof request.after, page.next);
    } while (page.next[0]);
    return 0;
}

/* What was found of an id so far. */
struct search {
    const char *prefix;
    char id[ACL_ID_BYTES];
    int count;
};

static int look(void *context, const struct volume_acl *acl, struct err *err)
{
    struct search *s = context;
    (void)err;
    if (strncmp(acl->acl_id, s->prefix, strlen(s->prefix)) != 0)
        return 0;
    text_copy(s->id, sizeof s->id, acl->acl_id);
    s->count++;
    return 0;
}

int acls_find(struct connect *connect, const char *prefix, char id[ACL_ID_BYTES], struct err *err)
{
    struct search search = {.prefix = prefix};
    if (acls_each(connect, look, &search, err))
        return -1;
    if (search.count != 1)
        return err_set(err, search.count ? ERR_INVALID : ERR_NOT_FOUND,
                       search.count ? "%.40s is the beginning of %d volume ACLs"
                                    : "no volume ACL %.40s",
                       prefix, search.count);
    text_copy(id, ACL_ID_BYTES, search.id);
    return 0;
}

int acls_host_path(const char *path, char to[1025], struct err *err)
{
    char here[4096] = "";
    if (path[0] != '/' && !getcwd(here, sizeof here))
        return err_sys(err, "the working directory");
    while (!strncmp(path, "./", 2))
        path += 2 + strspn(path + 2, "/");
    if (!strcmp(path, "."))
        path = "";
    int n = snprintf(to, 1025, "%s%s%s", here, here[0] && *path ? "/" : "", path);
    if (n < 0 || n > 1024)
        return err_set(err, ERR_INVALID, "the path %.60s… is longer than 1024 bytes", path);
    while (n > 1 && to[n - 1] == '/')
        to[--n] = 0;
    return 0;
}
