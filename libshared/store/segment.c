/* segment.c - encoding, checking and scanning of journal segments; see segment.h. */
#include "store/segment.h"

#include "base/crc32c.h"

#include <assert.h>
#include <endian.h>
#include <string.h>

enum { PADDING = 8, HEAD_CRC_AT = 36, HEADER_CRC_AT = 60 };

static const uint8_t magic[8] = {'C', 'O', 'R', 'R', 'A', 'L', 'J', 1};

static void put_u16(uint8_t *to, uint16_t value)
{
    value = htole16(value);
    memcpy(to, &value, sizeof value);
}

static void put_u32(uint8_t *to, uint32_t value)
{
    value = htole32(value);
    memcpy(to, &value, sizeof value);
}

static void put_u64(uint8_t *to, uint64_t value)
{
    value = htole64(value);
    memcpy(to, &value, sizeof value);
}

static uint16_t get_u16(const uint8_t *from)
{
    uint16_t value;
    memcpy(&value, from, sizeof value);
    return le16toh(value);
}

static uint32_t get_u32(const uint8_t *from)
{
    uint32_t value;
    memcpy(&value, from, sizeof value);
    return le32toh(value);
}

static uint64_t get_u64(const uint8_t *from)
{
    uint64_t value;
    memcpy(&value, from, sizeof value);
    return le64toh(value);
}

static size_t padded(size_t len)
{
    return (len + PADDING - 1) / PADDING * PADDING;
}

size_t segment_record_bytes(size_t payload_len)
{
    return SEGMENT_RECORD_BYTES + padded(payload_len);
}

void segment_header_write(uint8_t to[SEGMENT_HEADER_BYTES], const struct segment_header *header)
{
    memset(to, 0, SEGMENT_HEADER_BYTES);
    memcpy(to, magic, sizeof magic);
    memcpy(to + 8, header->source, SEGMENT_SOURCE_BYTES);
    put_u64(to + 24, header->epoch);
    put_u64(to + 32, header->first_seq);
    put_u64(to + 40, header->before_first);
    put_u32(to + 48, header->before_tail);
    put_u32(to + 52, header->salt);
    put_u32(to + HEADER_CRC_AT, crc32c(0, to, HEADER_CRC_AT));
}

int segment_header_read(struct view from, struct segment_header *out, struct err *err)
{
    if (from.len < SEGMENT_HEADER_BYTES)
        return err_set(err, ERR_STORE, "%zu bytes are too few for a segment", from.len);
    const uint8_t *at = from.data;
    if (memcmp(at, magic, sizeof magic - 1))
        return err_set(err, ERR_STORE, "no journal segment: the first bytes are wrong");
    if (get_u32(at + HEADER_CRC_AT) != crc32c(0, at, HEADER_CRC_AT))
        return err_set(err, ERR_STORE, "the segment's header is damaged");
    if (at[7] != magic[7])
        return err_set(err, ERR_STORE, "segment format %u is not known here", at[7]);
    struct segment_header header = {
        .epoch = get_u64(at + 24),
        .first_seq = get_u64(at + 32),
        .before_first = get_u64(at + 40),
        .before_tail = get_u32(at + 48),
        .salt = get_u32(at + 52),
    };
    memcpy(header.source, at + 8, SEGMENT_SOURCE_BYTES);
    if (!header.first_seq || header.first_seq > INT64_MAX || !header.salt ||
        header.before_first >= header.first_seq)
        return err_set(err, ERR_STORE, "the segment's header contradicts itself");
    *out = header;
    return 0;
}

void segment_record_write(uint8_t *to, const struct journal_record *record)
{
    assert(record->payload.len <= SEGMENT_PAYLOAD_MAX);
    size_t len = record->payload.len;
    put_u32(to, (uint32_t)len);
    put_u32(to + 4, 0);
    put_u64(to + 8, record->seq);
    put_u64(to + 16, (uint64_t)record->wall_ns);
    put_u64(to + 24, (uint64_t)record->boot_ns);
    put_u16(to + 32, record->type);
    put_u16(to + 34, record->flags);
    put_u32(to + HEAD_CRC_AT, 0);
    if (len)
        memcpy(to + SEGMENT_RECORD_BYTES, record->payload.data, len);
    memset(to + SEGMENT_RECORD_BYTES + len, 0, padded(len) - len);
}

size_t segment_record_size(const uint8_t *record)
{
    return segment_record_bytes(get_u32(record));
}

