#include "score/event.h"

const char *layer_name(enum layer layer)
{
    static const char *const names[LAYER_COUNT] = {"pad", "lead", "kick", "swell"};
    return names[layer];
}
