/* fuzz_secret.c - texts that may hold secrets: what is found lies within the text, in order and
 * without overlap. */
#include "base/secret.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    for (int form = SECRET_PLAIN; form <= SECRET_PAIR; form++) {
        struct secret_search search =
            secret_search((enum secret_form)form, (struct view){data, len});
        struct secret s;
        for (size_t end = 0; secret_next(&search, &s); end = s.at + s.len)
            if (!s.len || s.at < end || s.at > len || s.len > len - s.at || !s.kind)
                abort();
    }
    return 0;
}
