// Who plays: the scene in force says it, and while others give way to it more and more notes belong to the new one. So
// no sound is ever exchanged while it sounds.
#pragma once
#include "compose/compose.h"

// What plays a layer's note that begins at `frame`.   index: of the note, whatever counts them within the layer.
enum instrument ensemble_instrument(const struct program *program, uint64_t frame, enum layer layer, uint64_t index);

// Numbers of the scene, on their way from other scenes to it.
struct ensemble_amounts {
    double melody, loops, drone, shimmer, chorus, echo, loudness;    // as in struct scene
};
struct ensemble_amounts ensemble_amounts(const struct program *program, uint64_t frame);
