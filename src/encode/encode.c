#include "encode/encode.h"

const struct encoder *const encoders[FORMAT_COUNT] = {
    [FORMAT_LEGACY] = &encoder_legacy,
    [FORMAT_OPUS] = &encoder_opus,
    [FORMAT_PCM] = &encoder_pcm,
};
