#include "tools/bench_material.h"

#include <stdlib.h>
#include <string.h>

enum { STATE_ALIGNMENT = 64 };

// The station was woken a minute before, so that no more than that has to be rendered.
static enum status bench_material_wake(struct bench_material *material, const struct scene *scene, uint64_t at_frame)
{
    struct mood mood = scene_mood(scene);
    enum status status = mood_log_init(&material->log, &mood);
    if (status != STATUS_OK)
        return status;
    uint64_t woken = at_frame - PROGRAMME_WARMUP_FRAMES;
    struct mood_entry entry = {.sequence = 1, .at_frame = woken, .wake_frame = woken, .mood = mood};
    return mood_log_copy(&material->log, &entry);
}

// `ready` goes on to at_frame.
static void bench_material_advance(struct bench_material *material, uint64_t at_frame)
{
    float dropped[CHUNK_FRAMES * CHANNELS];
    for (uint64_t frame; (frame = programme_frame(material->ready)) < at_frame;) {
        uint64_t frames = at_frame - frame < CHUNK_FRAMES ? at_frame - frame : CHUNK_FRAMES;
        programme_render(material->ready, &material->program, backend_best(), dropped, (int)frames);
    }
}

enum status bench_material_init(struct bench_material *material, const struct scene *scene, uint64_t seed,
                                uint64_t at_frame)
{
    *material = (struct bench_material){.ready = aligned_alloc(STATE_ALIGNMENT, programme_bytes()),
                                        .work = aligned_alloc(STATE_ALIGNMENT, programme_bytes())};
    if (!material->ready || !material->work || bench_material_wake(material, scene, at_frame) != STATUS_OK) {
        bench_material_finish(material);
        return STATUS_MEMORY;
    }
    material->program = (struct program){.seed = seed, .log = &material->log};
    programme_start(material->ready, &material->program,
                    programme_begin_frame(&material->program, at_frame - PROGRAMME_WARMUP_FRAMES));
    bench_material_advance(material, at_frame);
    return STATUS_OK;
}

void bench_material_finish(struct bench_material *material)
{
    if (material->log.entries)
        mood_log_finish(&material->log);
    free(material->ready);
    free(material->work);
    *material = (struct bench_material){0};
}

void bench_material_rewind(struct bench_material *material)
{
    memcpy(material->work, material->ready, programme_bytes());
}
