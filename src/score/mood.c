#include "score/mood.h"

#include <string.h>

#include "base/check.h"
#include "base/random.h"
#include "score/tuning.h"

const struct mood_parameter mood_parameters[MOOD_PARAMETERS] = {
#define MOOD_ROW(name, kind, min, max, unit, title, help) \
    [MOOD_ID_##name] = {#name, kind, min, max, unit, title, help, offsetof(struct mood, name)},
#define MOOD_KEY(name, value, title, help) MOOD_ROW(name, MOOD_KIND_KEY, 0, 0, "", title, help)
#define MOOD_SCENE(name, value, title, help) MOOD_ROW(name, MOOD_KIND_SCENE, 0, 0, "", title, help)
#define MOOD_TUNING(name, value, title, help) MOOD_ROW(name, MOOD_KIND_TUNING, 0, 0, "", title, help)
#define MOOD_MODE(name, value, title, help) MOOD_ROW(name, MOOD_KIND_MODE, 0, 0, "", title, help)
#define MOOD_INTEGER(name, min, max, value, unit, title, help) \
    MOOD_ROW(name, MOOD_KIND_INTEGER, min, max, unit, title, help)
#define MOOD_UNIT(name, value, title, help) MOOD_ROW(name, MOOD_KIND_UNIT, 0, 1, "", title, help)
#define MOOD_TOGGLE(name, value, title, help) MOOD_ROW(name, MOOD_KIND_TOGGLE, 0, 1, "", title, help)
#include "score/mood.def"
#undef MOOD_ROW
};

struct mood mood_default(void)
{
    struct mood mood = {
#define MOOD_KEY(name, value, ...)
#define MOOD_SCENE(name, value, ...) .name = value,
#define MOOD_TUNING MOOD_SCENE
#define MOOD_MODE MOOD_SCENE
#define MOOD_INTEGER(name, min, max, value, ...) .name = value,
#define MOOD_UNIT MOOD_MODE
#define MOOD_TOGGLE MOOD_MODE
#include "score/mood.def"
    };
#define MOOD_KEY(name, value, ...) check(key_from_text(value, &mood.name));
#define MOOD_SCENE(...)
#define MOOD_TUNING(...)
#define MOOD_MODE(...)
#define MOOD_INTEGER(...)
#define MOOD_UNIT(...)
#define MOOD_TOGGLE(...)
#include "score/mood.def"
    return mood;
}

// One of the two follows when they disagree about the third.
static void mood_agree(struct mood *mood, uint32_t set)
{
    bool major = mode_is_major(mood->mode);
    if ((mood->key.quality == KEY_MAJOR) == major)
        return;
    if (set & 1u << MOOD_ID_mode)
        mood->key.quality = major ? KEY_MAJOR : KEY_MINOR;
    else if (set & 1u << MOOD_ID_key)
        mood->mode = major ? MODE_AEOLIAN : MODE_IONIAN;
}

struct mood mood_apply(const struct mood *mood, const struct mood_patch *patch)
{
    struct mood result = *mood;
#define MOOD_KEY(name, ...) \
    if (patch->set & 1u << MOOD_ID_##name) \
        result.name = patch->values.name;
#define MOOD_SCENE MOOD_KEY
#define MOOD_TUNING MOOD_KEY
#define MOOD_MODE MOOD_KEY
#define MOOD_INTEGER MOOD_KEY
#define MOOD_UNIT MOOD_KEY
#define MOOD_TOGGLE MOOD_KEY
#include "score/mood.def"
    mood_agree(&result, patch->set);
    return result;
}

static bool mood_keys_differ(struct key a, struct key b)
{
    return a.letter != b.letter || a.accidental != b.accidental || a.quality != b.quality;
}

uint32_t mood_difference(const struct mood *a, const struct mood *b)
{
    uint32_t bits = 0;
#define MOOD_KEY(name, ...) bits |= (uint32_t)mood_keys_differ(a->name, b->name) << MOOD_ID_##name;
#define MOOD_SCENE(name, ...) bits |= (uint32_t)(a->name != b->name) << MOOD_ID_##name;
#define MOOD_TUNING MOOD_SCENE
#define MOOD_MODE MOOD_SCENE
#define MOOD_INTEGER MOOD_SCENE
#define MOOD_UNIT MOOD_SCENE
#define MOOD_TOGGLE MOOD_SCENE
#include "score/mood.def"
    return bits;
}

static uint64_t mood_fold(uint64_t hash, uint64_t word)
{
    return random_u64(hash, 0, word);
}

static uint64_t mood_fold_unit(uint64_t hash, double unit)
{
    uint64_t bits;
    memcpy(&bits, &unit, sizeof bits);
    return mood_fold(hash, bits);
}

static uint64_t mood_fold_key(uint64_t hash, struct key key)
{
    hash = mood_fold(hash, (uint64_t)key.letter);
    hash = mood_fold(hash, (uint64_t)key.accidental);
    return mood_fold(hash, (uint64_t)key.quality);
}

uint64_t mood_hash(const struct mood *mood, uint64_t hash)
{
#define MOOD_KEY(name, ...) hash = mood_fold_key(hash, mood->name);
#define MOOD_SCENE(name, ...) hash = mood_fold(hash, (uint64_t)mood->name);
#define MOOD_TUNING MOOD_SCENE
#define MOOD_MODE MOOD_SCENE
#define MOOD_INTEGER MOOD_SCENE
#define MOOD_UNIT(name, ...) hash = mood_fold_unit(hash, mood->name);
#define MOOD_TOGGLE MOOD_SCENE
#include "score/mood.def"
    return hash;
}
