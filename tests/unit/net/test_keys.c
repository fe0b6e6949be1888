/* Key pairs, their files, and the keys that are refused wherever they come from. */
#include "net/keys.h"
#include "base/file.h"
#include "base/scope.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

static int directory = -1;
static char directory_path[] = "/tmp/corral-keys-XXXXXX";

static int make_directory(void **state)
{
    (void)state;
    if (!mkdtemp(directory_path))
        return -1;
    directory = open(directory_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return directory < 0;
}

static int remove_directory(void **state)
{
    (void)state;
    struct err err;
    fd_close(&directory);
    return dir_remove(AT_FDCWD, directory_path, &err);
}

static void write_text(const char *text, mode_t mode)
{
    struct err err;
    assert_int_equal(file_replace(directory, "key", text, strlen(text), mode, &err), 0);
}

static void assert_refused(const char *words)
{
    struct err err;
    struct key_pair pair = {.public_key = "untouched"};
    assert_int_equal(keys_load(directory, "key", &pair, &err), -1);
    assert_int_equal(err.code, ERR_INVALID);
    if (!strstr(err.text, words))
        fail_msg("\"%s\" does not say \"%s\"", err.text, words);
    assert_string_equal(pair.public_key, "untouched");
}

static void a_saved_pair_loads_again_and_is_closed_to_others(void **state)
{
    (void)state;
    struct err err;
    struct key_pair pair, again;
    struct stat st;
    keys_make(&pair);
    assert_int_equal(keys_save(directory, "key", &pair, &err), 0);
    assert_int_equal(keys_load(directory, "key", &again, &err), 0);
    assert_memory_equal(&pair, &again, sizeof pair);
    assert_int_equal(fstatat(directory, "key", &st, 0), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
}

static void a_signing_key_loads_again(void **state)
{
    (void)state;
    struct err err;
    struct sign_key key, again;
    struct key_pair pair;
    keys_sign_make(&key);
    assert_int_equal(keys_sign_save(directory, "key", &key, &err), 0);
    assert_int_equal(keys_sign_load(directory, "key", &again, &err), 0);
    assert_memory_equal(&key, &again, sizeof key);
    assert_int_equal(keys_load(directory, "key", &pair, &err), -1);
    assert_non_null(strstr(err.text, "ed25519"));
    key.public_key[0] ^= 1;
    assert_int_equal(keys_sign_save(directory, "key", &key, &err), 0);
    assert_int_equal(keys_sign_load(directory, "key", &again, &err), -1);
}

static void refuses_a_file_that_others_can_read(void **state)
{
    (void)state;
    struct err err;
    struct key_pair pair;
    keys_make(&pair);
    assert_int_equal(keys_save(directory, "key", &pair, &err), 0);
    assert_int_equal(fchmodat(directory, "key", 0640, 0), 0);
    assert_refused("chmod 600");
}

static void refuses_a_symlink(void **state)
{
    (void)state;
    struct err err;
    struct key_pair pair;
    keys_make(&pair);
    assert_int_equal(keys_save(directory, "real", &pair, &err), 0);
    unlinkat(directory, "key", 0);
    assert_int_equal(symlinkat("real", directory, "key"), 0);
    assert_refused("symlink");
    unlinkat(directory, "key", 0);
}

static void refuses_the_file_of_another_user(void **state)
{
    (void)state;
    struct err err;
    struct key_pair pair;
    if (geteuid())
        skip(); /* only root can give a file away */
    keys_make(&pair);
    assert_int_equal(keys_save(directory, "key", &pair, &err), 0);
    assert_int_equal(fchownat(directory, "key", 12345, 12345, 0), 0);
    assert_refused("uid 12345");
}

static void refuses_every_broken_line_by_its_number(void **state)
{
    (void)state;
    write_text("kind = \"curve\"\nkind = \"curve\"\n", 0600);
    assert_refused("line 2: kind stands twice");
    write_text("# mine\nkey = \"x\"\n", 0600);
    assert_refused("line 2: unknown name key");
    write_text("kind = \"curve\" \n", 0600);
    assert_refused("line 1 is not");
    write_text("kind = curve\n", 0600);
    assert_refused("line 1 is not");
    write_text("kind = \"curve\"\npublic-key = \"abc\"\n", 0600);
    assert_refused("secret-key is missing");
    write_text("", 0600);
    assert_refused("kind");
    char large[1100];
    memset(large, '#', sizeof large - 1);
    large[sizeof large - 1] = 0;
    write_text(large, 0600);
    assert_refused("more than 1024");
}

static void never_quotes_a_line_that_may_be_a_secret(void **state)
{
    (void)state;
    struct err err;
    struct key_pair pair;
    write_text("secret-key = D:)Q[IlAW!ahhC2ac:9*A}h:p?([4%wOTJ%JR%cs\n", 0600);
    assert_int_equal(keys_load(directory, "key", &pair, &err), -1);
    assert_null(strstr(err.text, "D:)Q"));
}

static void refuses_a_public_key_of_another_secret(void **state)
{
    (void)state;
    struct err err;
    struct key_pair pair, other;
    keys_make(&pair);
    keys_make(&other);
    memcpy(pair.public_key, other.public_key, sizeof pair.public_key);
    assert_int_equal(keys_save(directory, "key", &pair, &err), 0);
    assert_refused("does not belong");
}

static void refuses_keys_that_everyone_knows(void **state)
{
    (void)state;
    struct err err;
    uint8_t small[32] = {0}; /* the points 0 and 1 of Curve25519 have small order */
    char z85[KEY_TEXT_BYTES];
    keys_show(z85, small);
    assert_int_equal(keys_check_public(z85, &err), -1);
    small[0] = 1;
    keys_show(z85, small);
    assert_int_equal(keys_check_public(z85, &err), -1);
    assert_int_equal(keys_check_public("Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID", &err), -1);
    assert_int_equal(keys_check_public("rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7", &err), -1);
    assert_int_equal(keys_check_public("short", &err), -1);
    assert_int_equal(keys_check_public("\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\""
                                       "\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"",
                                       &err),
                     -1);
    struct key_pair pair;
    keys_make(&pair);
    assert_int_equal(keys_check_public(pair.public_key, &err), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_saved_pair_loads_again_and_is_closed_to_others),
        cmocka_unit_test(a_signing_key_loads_again),
        cmocka_unit_test(refuses_a_file_that_others_can_read),
        cmocka_unit_test(refuses_a_symlink),
        cmocka_unit_test(refuses_the_file_of_another_user),
        cmocka_unit_test(refuses_every_broken_line_by_its_number),
        cmocka_unit_test(never_quotes_a_line_that_may_be_a_secret),
        cmocka_unit_test(refuses_a_public_key_of_another_secret),
        cmocka_unit_test(refuses_keys_that_everyone_knows),
    };
    return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
