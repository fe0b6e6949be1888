/* replay.c - runs a fuzz target over every file of a committed corpus, under any compiler.
 *
 *   fuzz_<parser> DIRECTORY      fails when the directory is missing or empty: a corpus that
 * replays nothing proves nothing
 */
#include "base/file.h"
#include "base/scope.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int main(int argc, char **argv)
{
    DIR *dir = argc == 2 ? opendir(argv[1]) : NULL;
    if (!dir) {
        fprintf(stderr, "usage: %s DIRECTORY (that exists)\n", argv[0]);
        return 2;
    }
    int files = 0;
    for (struct dirent *e = readdir(dir); e; e = readdir(dir)) {
        struct err err;
        SCOPED(bytes_close) struct bytes input = {0};
        if (e->d_name[0] == '.')
            continue;
        if (file_read(dirfd(dir), e->d_name, 1 << 20, &input, &err)) {
            fprintf(stderr, "%s: %s\n", e->d_name, err.text);
            return 1;
        }
        LLVMFuzzerTestOneInput(input.data, input.len);
        files++;
    }
    closedir(dir);
    printf("%d inputs replayed\n", files);
    return files ? 0 : 1;
}
