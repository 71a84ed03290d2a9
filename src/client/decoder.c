#include "client/decoder.h"

#include <stdlib.h>
#include <string.h>

#include <opus.h>

#include "base/check.h"
#include "base/frames.h"

struct decoder {
    OpusDecoder *opus;
    float sound[DECODER_MAX_FRAMES * CHANNELS];
};

struct decoder *decoder_create(void)
{
    struct decoder *decoder = calloc(1, sizeof *decoder);
    int error;
    if (!decoder)
        return NULL;
    decoder->opus = opus_decoder_create(FRAME_RATE, CHANNELS, &error);
    if (!decoder->opus) {
        free(decoder);
        return NULL;
    }
    return decoder;
}

void decoder_destroy(struct decoder *decoder)
{
    if (!decoder)
        return;
    opus_decoder_destroy(decoder->opus);
    free(decoder);
}

void decoder_renew(struct decoder *decoder)
{
    check(opus_decoder_ctl(decoder->opus, OPUS_RESET_STATE) == OPUS_OK);
}

static int decoder_opus(struct decoder *decoder, const struct client_chunk *chunk, uint64_t *errors)
{
    const uint8_t *at = chunk->payload;
    int frames = 0;
    for (int i = 0; i < chunk->packet_count && frames < DECODER_MAX_FRAMES; i++) {
        float *out = decoder->sound + frames * CHANNELS;
        int got = opus_decode_float(decoder->opus, at, chunk->packet_bytes[i], out, PACKET_FRAMES, 0);
        if (got != PACKET_FRAMES) {
            (*errors)++;
            memset(out, 0, PACKET_FRAMES * CHANNELS * sizeof *out);
        }
        frames += PACKET_FRAMES;
        at += chunk->packet_bytes[i];
    }
    return frames;
}

static int decoder_pcm(struct decoder *decoder, const struct client_chunk *chunk)
{
    size_t samples = chunk->payload_bytes / 2, room = DECODER_MAX_FRAMES * CHANNELS;
    if (samples > room)
        samples = room;
    for (size_t i = 0; i < samples; i++) {
        int16_t value = (int16_t)(chunk->payload[2 * i] | chunk->payload[2 * i + 1] << 8);
        decoder->sound[i] = (float)value / 32768.0f;
    }
    return (int)(samples / CHANNELS);
}

int decoder_feed(struct decoder *decoder, const struct client_chunk *chunk, const float **sound, uint64_t *errors)
{
    *sound = decoder->sound;
    return chunk->packet_count > 0 ? decoder_opus(decoder, chunk, errors) : decoder_pcm(decoder, chunk);
}
