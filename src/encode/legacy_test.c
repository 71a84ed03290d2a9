// The resampler is measured through its whole way: float in, base64 of 16 bit out. Sines of full scale are fitted to
// what comes out; 16 bits allow 98 dB, so what the filter does wrong beyond -95 dB shows.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/base64.h"
#include "encode/encode.h"

enum { CHUNKS = 5, OUT_FRAMES = CHUNKS * FORMAT_LEGACY_FRAMES, OUT_BYTES = FORMAT_LEGACY_FRAMES * CHANNELS * 2 };

struct signal {
    double left_hz, right_hz, level;
};

struct bench {
    void *legacy;
    float pcm[(CHUNKS + 2) * CHUNK_FRAMES * CHANNELS];   // one chunk either side of those that are encoded
    uint8_t bytes[CHUNKS * OUT_BYTES];
};

static int setup(void **state)
{
    struct bench *bench = calloc(1, sizeof *bench);
    bench->legacy = aligned_alloc(64, (encoder_legacy.state_bytes + 63) / 64 * 64);
    *state = bench;
    return encoder_legacy.init(bench->legacy) == STATUS_OK ? 0 : -1;
}

static int teardown(void **state)
{
    struct bench *bench = *state;
    free(bench->legacy);
    free(bench);
    return 0;
}

static void play(struct bench *bench, struct signal signal)
{
    for (int i = 0; i < (CHUNKS + 2) * CHUNK_FRAMES; i++) {
        double t = (double)(i - CHUNK_FRAMES) / FRAME_RATE;
        bench->pcm[2 * i] = (float)(signal.level * sin(2 * M_PI * signal.left_hz * t));
        bench->pcm[2 * i + 1] = (float)(signal.level * sin(2 * M_PI * signal.right_hz * t));
    }
}

static void encode_chunk(struct bench *bench, int chunk)
{
    static uint8_t text[FORMAT_LEGACY_BASE64_BYTES];
    const float *pcm = bench->pcm + (chunk + 1) * CHUNK_FRAMES * CHANNELS;
    struct encode_input input = {.first_frame = (uint64_t)chunk * CHUNK_FRAMES,
                                 .pcm = pcm,
                                 .before = pcm - CHUNK_FRAMES * CHANNELS,
                                 .after = pcm + CHUNK_FRAMES * CHANNELS};
    struct encode_output output = {.bytes = text};
    assert_int_equal(encoder_legacy.encode(bench->legacy, &input, &output), STATUS_OK);
    assert_int_equal(output.len, FORMAT_LEGACY_BASE64_BYTES);
    assert_int_equal(output.packet_count, 0);
    assert_int_equal(base64_decode((char *)text, output.len, bench->bytes + chunk * OUT_BYTES), OUT_BYTES);
}

static void encode_all(struct bench *bench)
{
    for (int chunk = 0; chunk < CHUNKS; chunk++)
        encode_chunk(bench, chunk);
}

static double sample_at(const struct bench *bench, int frame, int channel)
{
    const uint8_t *at = bench->bytes + (frame * CHANNELS + channel) * 2;
    return (int16_t)(at[0] | at[1] << 8) / 32768.0;
}

// Mean square of what differs from the ideal sine in frames from..to, over that of the sine, in dB.
static double error_db(const struct bench *bench, int channel, double hz, double level, int from, int to)
{
    double error = 0, power = 0;
    for (int i = from; i < to; i++) {
        double ideal = level * sin(2 * M_PI * hz * i / FORMAT_LEGACY_RATE);
        double difference = sample_at(bench, i, channel) - ideal;
        error += difference * difference;
        power += ideal * ideal;
    }
    return 10 * log10(error / power);
}

static double level_db(const struct bench *bench, int channel)
{
    double power = 0;
    for (int i = 0; i < OUT_FRAMES; i++)
        power += sample_at(bench, i, channel) * sample_at(bench, i, channel);
    return 10 * log10(2 * power / OUT_FRAMES + 1e-20);
}

static void sines_come_out_as_sines(void **state)
{
    struct bench *bench = *state;
    static const double pitches[] = {20, 440, 997, 5000, 12000, 18000};
    for (size_t i = 0; i < sizeof pitches / sizeof pitches[0]; i++) {
        struct signal signal = {pitches[i], 1000, 0.99};
        play(bench, signal);
        encode_all(bench);
        assert_true(error_db(bench, 0, signal.left_hz, signal.level, 0, OUT_FRAMES) < -95);
        assert_true(error_db(bench, 1, signal.right_hz, signal.level, 0, OUT_FRAMES) < -95);
    }
}

static void chunk_joins_are_not_there(void **state)
{
    struct bench *bench = *state;
    play(bench, (struct signal){997, 3000, 0.99});
    encode_all(bench);
    for (int chunk = 1; chunk < CHUNKS; chunk++) {
        int join = chunk * FORMAT_LEGACY_FRAMES;
        assert_true(error_db(bench, 0, 997, 0.99, join - 50, join + 50) < -92);
        assert_true(error_db(bench, 1, 3000, 0.99, join - 50, join + 50) < -92);
    }
}

static void the_passband_is_flat(void **state)
{
    struct bench *bench = *state;
    play(bench, (struct signal){19000, 20000, 0.99});
    encode_all(bench);
    assert_true(fabs(level_db(bench, 0) - 20 * log10(0.99)) < 0.01);
    assert_true(fabs(level_db(bench, 1) - 20 * log10(0.99)) < 0.1);
}

// Scaled by 100, so that 100 dB down is half a step of 16 bits at -90 dB.
static void what_would_fold_back_is_gone(void **state)
{
    struct bench *bench = *state;
    play(bench, (struct signal){23950, 23980, 100});
    encode_all(bench);
    assert_true(level_db(bench, 0) - 40 < -100);
    assert_true(level_db(bench, 1) - 40 < -100);
}

static void chunks_depend_on_their_neighbours_only(void **state)
{
    struct bench *bench = *state;
    static uint8_t first[OUT_BYTES];
    play(bench, (struct signal){997, 3000, 0.99});
    encode_all(bench);
    memcpy(first, bench->bytes + 2 * OUT_BYTES, OUT_BYTES);
    memset(bench->bytes, 0, sizeof bench->bytes);
    encode_chunk(bench, 2);
    assert_memory_equal(bench->bytes + 2 * OUT_BYTES, first, OUT_BYTES);
    assert_int_equal(encoder_legacy.begin_frame(CHUNK_FRAMES), CHUNK_FRAMES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(sines_come_out_as_sines, setup, teardown),
        cmocka_unit_test_setup_teardown(chunk_joins_are_not_there, setup, teardown),
        cmocka_unit_test_setup_teardown(the_passband_is_flat, setup, teardown),
        cmocka_unit_test_setup_teardown(what_would_fold_back_is_gone, setup, teardown),
        cmocka_unit_test_setup_teardown(chunks_depend_on_their_neighbours_only, setup, teardown),
    };
    return cmocka_run_group_tests_name("legacy", tests, NULL, NULL);
}
