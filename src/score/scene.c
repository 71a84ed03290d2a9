#include "score/scene.h"

#include <string.h>

#define SCENE_PLACE (1u << MOOD_ID_key | 1u << MOOD_ID_mode | 1u << MOOD_ID_bpm | 1u << MOOD_ID_intensity)

const struct scene scenes[] = {
    {"drift", "Drift", "Slow chords and a wandering voice, for any hour.", {0}},
    {"focus", "Focus", "Steady and open, never asking for attention.",
     {SCENE_PLACE, {.key = {3, 0, KEY_BARE}, .mode = MODE_DORIAN, .bpm = 60, .intensity = .5}}},
    {"meditation", "Meditation", "Dark, wide and nearly still.",
     {SCENE_PLACE, {.key = {2, 0, KEY_BARE}, .mode = MODE_AEOLIAN, .bpm = 60, .intensity = .3}}},
    {"sleep", "Sleep", "Low and sparse, with no beat.",
     {SCENE_PLACE, {.key = {4, 0, KEY_BARE}, .mode = MODE_PHRYGIAN, .bpm = 60, .intensity = .2}}},
    {"bright", "Bright", "Morning light: a raised fourth and more notes.",
     {SCENE_PLACE, {.key = {6, 0, KEY_MAJOR}, .mode = MODE_LYDIAN, .bpm = 70, .intensity = .6}}},
};

const int scene_count = sizeof scenes / sizeof scenes[0];

const struct scene *scene_find(const char *name)
{
    for (int i = 0; i < scene_count; i++)
        if (strcmp(name, scenes[i].name) == 0)
            return &scenes[i];
    return NULL;
}

struct mood scene_mood(const struct scene *scene)
{
    struct mood mood = mood_default();
    return mood_apply(&mood, &scene->mood);
}
