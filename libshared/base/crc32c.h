/* crc32c.h - the Castagnoli CRC (RFC 3720 B.4), as the journal's records carry it. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* Continues a checksum over more bytes; start with 0. */
uint32_t crc32c(uint32_t crc, const void *data, size_t len);
