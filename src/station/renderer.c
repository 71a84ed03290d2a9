#include "station/renderer.h"

#include <stdlib.h>

#include "base/check.h"

enum { STATE_ALIGNMENT = 64, CHUNK_BYTES = CHUNK_FRAMES * CHANNELS * sizeof(float) };

// Stands where what comes from the next chunk on can be made.
static void renderer_start(struct renderer *renderer)
{
    const struct program *program = renderer->program;
    renderer->woken = mood_log_woken(program->log, renderer->next_frame);
    programme_start(renderer->programme, program, programme_begin_frame(program, renderer->next_frame));
}

// Renders `frames`, at most CHUNK_FRAMES.
static void renderer_advance(struct renderer *renderer, float *out, int frames)
{
    for (int done = 0; done < frames;) {
        int take = frames - done < renderer->block_frames ? frames - done : renderer->block_frames;
        programme_render(renderer->programme, renderer->program, renderer->backend, out + done * CHANNELS, take);
        done += take;
    }
}

enum status renderer_init(struct renderer *renderer, const struct program *program, const struct backend *backend,
                          uint64_t first_frame, int block_frames)
{
    check(first_frame % CHUNK_FRAMES == 0 && block_frames >= 1 && block_frames <= CHUNK_FRAMES);
    *renderer = (struct renderer){
        .programme = aligned_alloc(STATE_ALIGNMENT, programme_bytes()), .program = program, .backend = backend,
        .next_frame = first_frame, .block_frames = block_frames, .scratch = malloc(CHUNK_BYTES),
    };
    if (!renderer->programme || !renderer->scratch) {
        renderer_finish(renderer);
        return STATUS_MEMORY;
    }
    renderer_start(renderer);
    return STATUS_OK;
}

bool renderer_approach(struct renderer *renderer)
{
    if (mood_log_woken(renderer->program->log, renderer->next_frame) != renderer->woken)
        renderer_start(renderer);
    uint64_t at = programme_frame(renderer->programme);
    if (at >= renderer->next_frame)
        return false;
    uint64_t left = renderer->next_frame - at;
    renderer_advance(renderer, renderer->scratch, left < CHUNK_FRAMES ? (int)left : CHUNK_FRAMES);
    return true;
}

void renderer_chunk(struct renderer *renderer, float *out)
{
    while (renderer_approach(renderer))
        continue;
    renderer_advance(renderer, out, CHUNK_FRAMES);
    renderer->next_frame += CHUNK_FRAMES;
}

void renderer_finish(struct renderer *renderer)
{
    free(renderer->programme);
    free(renderer->scratch);
    *renderer = (struct renderer){0};
}
