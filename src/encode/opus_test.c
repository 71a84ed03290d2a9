#include <math.h>
#include <opus/opus.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/hash.h"
#include "base/random.h"
#include "encode/encode.h"

enum {
    CHUNKS = 320,                            // three takeovers
    FRAMES = CHUNKS * CHUNK_FRAMES,
    TAKEOVER = 10 * FRAME_RATE,
    MAX_BYTES = CHUNK_PACKETS * 1275,
};

// What a rung has to reach. Below some frequency left and right are coded apart, above it only their levels are.
static const struct promise {
    double error_db;
    int middle_khz, side_khz;
} promises[FORMAT_OPUS_RUNGS] = {{-15, 18, 18}, {-13, 18, 14}, {-9, 18, 6}};

// One rung, and an encode of the whole programme in it without an interruption. Each rung is a run of its own.
struct bench {
    const struct encoder *encoder;
    float *pcm, *decoded;
    void *opus;
    uint64_t hashes[CHUNKS];
    double bytes;
};

static const struct encoder *rung;   // the one that this run looks at

// Some slow partials that beat, and noise that comes and goes: tonal and noisy, never still.
static void compose(float *pcm)
{
    static const double pitches[] = {110, 164.8, 220.7, 329.1, 440.3, 1318.5, 3951};
    for (int i = 0; i < FRAMES; i++) {
        double t = (double)i / FRAME_RATE, left = 0, right = 0;
        for (int k = 0; k < 7; k++) {
            double swell = 0.5 + 0.5 * sin(2 * M_PI * t * 0.07 * (k + 1));
            left += 0.08 * swell * sin(2 * M_PI * pitches[k] * t);
            right += 0.08 * swell * sin(2 * M_PI * pitches[k] * 1.003 * t + k);
        }
        double noise = (random_unit(1, 1, (uint64_t)i) - 0.5) * 0.05 * (0.5 + 0.5 * sin(t));
        pcm[2 * i] = (float)(left + noise);
        pcm[2 * i + 1] = (float)(right - noise);
    }
}

static enum status encode_chunk(struct bench *bench, int chunk, struct encode_output *output)
{
    static const float silence[CHUNK_FRAMES * CHANNELS];
    const float *pcm = bench->pcm + (size_t)chunk * CHUNK_FRAMES * CHANNELS;
    struct encode_input input = {.first_frame = (uint64_t)chunk * CHUNK_FRAMES,
                                 .pcm = pcm,
                                 .before = chunk ? pcm - CHUNK_FRAMES * CHANNELS : silence};
    return bench->encoder->encode(bench->opus, &input, output);
}

static void decode_chunk(OpusDecoder *decoder, const struct encode_output *output, float *out)
{
    const uint8_t *packet = output->bytes;
    for (int i = 0; i < output->packet_count; i++) {
        int frames = opus_decode_float(decoder, packet, output->packet_bytes[i], out + i * PACKET_FRAMES * CHANNELS,
                                       PACKET_FRAMES, 0);
        assert_int_equal(frames, PACKET_FRAMES);
        packet += output->packet_bytes[i];
    }
    assert_int_equal(packet - output->bytes, output->len);
}

static void encode_all(struct bench *bench)
{
    static uint8_t bytes[MAX_BYTES];
    int error;
    OpusDecoder *decoder = opus_decoder_create(FRAME_RATE, CHANNELS, &error);
    assert_int_equal(bench->encoder->init(bench->opus), STATUS_OK);
    for (int i = 0; i < CHUNKS; i++) {
        struct encode_output output = {.bytes = bytes};
        assert_int_equal(encode_chunk(bench, i, &output), STATUS_OK);
        assert_int_equal(output.packet_count, CHUNK_PACKETS);
        decode_chunk(decoder, &output, bench->decoded + (size_t)i * CHUNK_FRAMES * CHANNELS);
        bench->hashes[i] = hash_bytes(bytes, output.len);
        bench->bytes += (double)output.len;
    }
    opus_decoder_destroy(decoder);
}

static int setup(void **state)
{
    struct bench *bench = calloc(1, sizeof *bench);
    bench->encoder = rung;
    bench->pcm = malloc((size_t)FRAMES * CHANNELS * sizeof(float));
    bench->decoded = malloc((size_t)FRAMES * CHANNELS * sizeof(float));
    bench->opus = aligned_alloc(64, (bench->encoder->state_bytes + 63) / 64 * 64);
    *state = bench;
    compose(bench->pcm);
    encode_all(bench);
    return 0;
}

static int teardown(void **state)
{
    struct bench *bench = *state;
    free(bench->pcm);
    free(bench->decoded);
    free(bench->opus);
    free(bench);
    return 0;
}

