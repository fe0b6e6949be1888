/* address.h - names and addresses of hosts in one form, whatever they were written as.
 *
 * "0x7f.1", "2130706433", "017700000001", "[::ffff:127.0.0.1]", "127.0.0.1." are all 127.0.0.1, as
 * inet_aton, curl and browsers read them.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum { ADDRESS_MAX_BYTES = 256 };

/* Writes the normal form of a host of len bytes: lower case, percent-decoded, full-width characters
 * made plain, without brackets, zone and dots at the end; numbers as IPv4 "a.b.c.d" or the short
 * form of IPv6; an IPv4 inside IPv6 as IPv4. False when it does not fit. */
bool address_normalize(char to[ADDRESS_MAX_BYTES], const char *host, size_t len);

/* This sandbox itself: localhost and names below it, 127.0.0.0/8, ::1, the unspecified address. */
bool address_is_local(const char *normal);
