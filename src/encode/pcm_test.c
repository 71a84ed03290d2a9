#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "encode/encode.h"
#include "encode/quantise.h"

static int quantised(float sample)
{
    uint8_t bytes[2];
    quantise_s16(&sample, 1, bytes);
    return (int16_t)(bytes[0] | bytes[1] << 8);
}

static void ties_go_to_even(void **state)
{
    assert_int_equal(quantised(0.5f / 32768), 0);
    assert_int_equal(quantised(1.5f / 32768), 2);
    assert_int_equal(quantised(2.5f / 32768), 2);
    assert_int_equal(quantised(-0.5f / 32768), 0);
    assert_int_equal(quantised(-1.5f / 32768), -2);
    assert_int_equal(quantised(0.51f / 32768), 1);
    assert_int_equal(quantised(-0.49f / 32768), 0);
}

static void every_value_is_exact(void **state)
{
    for (int i = -32768; i <= 32767; i++)
        assert_int_equal(quantised((float)i / 32768), i);
}

static void what_is_too_loud_is_clamped(void **state)
{
    assert_int_equal(quantised(1), 32767);
    assert_int_equal(quantised(1e30f), 32767);
    assert_int_equal(quantised(INFINITY), 32767);
    assert_int_equal(quantised(-1), -32768);
    assert_int_equal(quantised(-1.1f), -32768);
    assert_int_equal(quantised(-INFINITY), -32768);
}

static void a_chunk_is_interleaved_little_endian(void **state)
{
    static float pcm[CHUNK_FRAMES * CHANNELS];
    static uint8_t bytes[CHUNK_FRAMES * CHANNELS * 2];
    pcm[0] = 258 / 32768.0f;
    pcm[1] = -1 / 32768.0f;
    pcm[CHUNK_FRAMES * CHANNELS - 1] = 3 / 32768.0f;
    struct encode_input input = {.pcm = pcm, .before = pcm};
    struct encode_output output = {.bytes = bytes, .packet_count = 9};
    assert_int_equal(encoder_pcm.encode(NULL, &input, &output), STATUS_OK);
    assert_int_equal(output.len, encoder_pcm.max_bytes);
    assert_int_equal(output.len, 19200);
    assert_int_equal(output.packet_count, 0);
    static const uint8_t first[] = {2, 1, 255, 255, 0, 0};
    assert_memory_equal(bytes, first, sizeof first);
    assert_int_equal(bytes[19198], 3);
    assert_int_equal(encoder_pcm.begin_frame(CHUNK_FRAMES * 7), CHUNK_FRAMES * 7);
}

static void the_table_is_in_order(void **state)
{
    for (int i = 0; i < FORMAT_COUNT; i++)
        assert_int_equal(encoders[i]->format, i);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ties_go_to_even),
        cmocka_unit_test(every_value_is_exact),
        cmocka_unit_test(what_is_too_loud_is_clamped),
        cmocka_unit_test(a_chunk_is_interleaved_little_endian),
        cmocka_unit_test(the_table_is_in_order),
    };
    return cmocka_run_group_tests_name("pcm", tests, NULL, NULL);
}