// Encodes as a station does that has to publish from `chunk` on: begins where it must, drops what came before.
static void assert_same_from(struct bench *bench, int chunk, int count)
{
    static uint8_t bytes[MAX_BYTES];
    int begin = (int)(bench->encoder->begin_frame((uint64_t)chunk * CHUNK_FRAMES) / CHUNK_FRAMES);
    assert_in_range(begin, chunk > 102 ? chunk - 102 : 0, chunk);
    memset(bench->opus, 0x55, bench->encoder->state_bytes);
    assert_int_equal(bench->encoder->init(bench->opus), STATUS_OK);
    for (int i = begin; i < chunk + count && i < CHUNKS; i++) {
        struct encode_output output = {.bytes = bytes};
        assert_int_equal(encode_chunk(bench, i, &output), STATUS_OK);
        if (i >= chunk)
            assert_int_equal(output.packet_count, CHUNK_PACKETS);
        if (output.len > 0)
            assert_true(hash_bytes(bytes, output.len) == bench->hashes[i]);
        else
            assert_int_equal(output.packet_count, 0);
    }
}

static void packets_do_not_tell_where_encoding_began(void **state)
{
    for (int chunk = 0; chunk < CHUNKS; chunk += 37)
        assert_same_from(*state, chunk, 3);
    for (int takeover = 100; takeover < CHUNKS; takeover += 100)
        for (int chunk = takeover - 3; chunk <= takeover + 1; chunk++)
            assert_same_from(*state, chunk, 6);
}

static void a_changed_sample_changes_packets_until_the_takeover(void **state)
{
    struct bench *bench = *state;
    static uint8_t bytes[MAX_BYTES];
    size_t changed = (size_t)80 * CHUNK_FRAMES * CHANNELS;
    float was = bench->pcm[changed];
    bench->pcm[changed] += 0.5f;
    assert_int_equal(bench->encoder->init(bench->opus), STATUS_OK);
    for (int i = 0; i < 110; i++) {
        struct encode_output output = {.bytes = bytes};
        assert_int_equal(encode_chunk(bench, i, &output), STATUS_OK);
        bool same = hash_bytes(bytes, output.len) == bench->hashes[i];
        if (i == 80)
            assert_false(same);
        if (i < 80 || i >= 100)
            assert_true(same);
    }
    bench->pcm[changed] = was;
}

static void assert_same(struct bench *bench, int from, int to)
{
    static uint8_t bytes[MAX_BYTES];
    for (int i = from; i < to; i++) {
        struct encode_output output = {.bytes = bytes};
        assert_int_equal(encode_chunk(bench, i, &output), STATUS_OK);
        assert_true(hash_bytes(bytes, output.len) == bench->hashes[i]);
    }
}

// From any snapshot the same packets come again, whatever the state had been used for meanwhile; and there is one but
// for a moment before each takeover.
static void it_goes_on_from_a_snapshot_alike(void **state)
{
    struct bench *bench = *state;
    void *snapshot = aligned_alloc(64, (bench->encoder->snapshot_bytes() + 63) / 64 * 64);
    assert_int_equal(bench->encoder->init(bench->opus), STATUS_OK);
    for (int i = 0; i < CHUNKS - 12; i++) {
        assert_same(bench, i, i + 1);
        bool saved = bench->encoder->save(bench->opus, snapshot);
        assert_int_equal(saved, (i + 1) % 100 != 0 && (i + 1) % 100 != 99);
        if (!saved || i % 7 != 0)
            continue;
        assert_same(bench, i + 1, i + 12);
        bench->encoder->restore(bench->opus, snapshot);
    }
    free(snapshot);
}

// Mean square of what the decoder gave against what was fed, over `frames` from `from` on of the original.
static double error_power(const struct bench *bench, int from, int frames, int delay)
{
    double sum = 0;
    for (int i = from * CHANNELS; i < (from + frames) * CHANNELS; i++) {
        double difference = bench->decoded[i + delay * CHANNELS] - bench->pcm[i];
        sum += difference * difference;
    }
    return sum / frames;
}

static void the_decoder_delay_is_as_told(void **state)
{
    struct bench *bench = *state;
    int delay = (int)bench->encoder->decoder_delay_frames;
    assert_int_equal(delay, 312);
    double told = error_power(bench, FRAME_RATE, FRAME_RATE, delay);
    for (int other = delay - 3; other <= delay + 3; other++)
        assert_true(other == delay || error_power(bench, FRAME_RATE, FRAME_RATE, other) > told);
}

static double power_db(double part, double whole)
{
    return 10 * log10(part / whole);
}

static void what_is_decoded_is_what_was_fed(void **state)
{
    struct bench *bench = *state;
    double power = 0, rate = (double)format_bitrate(bench->encoder->format);
    for (int i = 0; i < FRAMES * CHANNELS; i++)
        power += (double)bench->pcm[i] * bench->pcm[i] / FRAMES;
    double error = error_power(bench, FRAME_RATE, FRAMES - 2 * FRAME_RATE, (int)bench->encoder->decoder_delay_frames);
    double bits = bench->bytes * 8 / FRAMES * FRAME_RATE;
    print_message("# error %.1f dB, %.0f bit/s\n", power_db(error, power), bits);
    assert_true(power_db(error, power) < promises[bench->encoder->format - FORMAT_OPUS].error_db);
    assert_true(bits > rate / 2 && bits < rate * 3 / 2);
}

