/* crc32c.c - eight bytes at a step ("slicing-by-8", Kounavis and Berry 2005): a start reads every
 * journal segment that audit has not acknowledged, up to a gigabyte. */
#include "base/crc32c.h"

#include <endian.h>
#include <pthread.h>
#include <string.h>

enum { SLICES = 8 };

/* table[n][b]: what byte b does to the checksum when n zero bytes follow it. */
static uint32_t table[SLICES][256];

static void fill_table(void)
{
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t c = i;
        for (int bit = 0; bit < 8; bit++)
            c = c & 1 ? c >> 1 ^ 0x82f63b78u : c >> 1;
        table[0][i] = c;
    }
    for (int n = 1; n < SLICES; n++)
        for (int i = 0; i < 256; i++)
            table[n][i] = table[n - 1][i] >> 8 ^ table[0][table[n - 1][i] & 0xff];
}

static uint32_t eight_bytes(uint32_t crc, const uint8_t *at)
{
    uint64_t word;
    memcpy(&word, at, sizeof word);
    word = le64toh(word) ^ crc;
    crc = 0;
    for (int n = 0; n < SLICES; n++)
        crc ^= table[SLICES - 1 - n][word >> 8 * n & 0xff];
    return crc;
}

uint32_t crc32c(uint32_t crc, const void *data, size_t len)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, fill_table);
    const uint8_t *at = data;
    crc = ~crc;
    for (; len >= SLICES; at += SLICES, len -= SLICES)
        crc = eight_bytes(crc, at);
    for (; len; at++, len--)
        crc = crc >> 8 ^ table[0][(crc ^ *at) & 0xff];
    return ~crc;
}
