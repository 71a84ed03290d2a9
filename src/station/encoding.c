#include "station/encoding.h"

#include <stdlib.h>
#include <string.h>

enum { SOUNDS = 3, SAMPLES = CHUNK_FRAMES * CHANNELS, STATE_ALIGNMENT = 64 };

static float *encoding_sound(struct encoding *encoding, int place)
{
    return encoding->sound + place * SAMPLES;
}

static bool encoding_claim(struct encoding *encoding)
{
    size_t bytes = frames_round_up(encoding->encoder->state_bytes + 1, STATE_ALIGNMENT);
    encoding->sound = calloc(SOUNDS * SAMPLES, sizeof *encoding->sound);
    encoding->state = aligned_alloc(STATE_ALIGNMENT, bytes);
    return encoding->sound && encoding->state;
}

// Frame 0 has silence before it.
static enum status encoding_start(struct encoding *encoding, const struct program *program,
                                  const struct backend *backend)
{
    uint64_t begin = encoding->encoder->begin_frame(encoding->first_frame);
    encoding->next_frame = begin;
    encoding->filled = begin == 0;
    enum status status = renderer_init(&encoding->renderer, program, backend, begin == 0 ? 0 : begin - CHUNK_FRAMES,
                                       CHUNK_FRAMES);
    return status == STATUS_OK ? encoding->encoder->init(encoding->state) : status;
}

enum status encoding_init(struct encoding *encoding, const struct program *program, const struct backend *backend,
                          const struct encoder *encoder, uint64_t first_frame)
{
    *encoding = (struct encoding){.encoder = encoder, .first_frame = first_frame};
    enum status status = encoding_claim(encoding) ? encoding_start(encoding, program, backend) : STATUS_MEMORY;
    if (status != STATUS_OK)
        encoding_finish(encoding);
    return status;
}

static enum status encoding_feed(struct encoding *encoding, struct encode_output *output)
{
    struct encode_input input = {.first_frame = encoding->next_frame, .pcm = encoding_sound(encoding, 1),
                                 .before = encoding_sound(encoding, 0), .after = encoding_sound(encoding, 2)};
    encoding->next_frame += CHUNK_FRAMES;
    return encoding->encoder->encode(encoding->state, &input, output);
}

enum status encoding_step(struct encoding *encoding, struct encode_output *output, bool *made)
{
    *made = false;
    if (renderer_approach(&encoding->renderer))
        return STATUS_OK;
    memmove(encoding->sound, encoding_sound(encoding, 1), 2 * SAMPLES * sizeof(float));
    renderer_chunk(&encoding->renderer, encoding_sound(encoding, 2));
    if (encoding->filled < SOUNDS && ++encoding->filled < SOUNDS)
        return STATUS_OK;
    bool wanted = encoding->next_frame >= encoding->first_frame;
    enum status status = encoding_feed(encoding, output);
    *made = wanted && status == STATUS_OK;
    return status;
}

enum status encoding_next(struct encoding *encoding, struct encode_output *output)
{
    enum status status = STATUS_OK;
    for (bool made = false; status == STATUS_OK && !made;)
        status = encoding_step(encoding, output, &made);
    return status;
}

void encoding_finish(struct encoding *encoding)
{
    renderer_finish(&encoding->renderer);
    free(encoding->sound);
    free(encoding->state);
    *encoding = (struct encoding){0};
}
