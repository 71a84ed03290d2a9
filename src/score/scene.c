#include "score/scene.h"

#include <string.h>

#define SET(name) (1u << MOOD_ID_##name)
#define PLACE (SET(key) | SET(mode) | SET(bpm) | SET(intensity))
#define AIR (SET(brightness) | SET(space) | SET(warmth) | SET(texture))
#define PLAY(name, share) {INSTRUMENT_##name, share}

enum { A, B, C, D, E, F, G };    // letters of keys

const struct scene scenes[] = {
    {.name = "drift", .title = "Drift", .line = "Slow chords and a wandering voice, for any hour.",
     .parts = {[LAYER_PAD] = {PLAY(PAD, .6), PLAY(CHOIR, .4)},
               [LAYER_LEAD] = {PLAY(BELL, .6), PLAY(PLUCK, .25), PLAY(MODULAR, .15)}, [LAYER_LOOP] = {PLAY(BELL, 1)},
               [LAYER_TEXTURE] = {PLAY(WIND, 1)}},
     .melody = 1, .loops = .3, .drone = .2, .shimmer = .1, .chorus = .25, .echo = .2, .loudness = -18},
    {.name = "focus", .title = "Focus", .line = "Steady and open, never asking for attention.",
     .mood = {PLACE | AIR, {.key = {D, 0, KEY_BARE}, .mode = MODE_DORIAN, .bpm = 60, .intensity = .5, .brightness = .5,
                            .space = .4, .warmth = .6, .texture = .15}},
     .parts = {[LAYER_LEAD] = {PLAY(BAR, .6), PLAY(BELL, .4)}, [LAYER_LOOP] = {PLAY(BAR, 1)},
               [LAYER_TEXTURE] = {PLAY(VINYL, 1)}},
     .melody = .8, .loops = .7, .drone = .2, .chorus = .15, .echo = .1, .loudness = -18},
    {.name = "meditation", .title = "Meditation", .line = "Dark, wide and nearly still.",
     .mood = {PLACE | AIR, {.key = {C, 0, KEY_BARE}, .mode = MODE_AEOLIAN, .bpm = 60, .intensity = .3,
                            .brightness = .35, .space = .8, .warmth = .6, .texture = .2}},
     .parts = {[LAYER_PAD] = {PLAY(PAD, .5), PLAY(CHOIR, .5)}, [LAYER_LEAD] = {PLAY(BOWL, .8), PLAY(BELL, .2)},
               [LAYER_LOOP] = {PLAY(BOWL, 1)}, [LAYER_TEXTURE] = {PLAY(WIND, 1)}},
     .melody = .6, .loops = .5, .drone = .7, .chorus = .3, .echo = .15, .loudness = -18},
    {.name = "sleep", .title = "Sleep", .line = "Low and sparse, with no beat.",
     .mood = {PLACE | AIR, {.key = {E, 0, KEY_BARE}, .mode = MODE_PHRYGIAN, .bpm = 60, .intensity = .2,
                            .brightness = .25, .space = .65, .warmth = .65, .texture = .45}},
     .parts = {[LAYER_LEAD] = {PLAY(BELL, 1)}, [LAYER_LOOP] = {PLAY(BOWL, 1)}, [LAYER_TEXTURE] = {PLAY(RAIN, 1)}},
     .melody = .5, .loops = .2, .drone = .6, .chorus = .3, .loudness = -23},
    {.name = "bright", .title = "Bright", .line = "Morning light: a raised fourth and more notes.",
     .mood = {PLACE | AIR, {.key = {G, 0, KEY_MAJOR}, .mode = MODE_LYDIAN, .bpm = 70, .intensity = .6,
                            .brightness = .7, .space = .5, .warmth = .4, .texture = .1}},
     .parts = {[LAYER_LEAD] = {PLAY(PLUCK, .5), PLAY(BELL, .5)}, [LAYER_LOOP] = {PLAY(BAR, 1)},
               [LAYER_TEXTURE] = {PLAY(WIND, 1)}},
     .melody = 1.2, .loops = .6, .drone = .05, .shimmer = .25, .chorus = .2, .echo = .25, .loudness = -18},
    {.name = "rain", .title = "Rain Room", .line = "A window, rain on it, and somebody playing next door.",
     .mood = {PLACE | AIR, {.key = {F, 0, KEY_BARE}, .mode = MODE_DORIAN, .bpm = 56, .intensity = .35,
                            .brightness = .4, .space = .45, .warmth = .7, .texture = .85}},
     .parts = {[LAYER_LEAD] = {PLAY(BAR, 1)}, [LAYER_LOOP] = {PLAY(BAR, 1)}, [LAYER_TEXTURE] = {PLAY(RAIN, 1)}},
     .melody = .9, .loops = .3, .drone = .1, .chorus = .1, .echo = .1, .loudness = -18},
    {.name = "tide", .title = "Tide", .line = "Waves that come and go under a far choir.",
     .mood = {PLACE | AIR, {.key = {D, 0, KEY_MAJOR}, .mode = MODE_MIXOLYDIAN, .bpm = 50, .intensity = .3,
                            .brightness = .5, .space = .7, .warmth = .55, .texture = .5}},
     .parts = {[LAYER_PAD] = {PLAY(CHOIR, 1)}, [LAYER_LEAD] = {PLAY(BELL, .7), PLAY(MODULAR, .3)},
               [LAYER_LOOP] = {PLAY(BELL, 1)}, [LAYER_TEXTURE] = {PLAY(SEA, 1)}},
     .melody = .6, .loops = .3, .drone = .3, .shimmer = .2, .chorus = .35, .echo = .1, .loudness = -18},
    {.name = "glass", .title = "Glass", .line = "Bells and bars in clear, cold light.",
     .mood = {PLACE | AIR, {.key = {F, 1, KEY_MAJOR}, .mode = MODE_LYDIAN, .bpm = 76, .intensity = .6,
                            .brightness = .85, .space = .85, .warmth = .2, .texture = 0}},
     .parts = {[LAYER_LEAD] = {PLAY(BELL, .5), PLAY(BAR, .5)}, [LAYER_LOOP] = {PLAY(BELL, 1)}},
     .melody = 1.2, .loops = 1, .drone = 0, .shimmer = .6, .chorus = .1, .echo = .4, .loudness = -18},
    {.name = "cathedral", .title = "Cathedral", .line = "Voices and bowls in a very large room.",
     .mood = {PLACE | AIR, {.key = {D, 0, KEY_BARE}, .mode = MODE_AEOLIAN, .bpm = 46, .intensity = .4,
                            .brightness = .45, .space = 1, .warmth = .5, .texture = 0}},
     .parts = {[LAYER_PAD] = {PLAY(CHOIR, 1)}, [LAYER_LEAD] = {PLAY(BOWL, 1)}, [LAYER_LOOP] = {PLAY(BOWL, 1)}},
     .melody = .5, .loops = .4, .drone = .8, .shimmer = .35, .chorus = .2, .loudness = -18},
    {.name = "harp", .title = "Harp", .line = "Plucked strings that wander and come back.",
     .mood = {PLACE | AIR, {.key = {E, 0, KEY_BARE}, .mode = MODE_DORIAN, .bpm = 84, .intensity = .65,
                            .brightness = .6, .space = .4, .warmth = .55, .texture = .1}},
     .parts = {[LAYER_LEAD] = {PLAY(PLUCK, 1)}, [LAYER_LOOP] = {PLAY(PLUCK, 1)}, [LAYER_TEXTURE] = {PLAY(WIND, 1)}},
     .melody = 1.2, .loops = .8, .drone = .1, .chorus = .15, .echo = .4, .loudness = -18},
    {.name = "deep", .title = "Deep", .line = "Below everything: a drone, and what moves in it.",
     .mood = {PLACE | AIR, {.key = {C, 0, KEY_BARE}, .mode = MODE_PHRYGIAN, .bpm = 44, .intensity = .2,
                            .brightness = .2, .space = .75, .warmth = .95, .texture = .5}},
     .parts = {[LAYER_LEAD] = {PLAY(BOWL, 1)}, [LAYER_LOOP] = {PLAY(BOWL, 1)}, [LAYER_TEXTURE] = {PLAY(GRAIN, 1)}},
     .melody = .5, .loops = .2, .drone = 1, .chorus = .3, .echo = .25, .loudness = -18},
    {.name = "dust", .title = "Dust", .line = "An old record of something that was never played.",
     .mood = {PLACE | AIR, {.key = {A, 0, KEY_BARE}, .mode = MODE_DORIAN, .bpm = 66, .intensity = .5,
                            .brightness = .3, .space = .35, .warmth = .9, .texture = .8}},
     .parts = {[LAYER_LEAD] = {PLAY(BAR, .5), PLAY(PLUCK, .5)}, [LAYER_LOOP] = {PLAY(PLUCK, 1)},
               [LAYER_TEXTURE] = {PLAY(VINYL, 1)}},
     .melody = .9, .loops = .5, .drone = .1, .chorus = .35, .echo = .3, .loudness = -18},
    {.name = "cloud", .title = "Cloud", .line = "Grains of sound, drifting; hardly a note.",
     .mood = {PLACE | AIR, {.key = {F, 0, KEY_MAJOR}, .mode = MODE_LYDIAN, .bpm = 54, .intensity = .35,
                            .brightness = .6, .space = .9, .warmth = .4, .texture = 1}},
     .parts = {[LAYER_LEAD] = {PLAY(MODULAR, 1)}, [LAYER_LOOP] = {PLAY(BELL, 1)}, [LAYER_TEXTURE] = {PLAY(GRAIN, 1)}},
     .melody = .5, .loops = .4, .drone = .2, .shimmer = .5, .chorus = .4, .echo = .35, .loudness = -18},
    {.name = "night", .title = "Night", .line = "Wind about the house, and a slow pulse within.",
     .mood = {PLACE | AIR, {.key = {G, 0, KEY_BARE}, .mode = MODE_AEOLIAN, .bpm = 52, .intensity = .55,
                            .brightness = .25, .space = .6, .warmth = .7, .texture = .7}},
     .parts = {[LAYER_PAD] = {PLAY(PAD, 1)}, [LAYER_LEAD] = {PLAY(BOWL, .5), PLAY(MODULAR, .5)},
               [LAYER_LOOP] = {PLAY(BOWL, 1)}, [LAYER_TEXTURE] = {PLAY(WIND, 1)}},
     .melody = .6, .loops = .3, .drone = .5, .chorus = .2, .echo = .3, .loudness = -18},
};

