// Scenes: named moods to start from.
#pragma once
#include "score/mood.h"

struct scene {
    const char *name;    // lower case, for --scene
    const char *title;
    const char *line;    // what it is, in a sentence
    struct mood_patch mood;
};

// All scenes; the first is the default.
extern const struct scene scenes[];
extern const int scene_count;
// NULL when there is none of that name.
const struct scene *scene_find(const char *name);
// The defaults with the scene's own values over them.
struct mood scene_mood(const struct scene *scene);
