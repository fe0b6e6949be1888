/* rand.c - randomness; see rand.h. */
#include "base/rand.h"

#include "base/text.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>

void rand_fill(void *to, size_t len)
{
    uint8_t *at = to;
    while (len) {
        ssize_t n = getrandom(at, len, 0);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            abort(); /* Linux gives randomness or is broken beyond use */
        at += n;
        len -= (size_t)n;
    }
}

void rand_id(char to[27])
{
    uint8_t bits[16];
    rand_fill(bits, sizeof bits);
    text_base32(to, bits);
}
