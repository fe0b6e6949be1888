/* CRC-32C against known values: RFC 3720 B.4 and the check value of the CRC catalogue. */
#include "base/crc32c.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void gives_the_known_values(void **state)
{
    (void)state;
    uint8_t data[32];
    assert_int_equal(crc32c(0, "123456789", 9), 0xe3069283);
    assert_int_equal(crc32c(0, "", 0), 0);
    memset(data, 0, sizeof data);
    assert_int_equal(crc32c(0, data, sizeof data), 0x8a9136aa);
    memset(data, 0xff, sizeof data);
    assert_int_equal(crc32c(0, data, sizeof data), 0x62a8ab43);
    for (int i = 0; i < 32; i++)
        data[i] = (uint8_t)i;
    assert_int_equal(crc32c(0, data, sizeof data), 0x46dd794e);
}

static void continues_over_pieces(void **state)
{
    (void)state;
    for (size_t cut = 0; cut <= 9; cut++)
        assert_int_equal(crc32c(crc32c(0, "123456789", cut), &"123456789"[cut], 9 - cut),
                         0xe3069283);
}

static void changes_with_each_bit(void **state)
{
    (void)state;
    uint8_t data[] = "123456789";
    for (size_t bit = 0; bit < 72; bit++) {
        data[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_int_not_equal(crc32c(0, data, 9), 0xe3069283);
        data[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gives_the_known_values),
        cmocka_unit_test(continues_over_pieces),
        cmocka_unit_test(changes_with_each_bit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
