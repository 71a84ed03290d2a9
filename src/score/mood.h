// The mood: what a listener can steer. A plain value; its fields and their rules come from mood.def.
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "score/scale.h"

struct mood {
#define MOOD_KEY(name, ...) struct key name;
#define MOOD_SCENE(name, ...) int name;
#define MOOD_TUNING MOOD_SCENE
#define MOOD_MODE(name, ...) enum mode name;
#define MOOD_INTEGER(name, ...) int name;
#define MOOD_UNIT(name, ...) double name;
#define MOOD_TOGGLE(name, ...) bool name;
#include "score/mood.def"
};

// One id a parameter, in the order of the table: MOOD_ID_key, MOOD_ID_mode, ...
enum mood_id {
#define MOOD_KEY(name, ...) MOOD_ID_##name,
#define MOOD_SCENE MOOD_KEY
#define MOOD_TUNING MOOD_KEY
#define MOOD_MODE MOOD_KEY
#define MOOD_INTEGER MOOD_KEY
#define MOOD_UNIT MOOD_KEY
#define MOOD_TOGGLE MOOD_KEY
#include "score/mood.def"
    MOOD_PARAMETERS
};

enum mood_kind {
    MOOD_KIND_KEY, MOOD_KIND_SCENE, MOOD_KIND_MODE, MOOD_KIND_TUNING, MOOD_KIND_INTEGER, MOOD_KIND_UNIT,
    MOOD_KIND_TOGGLE
};

struct mood_parameter {
    const char *name;
    enum mood_kind kind;
    double min, max;      // for integers and units
    const char *unit, *title, *help;
    size_t offset;        // of its field in struct mood
};

extern const struct mood_parameter mood_parameters[MOOD_PARAMETERS];

// The table's defaults.
struct mood mood_default(void);
// A wish: those parameters of `values` whose bit (1 << mood_id) is in `set`.
struct mood_patch {
    uint32_t set;
    struct mood values;
};
// Key and mode stay true to each other: a key with another third moves the mode (minor to aeolian, major to ionian), a
// mode with another third moves the key's quality; when both are in the patch the mode wins.
struct mood mood_apply(const struct mood *mood, const struct mood_patch *patch);
// Bits of the parameters in which two moods differ.
uint32_t mood_difference(const struct mood *a, const struct mood *b);
// `hash`, and all parameters: moods that differ give others.
uint64_t mood_hash(const struct mood *mood, uint64_t hash);