uint32_t segment_record_seal(uint8_t *record, uint16_t flags, uint32_t salt)
{
    size_t body = segment_record_size(record) - SEGMENT_RECORD_BYTES;
    put_u16(record + 34, (uint16_t)(get_u16(record + 34) | flags));
    put_u32(record + 4, crc32c(salt, record + SEGMENT_RECORD_BYTES, body));
    uint32_t crc = crc32c(salt, record, HEAD_CRC_AT);
    put_u32(record + HEAD_CRC_AT, crc);
    return crc;
}

/* The first 40 bytes of a record are intact; its payload is not looked at. */
static bool head_is_intact(struct view from, uint32_t salt)
{
    return from.len >= SEGMENT_RECORD_BYTES && get_u64(from.data + 8) &&
           get_u32(from.data) <= SEGMENT_PAYLOAD_MAX &&
           get_u32(from.data + HEAD_CRC_AT) == crc32c(salt, from.data, HEAD_CRC_AT);
}

bool segment_record_read(struct view from, uint32_t salt, struct journal_record *out, size_t *size)
{
    if (!head_is_intact(from, salt))
        return false;
    const uint8_t *at = from.data, *payload = at + SEGMENT_RECORD_BYTES;
    size_t len = get_u32(at), left = from.len - SEGMENT_RECORD_BYTES;
    if (padded(len) > left || get_u32(at + 4) != crc32c(salt, payload, padded(len)))
        return false;
    *size = SEGMENT_RECORD_BYTES + padded(len);
    *out = (struct journal_record){
        .seq = get_u64(at + 8),
        .wall_ns = (int64_t)get_u64(at + 16),
        .boot_ns = (int64_t)get_u64(at + 24),
        .type = get_u16(at + 32),
        .flags = get_u16(at + 34),
        .payload = {payload, len},
    };
    return true;
}

static struct view behind(struct view whole, size_t offset)
{
    return (struct view){whole.data + offset, whole.len - offset};
}

/* Bytes from the start of `rest` to its last one that is not zero. */
static size_t used_bytes(struct view rest)
{
    size_t n = rest.len;
    while (n && !rest.data[n - 1])
        n--;
    return n;
}

/* The seq of a batch's intact first record in the bytes behind a damaged record `bad_seq`; 0: none.
 * Records start at multiples of 8. A record never starts with 8 zeros (its payload crc starts from
 * the salt), so zeros are passed over cheaply. */
static uint64_t later_batch(struct view rest, uint32_t salt, uint64_t bad_seq)
{
    for (size_t at = PADDING; at < rest.len && rest.len - at >= SEGMENT_RECORD_BYTES;
         at += PADDING) {
        const uint8_t *head = rest.data + at;
        if (!get_u64(head) || get_u64(head + 8) <= bad_seq ||
            !(get_u16(head + 34) & SEGMENT_BATCH_FIRST) || !head_is_intact(behind(rest, at), salt))
            continue;
        return get_u64(head + 8);
    }
    return 0;
}

int segment_scan(struct view whole, struct segment_scan *out, struct err *err)
{
    struct segment_scan scan = {.end = SEGMENT_HEADER_BYTES};
    if (segment_header_read(whole, &scan.header, err))
        return -1;
    uint32_t salt = scan.header.salt;
    scan.last_seq = scan.header.first_seq - 1;
    scan.tail = scan.header.before_tail;

    struct journal_record record;
    size_t size;
    while (segment_record_read(behind(whole, scan.end), salt, &record, &size)) {
        if (record.seq != scan.last_seq + 1)
            return err_set(err, ERR_STORE, "offset %zu: record %llu stands where %llu belongs",
                           scan.end, (unsigned long long)record.seq,
                           (unsigned long long)scan.last_seq + 1);
        scan.tail = get_u32(whole.data + scan.end + HEAD_CRC_AT);
        scan.last_seq = record.seq;
        scan.end += size;
    }
    struct view rest = behind(whole, scan.end);
    scan.torn = used_bytes(rest);
    uint64_t later = later_batch(rest, salt, scan.last_seq + 1);
    if (later)
        return err_set(err, ERR_STORE,
                       "offset %zu: record %llu is damaged, but record %llu behind it is intact",
                       scan.end, (unsigned long long)scan.last_seq + 1, (unsigned long long)later);
    *out = scan;
    return 0;
}
