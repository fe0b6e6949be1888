/* record.c - where the record's database is, and the key that it is checked by; see record.h. */
#include "cli/record.h"

#include "base/file.h"
#include "base/scope.h"
#include "cli/place.h"
#include "cli/print.h"

#include <fcntl.h>
#include <stdio.h>

enum { KEY_FILE_BYTES = 1024 };

int record_database(const struct cli *cli, const char *file, char path[256], struct err *err)
{
    char state[PLACE_STATE_BYTES];
    if (!file && place_state(cli->state_path, state, err))
        return -1;
    int len =
        file ? snprintf(path, 256, "%s", file) : snprintf(path, 256, "%s/audit/audit.db", state);
    return len < 256 ? 0 : err_set(err, ERR_INVALID, "the path of the database is too long");
}

int record_key(const char *text, char origin[ORIGIN_BYTES], uint8_t public_key[KEY_BYTES],
               struct err *err)
{
    SCOPED(bytes_close) struct bytes line = bytes_open(KEY_FILE_BYTES);
    struct err why;
    if (!note_key_read(text, origin, public_key, &why))
        return 0;
    if (file_read(AT_FDCWD, text, KEY_FILE_BYTES, &line, err) ||
        note_key_read(line.data ? (const char *)line.data : "", origin, public_key, err))
        return err_add(err, "--pub");
    return 0;
}

int record_unreadable(const struct cli *cli, const struct err *err)
{
    if (err->code == ERR_INVALID)
        return -1;
    print_failure(cli, err);
    return RECORD_UNREADABLE;
}