const int scene_count = sizeof scenes / sizeof scenes[0];
_Static_assert(sizeof scenes / sizeof scenes[0] <= SCENES_MOST, "shares of scenes have room for all");

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
    mood.scene = (int)(scene - scenes);
    return mood_apply(&mood, &scene->mood);
}

enum instrument scene_instrument(const struct scene *scene, enum layer layer, double at)
{
    static const enum instrument usual[LAYER_COUNT] = {
        [LAYER_PAD] = INSTRUMENT_PAD,   [LAYER_LEAD] = INSTRUMENT_BELL, [LAYER_KICK] = INSTRUMENT_KICK,
        [LAYER_SWELL] = INSTRUMENT_SWELL, [LAYER_LOOP] = INSTRUMENT_BELL, [LAYER_DRONE] = INSTRUMENT_DRONE,
        [LAYER_TEXTURE] = INSTRUMENT_WIND,
    };
    const struct scene_part *parts = scene->parts[layer];
    double all = 0.0;
    int last = 0;
    for (int i = 0; i < SCENE_PARTS; i++)
        all += parts[i].share;
    if (all <= 0.0)
        return usual[layer];
    at *= all;
    for (int i = 0; i < SCENE_PARTS; i++) {
        if (parts[i].share <= 0.0)
            continue;
        last = i;
        at -= parts[i].share;
        if (at < 0.0)
            break;
    }
    return parts[last].instrument;
}

struct mood_patch scene_patch(const struct scene *scene)
{
    uint32_t all = (UINT32_C(1) << MOOD_PARAMETERS) - 1;
    uint32_t kept = 1u << MOOD_ID_morph_seconds | 1u << MOOD_ID_tuning;
    return (struct mood_patch){.set = all & ~kept, .values = scene_mood(scene)};
}
