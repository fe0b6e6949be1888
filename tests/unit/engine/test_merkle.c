/* The hash tree: RFC 6962 as Certificate Transparency tests it, and against its definition. */
#include "base/scope.h"
#include "base/text.h"
#include "engine/record/merkle.h"

#include <setjmp.h>
#include <sodium.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { SIZES = 1100 };

/* The leaves of Certificate Transparency's reference tests, and the roots of the trees of the first
 * 0 to 8 of them. */
static const char *const inputs[] = {"",
                                     "00",
                                     "10",
                                     "2021",
                                     "3031",
                                     "40414243",
                                     "5051525354555657",
                                     "606162636465666768696a6b6c6d6e6f"};
static const char *const roots[] = {
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"};

static struct merkle_hash hash_of(const char *hex)
{
    struct merkle_hash hash;
    assert_true(text_unhex(hash.bytes, sizeof hash.bytes, hex));
    return hash;
}

#define assert_same(a, b) assert_memory_equal((a).bytes, (b).bytes, MERKLE_HASH_BYTES)

static void has_the_roots_of_the_reference_tests(void **state)
{
    (void)state;
    struct merkle tree = {0};
    struct merkle_hash tiles[MERKLE_TILE_LEVELS];
    for (size_t n = 0; n < COUNT(roots); n++) {
        assert_same(merkle_root(&tree), hash_of(roots[n]));
        if (n == COUNT(inputs))
            break;
        uint8_t data[16];
        size_t len = strlen(inputs[n]) / 2;
        assert_true(text_unhex(data, len, inputs[n]));
        struct merkle_hash leaf = merkle_leaf((struct view){data, len});
        assert_int_equal(merkle_append(&tree, &leaf, tiles), 0);
    }
}

static struct merkle_hash leaf_at(int64_t index)
{
    return merkle_leaf((struct view){(const uint8_t *)&index, sizeof index});
}

/* MTH of RFC 6962, word by word. */
static struct merkle_hash definition(int64_t start, int64_t n)
{
    if (n == 1)
        return leaf_at(start);
    int64_t k = 1;
    while (2 * k < n)
        k *= 2;
    struct merkle_hash left = definition(start, k), right = definition(start + k, n - k);
    return merkle_node(&left, &right);
}

/* PATH of RFC 6962, word by word. */
static size_t definition_path(int64_t m, int64_t start, int64_t n, struct merkle_hash *to)
{
    if (n == 1)
        return 0;
    int64_t k = 1;
    while (2 * k < n)
        k *= 2;
    bool left = m < k;
    size_t count =
        left ? definition_path(m, start, k, to) : definition_path(m - k, start + k, n - k, to);
    to[count] = left ? definition(start + k, n - k) : definition(start, k);
    return count + 1;
}

static int full(void *context, unsigned bits, int64_t index, struct merkle_hash *out,
                struct err *err)
{
    const int64_t *size = context;
    (void)err;
    assert_true((index + 1) << bits <= *size);
    *out = definition(index << bits, (int64_t)1 << bits);
    return 0;
}

static void agrees_with_the_definition_at_every_size(void **state)
{
    (void)state;
    struct merkle tree = {0};
    struct merkle_hash tiles[MERKLE_TILE_LEVELS];
    for (int64_t n = 1; n <= SIZES; n++) {
        struct merkle_hash leaf = leaf_at(n - 1);
        int count = merkle_append(&tree, &leaf, tiles);
        assert_int_equal(tree.size, n);
        assert_same(merkle_root(&tree), definition(0, n));
        assert_int_equal(count, n % 256 == 0);
        if (count)
            assert_same(tiles[0], definition(n - 256, 256));
    }
}

static void every_leaf_has_the_path_of_the_definition(void **state)
{
    (void)state;
    const int64_t sizes[] = {1, 2, 3, 4, 5, 7, 8, 9, 31, 33, 100, 255, 256, 257, 300};
    struct err err;
    for (size_t s = 0; s < COUNT(sizes); s++) {
        int64_t n = sizes[s];
        struct merkle_source source = {full, &n};
        struct merkle_hash root = definition(0, n);
        for (int64_t i = 0; i < n; i++) {
            struct merkle_hash path[MERKLE_PATH], expected[MERKLE_PATH], leaf = leaf_at(i);
            size_t count;
            assert_int_equal(merkle_path(&source, i, n, path, &count, &err), 0);
            assert_int_equal(count, definition_path(i, 0, n, expected));
            assert_memory_equal(path, expected, count * sizeof path[0]);
            assert_true(merkle_includes(&leaf, i, n, path, count, &root));
        }
    }
}

/* What is no proof: another leaf, index, size, root, one hash less or more, any bit turned. */
static void believes_no_other_path(void **state)
{
    (void)state;
    struct err err;
    const int64_t sizes[] = {2, 6, 7, 8, 33};
    for (size_t s = 0; s < COUNT(sizes); s++) {
        int64_t n = sizes[s];
        struct merkle_source source = {full, &n};
        struct merkle_hash root = definition(0, n);
        for (int64_t i = 0; i < n; i++) {
            struct merkle_hash path[MERKLE_PATH] = {0}, leaf = leaf_at(i), other = leaf_at(n);
            size_t count;
            assert_int_equal(merkle_path(&source, i, n, path, &count, &err), 0);
            assert_false(merkle_includes(&other, i, n, path, count, &root));
            assert_false(merkle_includes(&leaf, i, n, path, count, &other));
            assert_false(merkle_includes(&leaf, i, n, path, count - 1, &root));
            assert_false(merkle_includes(&leaf, i, n, path, count + 1, &root));
            assert_false(merkle_includes(&leaf, -1, n, path, count, &root));
            assert_false(merkle_includes(&leaf, n, n, path, count, &root));
            for (int64_t k = 0; k < n; k++)
                assert_int_equal(merkle_includes(&leaf, k, n, path, count, &root), k == i);
            for (size_t bit = 0; bit < count * 256; bit += 37) {
                path[bit / 256].bytes[bit % 256 / 8] ^= (uint8_t)(1u << bit % 8);
                assert_false(merkle_includes(&leaf, i, n, path, count, &root));
                path[bit / 256].bytes[bit % 256 / 8] ^= (uint8_t)(1u << bit % 8);
            }
        }
    }
}

/* A leaf that is what a node is made of has another hash than the node. */
static void no_node_passes_for_a_leaf(void **state)
{
    (void)state;
    struct merkle_hash pair[] = {leaf_at(1), leaf_at(2)};
    struct merkle_hash node = merkle_node(&pair[0], &pair[1]);
    struct merkle_hash leaf = merkle_leaf((struct view){pair[0].bytes, sizeof pair});
    assert_false(merkle_equal(&node, &leaf));
}

/* 256 tiles of level 1 complete one of level 2 and the frontier comes back from them. */
static void tiles_put_a_frontier_back(void **state)
{
    (void)state;
    struct merkle tree = {0}, again = {0}, of_tiles = {0};
    struct merkle_hash tiles[MERKLE_TILE_LEVELS], second;
    const int64_t size = 65536 + 3 * 256 + 5;
    for (int64_t n = 1; n <= size; n++) {
        struct merkle_hash leaf = leaf_at(n - 1);
        int count = merkle_append(&tree, &leaf, tiles);
        assert_int_equal(count, (n % 256 == 0) + (n % 65536 == 0));
        if (count == 2)
            second = tiles[1];
        if (count && n <= 65536)
            merkle_append_full(&of_tiles, 8, &tiles[0]);
        if (n == 65536)
            merkle_append_full(&again, 16, &second);
        else if (count && n > 65536)
            merkle_append_full(&again, 8, &tiles[0]);
        else if (n > size - 5)
            merkle_append_full(&again, 0, &leaf);
    }
    assert_int_equal(of_tiles.size, 65536);
    assert_same(merkle_root(&of_tiles), second);
    assert_int_equal(again.size, size);
    assert_same(merkle_root(&again), merkle_root(&tree));
}

static int fails(void *context, unsigned bits, int64_t index, struct merkle_hash *out,
                 struct err *err)
{
    (void)context, (void)bits, (void)index, (void)out;
    return err_set(err, ERR_STORE, "gone");
}

static void a_path_fails_as_its_source_does(void **state)
{
    (void)state;
    struct err err;
    struct merkle_source source = {fails, NULL};
    struct merkle_hash path[MERKLE_PATH];
    size_t count = 7;
    assert_int_equal(merkle_path(&source, 2, 5, path, &count, &err), -1);
    assert_int_equal(err.code, ERR_STORE);
    assert_int_equal(count, 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(has_the_roots_of_the_reference_tests),
        cmocka_unit_test(agrees_with_the_definition_at_every_size),
        cmocka_unit_test(every_leaf_has_the_path_of_the_definition),
        cmocka_unit_test(believes_no_other_path),
        cmocka_unit_test(no_node_passes_for_a_leaf),
        cmocka_unit_test(tiles_put_a_frontier_back),
        cmocka_unit_test(a_path_fails_as_its_source_does),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
