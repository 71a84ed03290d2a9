#include "compose/ensemble.h"

#include "base/random.h"
#include "compose/purpose.h"
#include "score/scene.h"

// The scene that a number from 0 to 1 hits.
static const struct scene *ensemble_scene(const struct scene_shares *shares, double at)
{
    int last = 0;
    for (int scene = 0; scene < scene_count; scene++) {
        if (shares->of[scene] <= 0.0f)
            continue;
        last = scene;
        at -= (double)shares->of[scene];
        if (at < 0.0)
            break;
    }
    return &scenes[last];
}

enum instrument ensemble_instrument(const struct program *program, uint64_t frame, enum layer layer, uint64_t index)
{
    struct scene_shares shares = mood_log_shares(program->log, frame);
    uint64_t draw = (index * LAYER_COUNT + (uint64_t)layer) * 2;
    const struct scene *scene = ensemble_scene(&shares, random_unit(program->seed, PURPOSE_ENSEMBLE, draw));
    return scene_instrument(scene, layer, random_unit(program->seed, PURPOSE_ENSEMBLE, draw + 1));
}

struct ensemble_amounts ensemble_amounts(const struct program *program, uint64_t frame)
{
    struct scene_shares shares = mood_log_shares(program->log, frame);
    struct ensemble_amounts amounts = {.loudness = 0.0};
    for (int i = 0; i < scene_count; i++) {
        double share = (double)shares.of[i];
        amounts.melody += share * scenes[i].melody;
        amounts.loops += share * scenes[i].loops;
        amounts.drone += share * scenes[i].drone;
        amounts.shimmer += share * scenes[i].shimmer;
        amounts.chorus += share * scenes[i].chorus;
        amounts.echo += share * scenes[i].echo;
        amounts.loudness += share * scenes[i].loudness;
    }
    return amounts;
}
