// Which programme a server plays: the one of last time goes on at the frame that it would have come to, or another one
// begins.
#pragma once
#include <limits.h>
#include <pthread.h>
#include <stdbool.h>

#include "app/options.h"
#include "base/status.h"
#include "os/clock.h"
#include "store/store.h"

struct app;

struct recall {
    struct store_station station;      // the programme, and where it stands in time by this clock
    struct control_entry *past;        // the changes made to it so far
    size_t past_count;
    bool goes_on;                      // it is that of last time
    bool rested;                       // whose listeners have had all of it that they held
    char keepsakes[PATH_MAX];          // file of its snapshots; "": there are none
    uint64_t identity;                 // of programme, build and boot: whose snapshots may be taken
    pthread_mutex_t mutex;             // held while a change is being kept
    bool kept;                         // and changes can be
};

// Reads what is there and decides. Errors: STATUS_IO, STATUS_MEMORY, STATUS_FULL.
MUST_USE enum status recall_programme(struct recall *recall, struct app *app);
// Keeps the outcome, in place of what was there: once nothing can keep the server from starting any more.
// Errors: as above.
MUST_USE enum status recall_keep(struct recall *recall, struct app *app);
// Keeps a change; STATUS_FULL while changes cannot be kept. Any thread.   Errors: as store_station_keep.
MUST_USE enum status recall_change(struct recall *recall, const struct app *app, const struct control_entry *entry);
// Whether changes are kept from now on. None is being kept any more when this returns.
void recall_allow(struct recall *recall, bool kept);
// What is kept is still this programme, and not that of a server which was to take our place.
bool recall_is_ours(const struct recall *recall, const struct app *app);
// Says that it goes on, and which options therefore say nothing.
void recall_tell(const struct recall *recall, const struct options *options);
// Frees the changes.
void recall_finish(struct recall *recall);
// Keeps how far the programme has come, for a clock that is wrong after the next boot.
void recall_reach(const struct recall *recall, const struct app *app);

// Sets where a programme of last time stands by this clock. In the same boot that is told by its time since then,
// after another one by unix time; frames never run backwards.   boot_id: "" where the system does not tell.
// Returns false when unix time has: it goes on some seconds after the last frame known.
bool recall_place(struct store_station *station, const struct clock *clock, const char *boot_id);
// Nobody who listened last time still holds any of it, once it stands in time, and no waking would reach back to that.
bool recall_rested(const struct store_station *station, const struct clock *clock, uint64_t lead_frames);
