/* Journal segments from arbitrary bytes: as they are, and once more with the checksums made right,
 * so that the fuzzer gets behind them. Whatever a scan accepts must be accepted again after its
 * torn tail was cut, with the same records. */
#include "base/crc32c.h"
#include "base/scope.h"
#include "store/segment.h"

#include <assert.h>
#include <endian.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void check_scan(struct view whole)
{
    struct segment_scan scan, again;
    struct err err;
    if (segment_scan(whole, &scan, &err)) {
        assert(err.code == ERR_STORE);
        return;
    }
    assert(scan.end <= whole.len && scan.torn <= whole.len - scan.end);
    uint8_t *cut = malloc(whole.len);
    assert(cut);
    memcpy(cut, whole.data, whole.len);
    memset(cut + scan.end, 0, scan.torn);
    int refused = segment_scan((struct view){cut, whole.len}, &again, &err);
    assert(!refused && !again.torn && again.end == scan.end);
    assert(again.last_seq == scan.last_seq && again.tail == scan.tail);
    free(cut);
}

static uint32_t u32_at(const uint8_t *at)
{
    uint32_t value;
    memcpy(&value, at, sizeof value);
    return le32toh(value);
}

/* Makes the checksums of the header and of a chain of records right, as far as lengths allow. */
static void seal(uint8_t *bytes, size_t len)
{
    uint32_t salt = u32_at(bytes + 52), crc = htole32(crc32c(0, bytes, 60));
    memcpy(bytes + 60, &crc, sizeof crc);
    for (size_t at = SEGMENT_HEADER_BYTES; len - at >= SEGMENT_RECORD_BYTES;) {
        size_t payload = u32_at(bytes + at), left = len - at;
        if (payload > left || segment_record_bytes(payload) > left)
            return;
        segment_record_seal(bytes + at, 0, salt);
        at += segment_record_bytes(payload);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    check_scan((struct view){data, len});
    if (len < SEGMENT_HEADER_BYTES)
        return 0;
    uint8_t *sealed = malloc(len);
    assert(sealed);
    memcpy(sealed, data, len);
    seal(sealed, len);
    check_scan((struct view){sealed, len});
    free(sealed);
    return 0;
}
