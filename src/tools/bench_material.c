#include "tools/bench_material.h"

#include <stdlib.h>
#include <string.h>

enum { STATE_ALIGNMENT = 64 };

enum status bench_material_init(struct bench_material *material, const struct scene *scene, uint64_t seed)
{
    static const uint64_t ready_frame = (uint64_t)BENCH_MATERIAL_S * FRAME_RATE;
    float dropped[CHUNK_FRAMES * CHANNELS];
    struct mood mood = scene_mood(scene);
    *material = (struct bench_material){.ready = aligned_alloc(STATE_ALIGNMENT, programme_bytes()),
                                        .work = aligned_alloc(STATE_ALIGNMENT, programme_bytes())};
    if (!material->ready || !material->work || mood_log_init(&material->log, &mood) != STATUS_OK) {
        bench_material_finish(material);
        return STATUS_MEMORY;
    }
    material->program = (struct program){.seed = seed, .log = &material->log};
    programme_start(material->ready, &material->program, 0);
    while (programme_frame(material->ready) < ready_frame)
        programme_render(material->ready, &material->program, backend_best(), dropped, CHUNK_FRAMES);
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
