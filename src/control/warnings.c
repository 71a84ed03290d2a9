#include "control/warnings.h"

static bool warnings_busy_melody(const struct mood *mood)
{
    return mood->melody_complexity > .8 && mood->intensity < .3;
}

static bool warnings_dense_monotony(const struct mood *mood)
{
    return mood->harmonic_density > .8 && mood->chord_progression_variety < .3;
}

static const struct {
    bool (*holds)(const struct mood *mood);
    const char *text;
} warnings[] = {
    {warnings_busy_melody, "melody_complexity above 0.8 with intensity below 0.3 may sound disjointed"},
    {warnings_dense_monotony, "harmonic_density above 0.8 with chord_progression_variety below 0.3 may sound muddy"},
};

int warnings_of(const struct mood *mood, const char **texts, int cap)
{
    int count = 0;
    for (size_t i = 0; i < sizeof warnings / sizeof *warnings; i++)
        if (count < cap && warnings[i].holds(mood))
            texts[count++] = warnings[i].text;
    return count;
}
