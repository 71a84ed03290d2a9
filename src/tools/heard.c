#include "tools/heard.h"

#include <stdlib.h>
#include <string.h>

enum { SAMPLES = CHUNK_FRAMES * CHANNELS };

static enum status heard_decode(struct heard *heard, float *out)
{
    struct encode_output output = {.bytes = heard->bytes};
    enum status status = encoding_next(&heard->encoding, &output);
    if (status != STATUS_OK)
        return status;
    struct client_chunk chunk = {.payload = output.bytes, .payload_bytes = output.len,
                                 .packet_bytes = output.packet_bytes, .packet_count = output.packet_count};
    const float *sound;
    uint64_t errors = 0;
    if (decoder_feed(heard->decoder, &chunk, &sound, &errors) != CHUNK_FRAMES || errors > 0)
        return STATUS_IO;
    memcpy(out, sound, SAMPLES * sizeof *out);
    return STATUS_OK;
}

// A decoder needs some packets before it gives what the encoder had: the chunk before is decoded and dropped.
static enum status heard_start(struct heard *heard, const struct program *program, const struct backend *backend,
                               uint64_t first_frame)
{
    uint64_t begin = first_frame > 0 ? first_frame - CHUNK_FRAMES : 0;
    enum status status = encoding_init(&heard->encoding, program, backend, &encoder_opus, begin);
    if (status == STATUS_OK && begin < first_frame)
        status = heard_decode(heard, heard->sound);
    return status == STATUS_OK ? heard_decode(heard, heard->sound) : status;
}

enum status heard_init(struct heard *heard, const struct program *program, const struct backend *backend,
                       uint64_t first_frame)
{
    *heard = (struct heard){.decoder = decoder_create(), .bytes = malloc(encoder_opus.max_bytes),
                            .sound = calloc(2 * SAMPLES, sizeof(float))};
    enum status status = STATUS_MEMORY;
    if (heard->decoder && heard->bytes && heard->sound)
        status = heard_start(heard, program, backend, first_frame);
    if (status != STATUS_OK)
        heard_finish(heard);
    return status;
}

enum status heard_next(struct heard *heard, float *out)
{
    enum status status = heard_decode(heard, heard->sound + SAMPLES);
    if (status != STATUS_OK)
        return status;
    memcpy(out, heard->sound + encoder_opus.decoder_delay_frames * CHANNELS, SAMPLES * sizeof *out);
    memmove(heard->sound, heard->sound + SAMPLES, SAMPLES * sizeof *heard->sound);
    return STATUS_OK;
}

void heard_finish(struct heard *heard)
{
    encoding_finish(&heard->encoding);
    decoder_destroy(heard->decoder);
    free(heard->bytes);
    free(heard->sound);
    *heard = (struct heard){0};
}
