#include "base/hash.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "base/frames.h"
#include "base/random.h"

static void test_every_flipped_bit_changes_the_hash(void **state)
{
    for (size_t len = 1; len <= 40; len++) {
        unsigned char bytes[40] = {0};
        for (size_t i = 0; i < len; i++)
            bytes[i] = (unsigned char)random_u64(1, len, i);
        uint64_t whole = hash_bytes(bytes, len);
        for (size_t bit = 0; bit < len * 8; bit++) {
            bytes[bit / 8] ^= (unsigned char)(1u << bit % 8);
            assert_true(hash_bytes(bytes, len) != whole);
            bytes[bit / 8] ^= (unsigned char)(1u << bit % 8);
        }
        assert_true(hash_bytes(bytes, len) == whole);
    }
}

static void test_length_counts(void **state)
{
    unsigned char zeros[64] = {0};
    for (size_t a = 0; a <= 64; a++)
        for (size_t b = a + 1; b <= 64; b++)
            assert_true(hash_bytes(zeros, a) != hash_bytes(zeros, b));
}

static void test_alignment_does_not_count(void **state)
{
    unsigned char buffer[48];
    uint64_t first = 0;
    for (size_t shift = 0; shift < 8; shift++) {
        for (size_t i = 0; i < 37; i++)
            buffer[shift + i] = (unsigned char)(i * 7);
        uint64_t hash = hash_bytes(buffer + shift, 37);
        if (shift == 0)
            first = hash;
        assert_true(hash == first);
    }
}

// Written down once: the hash must be the same on every machine and in every version.
static void test_known_value(void **state)
{
    assert_true(hash_bytes("auralis", 7) == hash_bytes("auralis\0", 7));
    assert_true(hash_bytes("", 0) == random_mix(1));
    uint64_t word = UINT64_C(0x0807060504030201);
    unsigned char bytes[8] = {1, 2, 3, 4, 5, 6, 7, 8};
    assert_true(hash_bytes(bytes, 8) == random_mix(random_mix(9) ^ word) + UINT64_C(0x9e3779b97f4a7c15));
}

static void test_random_is_even_and_bounded(void **state)
{
    int counts[7] = {0};
    double sum = 0;
    for (uint64_t i = 0; i < 70000; i++) {
        uint32_t n = random_below(5, 6, i, 7);
        assert_true(n < 7);
        counts[n]++;
        double unit = random_unit(5, 7, i);
        assert_true(unit >= 0 && unit < 1);
        sum += unit;
    }
    for (int i = 0; i < 7; i++)
        assert_in_range(counts[i], 9500, 10500);
    assert_true(sum > 34500 && sum < 35500);
    assert_true(random_u64(1, 2, 3) != random_u64(2, 1, 3));
    assert_true(random_u64(1, 2, 3) != random_u64(1, 3, 2));
}

static void test_frames_and_nanoseconds_agree(void **state)
{
    for (uint64_t i = 0; i < 1000; i++) {
        uint64_t frames = random_u64(9, 9, i) % (UINT64_C(48000) * 86400 * 3650) / 3 * 3;
        assert_true(frames_from_ns(frames_to_ns(frames)) == frames);
    }
    assert_true(frames_from_ns(NS_PER_SECOND) == FRAME_RATE);
    assert_true(frames_from_ns(frames_to_ns(3) - 1) == 2);
    assert_true(frames_round_up(961, 960) == 1920 && frames_round_up(960, 960) == 960 && frames_round_up(0, 960) == 0);
    assert_true(frames_round_down(961, 960) == 960 && frames_round_down(959, 960) == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_flipped_bit_changes_the_hash),
        cmocka_unit_test(test_length_counts),
        cmocka_unit_test(test_alignment_does_not_count),
        cmocka_unit_test(test_known_value),
        cmocka_unit_test(test_random_is_even_and_bounded),
        cmocka_unit_test(test_frames_and_nanoseconds_agree),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
