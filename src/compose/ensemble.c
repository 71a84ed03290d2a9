#include "compose/ensemble.h"

#include "base/random.h"
#include "compose/purpose.h"
#include "score/scene.h"

enum instrument ensemble_instrument(const struct program *program, uint64_t frame, enum layer layer, uint64_t index)
{
    struct scene_blend blend = mood_log_blend(program->log, frame);
    uint64_t draw = (index * LAYER_COUNT + (uint64_t)layer) * 2;
    bool there = random_unit(program->seed, PURPOSE_ENSEMBLE, draw) < blend.share;
    return scene_instrument(&scenes[there ? blend.to : blend.from], layer,
                            random_unit(program->seed, PURPOSE_ENSEMBLE, draw + 1));
}

static double ensemble_between(double from, double to, double share)
{
    return from + (to - from) * share;
}

struct ensemble_amounts ensemble_amounts(const struct program *program, uint64_t frame)
{
    struct scene_blend blend = mood_log_blend(program->log, frame);
    const struct scene *from = &scenes[blend.from], *to = &scenes[blend.to];
    return (struct ensemble_amounts){
        .melody = ensemble_between(from->melody, to->melody, blend.share),
        .loops = ensemble_between(from->loops, to->loops, blend.share),
        .drone = ensemble_between(from->drone, to->drone, blend.share),
        .shimmer = ensemble_between(from->shimmer, to->shimmer, blend.share),
        .chorus = ensemble_between(from->chorus, to->chorus, blend.share),
        .echo = ensemble_between(from->echo, to->echo, blend.share),
        .loudness = ensemble_between(from->loudness, to->loudness, blend.share),
    };
}
