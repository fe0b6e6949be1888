/* program.c - finds the row of a program; see options.h. Each table is in the order of strcmp. */
#include "engine/shell/options.h"

#include "base/scope.h"

#include <string.h>

enum { NAME_MAX_BYTES = 48 };

#define PROGRAM(name, traits, shorts, longs, operands) {name, traits, shorts, longs, operands},
#define SAME(name, other) {name, SAME_ROW, other, "", ""},

static const struct program files[] = {
#include "engine/shell/options_files.def"
};
static const struct program text[] = {
#include "engine/shell/options_text.def"
};
static const struct program net[] = {
#include "engine/shell/options_net.def"
};
static const struct program systems[] = {
#include "engine/shell/options_system.def"
};
static const struct program code[] = {
#include "engine/shell/options_code.def"
};
static const struct program develop[] = {
#include "engine/shell/options_develop.def"
};
static const struct program containers[] = {
#include "engine/shell/options_containers.def"
};
static const struct program run[] = {
#include "engine/shell/options_run.def"
};

#undef PROGRAM
#undef SAME

static const struct {
    const struct program *rows;
    size_t count;
} tables[] = {
    {files, COUNT(files)},           {text, COUNT(text)}, {net, COUNT(net)},
    {systems, COUNT(systems)},       {code, COUNT(code)}, {develop, COUNT(develop)},
    {containers, COUNT(containers)}, {run, COUNT(run)},
};

static const struct program *find_in(const struct program *rows, size_t count, const char *name)
{
    size_t low = 0;
    while (low < count) {
        size_t middle = low + (count - low) / 2;
        int order = strcmp(name, rows[middle].name);
        if (!order)
            return &rows[middle];
        if (order > 0)
            low = middle + 1;
        else
            count = middle;
    }
    return NULL;
}

static const struct program *find_exact(const char *name)
{
    const struct program *row = NULL;
    for (size_t i = 0; i < COUNT(tables) && !row; i++)
        row = find_in(tables[i].rows, tables[i].count, name);
    return row && row->traits & SAME_ROW ? find_exact(row->shorts) : row;
}

const struct program *program_find(const char *name)
{
    const struct program *row = find_exact(name);
    size_t len = strlen(name);
    if (row || len >= NAME_MAX_BYTES || strchr(name, ' '))
        return row;
    char shorter[NAME_MAX_BYTES];
    memcpy(shorter, name, len + 1);
    size_t end = len;
    while (end && strchr("0123456789.-", shorter[end - 1]))
        end--;
    shorter[end] = 0;
    if (end && end < len && (row = find_exact(shorter)))
        return row;
    memcpy(shorter, name, len + 1);
    end = strcspn(shorter, ".");
    shorter[end] = 0;
    return end && end < len ? find_exact(shorter) : NULL;
}
