// 44.1 kHz, signed 16-bit little-endian, interleaved, base64: what the old clients play.
//
// 48 to 44.1 kHz is 147/160, so output n stands at input time n x 160 / 147 and a chunk of 4,800 frames gives 4,410
// exactly, with the same 147 phases in each chunk. The filter is a sinc under a Kaiser window, cut at 22.05 kHz: flat
// to 20.2 kHz, more than 100 dB down from 23.9 kHz on, so that nothing folds back below 20.2 kHz. No state passes from
// chunk to chunk: what lies outside a chunk is read from its neighbours.
#include <math.h>
#include <string.h>

#include "base/base64.h"
#include "encode/encode.h"
#include "encode/quantise.h"

enum {
    PHASES = 147,           // output frames in a period
    PERIOD = 160,           // input frames in a period
    HALF_TAPS = 48,         // input frames on either side of an output frame
    TAPS = 2 * HALF_TAPS,
    SAMPLES = FORMAT_LEGACY_FRAMES * CHANNELS,
};

#define KAISER_BETA 11.2

// One vector holds two stereo frames.
typedef float lanes __attribute__((vector_size(16)));
enum { LANES = 4, VECTORS = TAPS * CHANNELS / LANES, SUMS = 4 };

// Each coefficient twice, once a channel.
struct legacy {
    float taps[PHASES][TAPS * CHANNELS];
};

// What one chunk is made from: the chunk and what the filter reads beside it.
struct window {
    float frames[(HALF_TAPS + CHUNK_FRAMES + HALF_TAPS) * CHANNELS];
};

// Modified Bessel function of the first kind, order 0, by its power series.
static double bessel_i0(double x)
{
    double sum = 1, term = 1;
    for (int k = 1; term > sum * 1e-18; k++) {
        term *= (x / (2 * k)) * (x / (2 * k));
        sum += term;
    }
    return sum;
}

// The filter's value `t` input frames from its middle.
static double filter_at(double t)
{
    double edge = t / HALF_TAPS;
    if (edge <= -1 || edge >= 1)
        return 0;
    double x = M_PI * t * PHASES / PERIOD;
    double sinc = x == 0 ? 1 : sin(x) / x;
    return sinc * bessel_i0(KAISER_BETA * sqrt(1 - edge * edge));
}

// Tap j of a phase weighs the frame j - (HALF_TAPS - 1) after the output's own. Each phase sums to one.
static void phase_init(float *taps, int phase)
{
    double value[TAPS], sum = 0;
    for (int j = 0; j < TAPS; j++)
        sum += value[j] = filter_at(j - (HALF_TAPS - 1) - (double)phase / PHASES);
    for (int j = 0; j < TAPS; j++)
        taps[2 * j] = taps[2 * j + 1] = (float)(value[j] / sum);
}

static enum status legacy_init(void *state)
{
    struct legacy *legacy = state;
    for (int phase = 0; phase < PHASES; phase++)
        phase_init(legacy->taps[phase], phase);
    return STATUS_OK;
}

static uint64_t legacy_begin_frame(uint64_t first_frame)
{
    return first_frame;
}

static lanes load(const float *from)
{
    lanes value;
    memcpy(&value, from, sizeof value);
    return value;
}

// One output frame from the TAPS frames at `in`. The sums are added in one fixed order.
static void convolve(const float *in, const float *taps, float *out)
{
    lanes sums[SUMS] = {{0}};
    for (int i = 0; i < VECTORS; i += SUMS)
        for (int k = 0; k < SUMS; k++)
            sums[k] += load(in + LANES * (i + k)) * load(taps + LANES * (i + k));
    lanes sum = (sums[0] + sums[1]) + (sums[2] + sums[3]);
    out[0] = sum[0] + sum[2];
    out[1] = sum[1] + sum[3];
}

static void window_fill(struct window *window, const struct encode_input *input)
{
    size_t side = HALF_TAPS * CHANNELS, middle = CHUNK_FRAMES * CHANNELS;
    memcpy(window->frames, input->before + middle - side, side * sizeof(float));
    memcpy(window->frames + side, input->pcm, middle * sizeof(float));
    memcpy(window->frames + side + middle, input->after, side * sizeof(float));
}

static void resample(const struct legacy *legacy, const struct window *window, float *out)
{
    for (int n = 0; n < FORMAT_LEGACY_FRAMES; n++) {
        int position = n * PERIOD;
        const float *in = window->frames + (position / PHASES + 1) * CHANNELS;
        convolve(in, legacy->taps[position % PHASES], out + CHANNELS * n);
    }
}

static enum status legacy_encode(void *state, const struct encode_input *input, struct encode_output *output)
{
    struct window window;
    float samples[SAMPLES];
    uint8_t bytes[SAMPLES * 2];
    window_fill(&window, input);
    resample(state, &window, samples);
    quantise_s16(samples, SAMPLES, bytes);
    base64_encode(bytes, sizeof bytes, output->bytes);
    output->len = FORMAT_LEGACY_BASE64_BYTES;
    output->packet_count = 0;
    return STATUS_OK;
}

const struct encoder encoder_legacy = {
    .format = FORMAT_LEGACY,
    .looks_ahead = true,
    .state_bytes = sizeof(struct legacy),
    .max_bytes = FORMAT_LEGACY_BASE64_BYTES,
    .begin_frame = legacy_begin_frame,
    .init = legacy_init,
    .encode = legacy_encode,
};
