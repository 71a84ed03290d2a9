// Runs errands (control/errands.h): renders again what has been heard, or what is to come, or what would come under
// another control, and fills tapes with it (timeline/tapes.h). One thread of the lowest class over all stations, which
// goes from errand to errand and makes a chunk of each in turn. An errand that nobody waits for any more is given up.
#pragma once
#include <stdatomic.h>
#include <stdint.h>

#include "base/status.h"
#include "control/errands.h"
#include "score/mood_log.h"
#include "synth/backend.h"

// By its number, which is that of tapes.
struct background_station {
    uint64_t seed;
    struct mood_log_head head;               // of its control log
    const struct sequencer *sequencer;
};

// What stands behind its pointers outlives the background.
struct background_config {
    const struct background_station *stations;   // copied
    int station_count;
    const struct backend *backend;
    struct errands *errands;
};

// Errands; read by anybody.
struct background_stats {
    atomic_int under_way;
    atomic_uint_fast64_t done, abandoned, failed;
};

struct background;

// Errors: STATUS_MEMORY.
MUST_USE enum status background_create(struct background **background, const struct background_config *config);
// Ends all errands, as far as they are. Accepts NULL.
void background_destroy(struct background *background);
const struct background_stats *background_stats(const struct background *background);
