// Scenes: named moods to start from, and the ensemble that plays them.
#pragma once
#include "score/event.h"
#include "score/mood.h"

enum { SCENE_PARTS = 3, SCENES_MOST = 16 };

// An instrument, and how many of a layer's notes it has in relation to the others.
struct scene_part {
    enum instrument instrument;
    double share;
};

struct scene {
    const char *name;    // lower case, for --scene
    const char *title;
    const char *line;    // what it is, in a sentence
    struct mood_patch mood;
    // Without any part: what is usual for the layer.
    struct scene_part parts[LAYER_COUNT][SCENE_PARTS];
    double melody;       // factor on the number of melody notes
    double loops;        // 0..1, how many of the turns of each loop sound
    double drone;        // 0..1, how loud
    double shimmer, chorus, echo;    // 0..1
    double loudness;     // LUFS that it is brought to
};

// All scenes, SCENES_MOST at most; the first is the default.
extern const struct scene scenes[];
extern const int scene_count;
// NULL when there is none of that name.
const struct scene *scene_find(const char *name);
// The defaults with the scene's own values over them.
struct mood scene_mood(const struct scene *scene);
// The instrument of a layer that a number from 0 to 1 hits.
enum instrument scene_instrument(const struct scene *scene, enum layer layer, double at);
// The wish for a scene: all of its values; how long the way takes and the tuning stay the listener's own.
struct mood_patch scene_patch(const struct scene *scene);
