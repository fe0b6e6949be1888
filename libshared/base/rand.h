/* rand.h - random bytes and ids from the kernel (getrandom(2)). */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* Fills the bytes; the process ends if the kernel cannot give any. */
void rand_fill(void *to, size_t len);

/* 128 random bits as 26 characters of base32. */
void rand_id(char to[27]);
