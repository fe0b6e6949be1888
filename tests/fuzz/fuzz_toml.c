/* fuzz_toml.c - any bytes as a config file: every entry is walked and keeps what toml.h promises.
 */
#include "base/scope.h"
#include "base/text.h"
#include "data/toml.h"

#include <assert.h>
#include <math.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void check_text(const char *text)
{
    assert(text_is_utf8(text, strlen(text)));
}

static void check_entry(const struct toml_entry *e)
{
    check_text(e->table);
    check_text(e->key);
    assert(e->line > 0 && e->column > 0);
    if (e->type == TOML_TEXT)
        check_text(e->text);
    else if (e->type == TOML_REAL)
        assert(isfinite(e->real));
    else if (e->type == TOML_DATE)
        assert(e->date.month >= 1 && e->date.month <= 12 && e->date.day >= 1 && e->date.day <= 31);
    else if (e->type == TOML_TEXTS)
        for (size_t i = 0; i < e->texts.count; i++)
            check_text(e->texts.items[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct err err;
    SCOPED(toml_free) struct toml_file *file = NULL;
    if (toml_parse((struct view){data, len}, "fuzz", &file, &err)) {
        assert(!file && err.code == ERR_CONFIG && !strncmp(err.text, "fuzz:", 5));
        return 0;
    }
    for (size_t i = 0; i < toml_count(file); i++)
        check_entry(toml_at(file, i));
    return 0;
}
