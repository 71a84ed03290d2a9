// Watches over the server's memory, once a second, on the main thread. When it is short newcomers are refused; when it
// is very short the lead is lowered as well; both go back, in the other order, when it has been there for a while. And
// over how soon a change can be heard.
#pragma once
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "app/pressure.h"

struct app;

struct warden {
    struct pressure pressure;
    uint64_t moved_ns;                     // when the listeners' lead was lowered last
    uint64_t memory_faults;                // told so far
    uint64_t rendered_lead_frames;         // the lead that the station renders for
    // For anybody to read.
    atomic_int level;                      // enum pressure_level
    atomic_uint_fast64_t headroom_bytes;   // UINT64_MAX: nothing is known of a limit
    atomic_uint_fast64_t lead_frames;      // in force for listeners
};

void warden_init(struct warden *warden, const struct app *app);
// One look.
void warden_look(struct warden *warden, struct app *app);
