// Signed 16-bit little-endian, interleaved.
#include "encode/encode.h"
#include "encode/quantise.h"

enum { PCM_BYTES = CHUNK_FRAMES * CHANNELS * 2 };

static uint64_t pcm_begin_frame(uint64_t first_frame)
{
    return first_frame;
}

static enum status pcm_init(void *state)
{
    return STATUS_OK;
}

static enum status pcm_encode(void *state, const struct encode_input *input, struct encode_output *output)
{
    quantise_s16(input->pcm, CHUNK_FRAMES * CHANNELS, output->bytes);
    output->len = PCM_BYTES;
    output->packet_count = 0;
    return STATUS_OK;
}

const struct encoder encoder_pcm = {
    .format = FORMAT_PCM,
    .codec = MESSAGE_CODEC_PCM,
    .max_bytes = PCM_BYTES,
    .begin_frame = pcm_begin_frame,
    .init = pcm_init,
    .encode = pcm_encode,
};
