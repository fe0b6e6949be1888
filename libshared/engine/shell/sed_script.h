/* sed_script.h - the commands of a sed script that do more than edit: run programs, read and write
 * files.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct sed_command {
    char letter; /* of the command: 'e', 's', 'r', 'w', …; 0: there was none */
    bool runs;   /* a shell runs `text`, or what the command made of its input if it is empty */
    bool reads;  /* `text` is a file that it reads */
    bool writes; /* or writes */
    const char *text; /* within the script */
    size_t len;
};

/* Reads the next command of a script. Returns where the one behind it may begin; at the end that is
 * the script's end. */
const char *sed_read(const char *script, struct sed_command *out);
