// The whole server: everything that `auralis serve` starts, in one place.
#pragma once
#include <limits.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "app/options.h"
#include "app/recall.h"
#include "app/warden.h"
#include "control/control.h"
#include "net/server.h"
#include "os/clock.h"
#include "os/thread.h"
#include "station/background.h"
#include "station/inject.h"
#include "station/station.h"
#include "store/store.h"
#include "stream/stream.h"
#include "timeline/timeline.h"

#define APP_STATION "main"

enum { APP_REACH_S = 10 };   // so often it is kept how far the programme has come

struct app {
    struct options options;          // its texts stand in the one that app_start was given
    struct clock clock;
    uint64_t started_ns;             // of the clock
    uint64_t origin_ns;              // of the clock, and may lie before it began: programme frame 0 is heard then
    uint64_t seed;                   // of the programme
    struct recall recall;
    const struct backend *backend;
    struct injection *injection;     // NULL: no faults are asked for
    struct thread_priority render_priority, io_priority, door_priority;
    int door_sockets;                // besides those of listeners
    int lock;                        // descriptor of the locked data directory, -1: none
    int handover;                    // who takes our place asks here, -1: nobody can
    int asker;                       // who is taking our place, -1: nobody
    int giver, taken;                // whose place we are taking, and its listening socket; -1, 0: nobody's
    char handover_path[PATH_MAX];
    char jwt_secret[512];
    struct store *store;
    struct sequencer *sequencer;
    struct timeline *timeline;
    struct station *station;
    struct tapes *tapes;             // of ranges and previews, which
    struct errands *errands;
    struct background *background;   // makes
    struct stream *stream;
    struct net_server *net;
    struct warden warden;
};

// Starts everything in order. *options must outlive the app. Prints one clear line and returns an error when something
// is refused; app_stop then frees what was started.
MUST_USE enum status app_start(struct app *app, const struct options *options);
// Looks after who takes our place, or whose place we take; about once a second. Until the new one can play the old one
// goes on, but takes no change; if the new one ends before that, all is as it was.
// Returns whether another one has our place: only listeners are to be seen off then.
bool app_hand_over(struct app *app);
// Stops everything in reverse order.
void app_stop(struct app *app);
// The frame that listeners hear now.
uint64_t app_playhead(const struct app *app);
// Rendered ahead of the playhead, in frames.
uint64_t app_buffered_frames(const struct app *app);
// How long after its receipt a change is to take effect: a fifth of a second, or half as long again as the slowest of a
// hundred took to be made, and no longer than what is rendered ahead lasts.
uint64_t app_guard_frames(const struct app *app);
