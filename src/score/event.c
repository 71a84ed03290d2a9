#include "score/event.h"

const char *layer_name(enum layer layer)
{
    static const char *const names[LAYER_COUNT] = {"pad", "lead", "kick", "swell", "loop", "drone", "texture"};
    return names[layer];
}

static const struct {
    const char *name;
    int lanes;
} instruments[INSTRUMENT_COUNT] = {
#define INSTRUMENT(ID, name, lanes) [INSTRUMENT_##ID] = {#name, lanes},
#include "score/instruments.def"
#undef INSTRUMENT
};

const char *instrument_name(enum instrument instrument)
{
    return instruments[instrument].name;
}

int instrument_lanes(enum instrument instrument)
{
    return instruments[instrument].lanes;
}
