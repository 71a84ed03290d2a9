#include "encode/encode.h"

const struct encoder *const encoders[FORMAT_COUNT] = {
    [FORMAT_LEGACY] = &encoder_legacy,
    [FORMAT_OPUS] = &encoder_opus,
    [FORMAT_OPUS_32] = &encoder_opus_32,
    [FORMAT_OPUS_64] = &encoder_opus_64,
    [FORMAT_PCM] = &encoder_pcm,
};