// Power of both channels' sum (sign 1) or difference (-1) in a band of 1 kHz from `from_hz` on, over two seconds.
static double band_power(const float *sound, int sign, double from_hz)
{
    enum { SPAN = 960 };
    double power = 0;
    for (double hz = from_hz; hz < from_hz + 1000; hz += (double)FRAME_RATE / SPAN) {
        double turn = 2 * cos(2 * M_PI * hz / FRAME_RATE);
        for (int span = 0; span < 100; span++) {
            double a = 0, b = 0;
            for (int i = 0; i < SPAN; i++) {
                const float *frame = sound + ((size_t)span * SPAN + (size_t)i) * CHANNELS;
                double window = 0.5 - 0.5 * cos(2 * M_PI * i / SPAN);
                double next = window * ((double)frame[0] + sign * (double)frame[1]) + turn * a - b;
                b = a;
                a = next;
            }
            power += a * a + b * b - turn * a * b;
        }
    }
    return power;
}

// Up to which frequency, in kHz, noise comes back at least at half of its level, and stereo too.
static int bandwidth_khz(const struct bench *bench, int sign)
{
    const float *fed = bench->pcm + 12 * FRAME_RATE * CHANNELS;
    const float *got = bench->decoded + (12 * FRAME_RATE + bench->encoder->decoder_delay_frames) * CHANNELS;
    int khz = 6;
    while (khz < 20 && power_db(band_power(got, sign, khz * 1e3), band_power(fed, sign, khz * 1e3)) > -6)
        khz++;
    return khz;
}

static void the_whole_band_is_there_in_stereo(void **state)
{
    struct bench *bench = *state;
    static uint8_t bytes[MAX_BYTES];
    struct encode_output output = {.bytes = bytes};
    assert_int_equal(bench->encoder->init(bench->opus), STATUS_OK);
    assert_int_equal(encode_chunk(bench, 0, &output), STATUS_OK);
    assert_int_equal(opus_packet_get_bandwidth(bytes), OPUS_BANDWIDTH_FULLBAND);
    assert_int_equal(opus_packet_get_nb_channels(bytes), CHANNELS);
    int middle = bandwidth_khz(bench, 1), side = bandwidth_khz(bench, -1);
    print_message("# bandwidth: middle %d kHz, side %d kHz\n", middle, side);
    const struct promise *promise = &promises[bench->encoder->format - FORMAT_OPUS];
    assert_true(middle >= promise->middle_khz && side >= promise->side_khz);
}

// The error over 5 ms anywhere within 60 ms around a takeover is none that does not occur elsewhere.
static void takeovers_do_not_click(void **state)
{
    struct bench *bench = *state;
    int delay = (int)bench->encoder->decoder_delay_frames, step = FRAME_RATE / 200;
    double elsewhere = 0, around = 0;
    for (int from = FRAME_RATE; from < FRAMES - FRAME_RATE; from += step) {
        int distance = abs((from + TAKEOVER / 2) % TAKEOVER - TAKEOVER / 2);
        double error = error_power(bench, from, step, delay);
        if (distance < 12 * step)
            around = fmax(around, error);
        else
            elsewhere = fmax(elsewhere, error);
    }
    print_message("# takeover error %.1f dB over the worst elsewhere\n", power_db(around, elsewhere));
    assert_true(around < 1.5 * elsewhere);
}

static void the_id_names_library_and_settings(void **state)
{
    struct bench *bench = *state;
    enum format format = bench->encoder->format;
    char bitrate[16];
    snprintf(bitrate, sizeof bitrate, " %u b/s", format_bitrate(format));
    const char *id = encode_opus_id(format);
    assert_non_null(strstr(id, opus_get_version_string()));
    assert_non_null(strstr(id, bitrate));
    assert_true(strlen(id) < 120);
    assert_ptr_equal(id, encode_opus_id(format));
}

// The first argument is the rung: "opus", "opus-64" or "opus-32".
int main(int argc, char **argv)
{
    enum format format = FORMAT_OPUS;
    if (argc > 1 && (!format_from_name(argv[1], &format) || !format_is_opus(format)))
        return 2;
    rung = encoders[format];
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(packets_do_not_tell_where_encoding_began),
        cmocka_unit_test(a_changed_sample_changes_packets_until_the_takeover),
        cmocka_unit_test(it_goes_on_from_a_snapshot_alike),
        cmocka_unit_test(the_decoder_delay_is_as_told),
        cmocka_unit_test(what_is_decoded_is_what_was_fed),
        cmocka_unit_test(the_whole_band_is_there_in_stereo),
        cmocka_unit_test(takeovers_do_not_click),
        cmocka_unit_test(the_id_names_library_and_settings),
    };
    return cmocka_run_group_tests_name(format_name(format), tests, setup, teardown);
}
