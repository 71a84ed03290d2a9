#include "client/decoder.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <opus.h>

#include "base/check.h"
#include "base/frames.h"

// As many chunks are kept as a server may send ahead, and some.
enum { DECODER_KEPT = 1024, DECODER_PRIMING_CHUNKS = 4 };

// What came last for a chunk's frames.
struct packets {
    uint64_t first_frame;
    uint8_t *bytes;              // NULL: nothing
    size_t cap;
    int count;
    uint16_t packet_bytes[CHUNK_PACKETS];
};

struct decoder {
    OpusDecoder *opus;
    uint64_t next_frame;         // where it stands
    bool stands;                 // it stands somewhere
    struct packets kept[DECODER_KEPT];
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
    for (int i = 0; i < DECODER_KEPT; i++)
        free(decoder->kept[i].bytes);
    opus_decoder_destroy(decoder->opus);
    free(decoder);
}

static void decoder_reset(struct decoder *decoder)
{
    check(opus_decoder_ctl(decoder->opus, OPUS_RESET_STATE) == OPUS_OK);
}

// What was kept is of another bit rate.
void decoder_renew(struct decoder *decoder)
{
    decoder_reset(decoder);
    decoder->stands = false;
    for (int i = 0; i < DECODER_KEPT; i++)
        decoder->kept[i].count = 0;
}

static int decoder_packets(struct decoder *decoder, const uint8_t *at, const uint16_t *packet_bytes, int count,
                           uint64_t *errors)
{
    int frames = 0;
    for (int i = 0; i < count && frames < DECODER_MAX_FRAMES; i++) {
        float *out = decoder->sound + frames * CHANNELS;
        int got = opus_decode_float(decoder->opus, at, packet_bytes[i], out, PACKET_FRAMES, 0);
        if (got != PACKET_FRAMES) {
            (*errors)++;
            memset(out, 0, PACKET_FRAMES * CHANNELS * sizeof *out);
        }
        frames += PACKET_FRAMES;
        at += packet_bytes[i];
    }
    return frames;
}

static struct packets *decoder_place(struct decoder *decoder, uint64_t first_frame)
{
    return &decoder->kept[first_frame / CHUNK_FRAMES % DECODER_KEPT];
}

// Without memory, or of another length, it is not kept.
static void decoder_keep(struct decoder *decoder, const struct client_chunk *chunk)
{
    struct packets *packets = decoder_place(decoder, chunk->first_frame);
    packets->count = 0;
    if (chunk->packet_count != CHUNK_PACKETS)
        return;
    if (chunk->payload_bytes > packets->cap) {
        free(packets->bytes);
        packets->bytes = malloc(chunk->payload_bytes);
        packets->cap = packets->bytes ? chunk->payload_bytes : 0;
    }
    if (!packets->bytes)
        return;
    packets->first_frame = chunk->first_frame;
    packets->count = CHUNK_PACKETS;
    memcpy(packets->bytes, chunk->payload, chunk->payload_bytes);
    memcpy(packets->packet_bytes, chunk->packet_bytes, sizeof packets->packet_bytes);
}

// What is decoded here nobody hears, so its errors count for nothing.
static void decoder_prime(struct decoder *decoder, uint64_t frame)
{
    uint64_t errors = 0;
    decoder_reset(decoder);
    for (uint64_t back = DECODER_PRIMING_CHUNKS; back > 0; back--) {
        uint64_t first = frame - back * CHUNK_FRAMES;
        const struct packets *packets = decoder_place(decoder, first);
        if (packets->count > 0 && packets->first_frame == first)
            decoder_packets(decoder, packets->bytes, packets->packet_bytes, packets->count, &errors);
    }
}

static int decoder_opus(struct decoder *decoder, const struct client_chunk *chunk, uint64_t *errors)
{
    if (decoder->stands && chunk->first_frame != decoder->next_frame)
        decoder_prime(decoder, chunk->first_frame);
    decoder->stands = true;
    decoder->next_frame = chunk->first_frame + chunk->frame_count;
    decoder_keep(decoder, chunk);
    return decoder_packets(decoder, chunk->payload, chunk->packet_bytes, chunk->packet_count, errors);
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
