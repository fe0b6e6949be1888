/* corral remove-acl: takes a volume ACL away. */
#include "base/scope.h"
#include "base/text.h"
#include "cli/acls.h"
#include "cli/print.h"

int cmd_remove_acl(struct cli *cli, int argc, char **argv, struct err *err)
{
    static const struct question question = {PART_GUARDIAN, "acl_remove", &message_acl_remove,
                                             &message_volume_acl, CONNECT_ASK_MS};
    const char *reason = "";
    const struct option options[] = {
        {"reason", 0, "TEXT", option_text, &reason, "Kept in the record."},
        {0},
    };
    struct args args;
    if (command_parse(cli, options, argc, argv, &args, err))
        return -1;
    if (args.help)
        return 0;

    SCOPED(connect_close) struct connect connect = {0};
    struct acl_remove request = {0};
    struct volume_acl acl;
    if (!text_copy(request.reason, sizeof request.reason, reason))
        return err_set(err, ERR_INVALID, "--reason: more than 255 bytes");
    if (connect_open(cli, &connect, err) ||
        acls_find(&connect, args.items[0], request.acl_id, err) ||
        connect_ask(&connect, &question, &request, &acl, err))
        return -1;
    if (cli->json)
        return print_json(&message_volume_acl, &acl, err);
    if (!cli->quiet)
        print_line("%s is no volume any more; sandboxes that have it keep it.", acl.host_path);
    return 0;
}
