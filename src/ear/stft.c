#include "ear/stft.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <kiss_fft.h>

bool stft_init(struct stft *stft, int size, int hop)
{
    size_t count = (size_t)size;
    *stft = (struct stft){
        .size = size, .hop = hop,
        .window = malloc(count * sizeof *stft->window),
        .frames = malloc(2 * count * sizeof *stft->frames),
        .in = malloc(2 * count * sizeof *stft->in),
        .out = malloc(2 * count * sizeof *stft->out),
        .power = malloc((count / 2 + 1) * sizeof *stft->power),
        .fft = kiss_fft_alloc(size, 0, NULL, NULL),
    };
    if (!stft->window || !stft->frames || !stft->in || !stft->out || !stft->power || !stft->fft)
        return false;
    for (int i = 0; i < size; i++)
        stft->window[i] = (float)(.5 - .5 * cos(2 * M_PI * i / size));
    return true;
}

static double stft_bin(const float *out, size_t bin)
{
    double re = out[2 * bin], im = out[2 * bin + 1];
    return re * re + im * im;
}

// The squares of bin k and of its mirror image together are twice those of left and right together.
static void stft_transform(struct stft *stft)
{
    size_t size = (size_t)stft->size;
    for (size_t i = 0; i < size; i++) {
        stft->in[2 * i] = stft->frames[2 * i] * stft->window[i];
        stft->in[2 * i + 1] = stft->frames[2 * i + 1] * stft->window[i];
    }
    kiss_fft(stft->fft, (const kiss_fft_cpx *)stft->in, (kiss_fft_cpx *)stft->out);
    double window_squares = .375 * (double)size, scale = .5 / ((double)size * window_squares);
    for (size_t bin = 0; bin <= size / 2; bin++)
        stft->power[bin] = scale * (stft_bin(stft->out, bin) + stft_bin(stft->out, (size - bin) % size));
    stft->power[0] /= 2;
    stft->power[size / 2] /= 2;
}

void stft_add(struct stft *stft, const float *stereo, size_t frames, stft_sink *sink, void *context)
{
    size_t size = (size_t)stft->size, hop = (size_t)stft->hop;
    while (frames > 0) {
        size_t room = size - stft->filled, take = frames < room ? frames : room;
        memcpy(stft->frames + 2 * stft->filled, stereo, 2 * take * sizeof *stereo);
        stft->filled += take;
        stereo += 2 * take;
        frames -= take;
        if (stft->filled == size) {
            stft_transform(stft);
            sink(context, stft->power);
            memmove(stft->frames, stft->frames + 2 * hop, 2 * (size - hop) * sizeof *stft->frames);
            stft->filled = size - hop;
        }
    }
}

void stft_finish(struct stft *stft)
{
    free(stft->window);
    free(stft->frames);
    free(stft->in);
    free(stft->out);
    free(stft->power);
    kiss_fft_free(stft->fft);
    *stft = (struct stft){0};
}
