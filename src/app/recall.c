#include "app/recall.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/app.h"
#include "base/frames.h"
#include "base/random.h"
#include "os/child.h"
#include "os/file.h"
#include "os/log.h"
#include "score/scene.h"

// How far it has come is kept so often; it may have come so much further.
enum { RECALL_MORE_FRAMES = 2 * APP_REACH_S * FRAME_RATE };

// A clock that is off by more has been set; by less it was steered.
#define RECALL_SET_NS ((int64_t)NS_PER_SECOND)

static int64_t unix_now_ns(const struct clock *clock, uint64_t now_ns)
{
    return (int64_t)now_ns + clock->unix_offset_ns;
}

bool recall_place(struct store_station *station, const struct clock *clock, const char *boot_id)
{
    uint64_t now_ns = clock_now_ns(clock);
    int64_t unix_ns = unix_now_ns(clock, now_ns), since_ns = unix_ns - station->origin_unix_ns;
    bool same_boot = clock->speed == 1 && *boot_id && strcmp(boot_id, station->boot_id) == 0;
    int64_t reached_ns = (int64_t)frames_to_ns(station->reached_frame);
    bool backwards = !same_boot && since_ns < reached_ns;
    snprintf(station->boot_id, sizeof station->boot_id, "%s", boot_id);
    if (same_boot)
        return true;
    if (backwards) {
        since_ns = reached_ns + (int64_t)frames_to_ns(RECALL_MORE_FRAMES);
        station->origin_unix_ns = unix_ns - since_ns;
    }
    station->origin_boot_ns = (int64_t)now_ns - since_ns;
    return !backwards;
}

bool recall_rested(const struct store_station *station, const struct clock *clock, uint64_t lead_frames)
{
    int64_t since_ns = (int64_t)clock_now_ns(clock) - station->origin_boot_ns;
    uint64_t playhead = since_ns > 0 ? frames_from_ns((uint64_t)since_ns) : 0;
    uint64_t sent = station_ahead_frames(lead_frames) + STATION_BACK_FRAMES;
    return playhead > station->reached_frame + RECALL_MORE_FRAMES + sent;
}

// Another one, from now on.
static void recall_begin(struct recall *recall, struct app *app, const char *boot_id)
{
    const struct options *options = &app->options;
    uint64_t now_ns = clock_now_ns(&app->clock);
    struct store_station *station = &recall->station;
    *station = (struct store_station){.seed = app->seed, .origin_boot_ns = (int64_t)now_ns,
                                      .origin_unix_ns = unix_now_ns(&app->clock, now_ns)};
    snprintf(station->name, sizeof station->name, "%s", APP_STATION);
    snprintf(station->boot_id, sizeof station->boot_id, "%s", boot_id);
    station->mood = scene_mood(options->scene ? scene_find(options->scene) : &scenes[0]);
    if (options->scala)
        station->mood.tuning = TUNING_SCALA;
    station->head.scala = options->scala_tuning;
    station->head.begin_minute = clock_minute_of_day(station->origin_unix_ns);
}

// The one of last time is wanted.
static bool recall_may_go_on(const struct recall *recall, const struct options *options)
{
    return !options->fresh && (!options->seed || options->seed_value == recall->station.seed);
}

void recall_tell(const struct recall *recall, const struct options *options)
{
    const struct store_station *station = &recall->station;
    const char *begun = scenes[station->mood.scene].name;
    if (!recall->goes_on)
        return;
    if (options->scene && strcmp(options->scene, begun) != 0)
        log_warn("the programme of last time goes on, which began as %s: --scene is for one that begins (--fresh)",
                 begun);
    if (options->scala && memcmp(&options->scala_tuning, &station->head.scala, sizeof station->head.scala) != 0)
        log_warn("the programme of last time goes on: --scala is for one that begins (--fresh)");
    log_info("the programme of last time goes on");
}

static enum status recall_load(struct recall *recall, struct app *app, const char *boot_id)
{
    *recall = (struct recall){0};
    pthread_mutex_init(&recall->mutex, NULL);
    enum status status = store_station_load(app->store, APP_STATION, &recall->station, &recall->past,
                                            &recall->past_count);
    if (status == STATUS_DAMAGED)
        log_error("the programme of last time cannot be read: another one begins");
    recall->goes_on = status == STATUS_OK && recall_may_go_on(recall, &app->options);
    if (recall->goes_on && !recall_place(&recall->station, &app->clock, boot_id))
        log_warn("the machine's clock has gone back: the programme goes on where it was");
    recall->rested = recall->goes_on && recall_rested(&recall->station, &app->clock, app->options.lead_frames);
    return status == STATUS_NOT_FOUND || status == STATUS_DAMAGED ? STATUS_OK : status;
}

// Whoever has the same number would render the same, and may go on from its snapshots. Those of another boot may be
// torn.
static void recall_identify(struct recall *recall, const struct options *options, const char *boot_id)
{
    const struct store_station *station = &recall->station;
    char path[PATH_MAX];
    uint64_t build = 0;
    if (!*boot_id || !child_own_path(path, sizeof path) || file_sum(path, &build) != STATUS_OK ||
        snprintf(recall->keepsakes, PATH_MAX, "%s/auralis.snapshots", options->data_dir) >= PATH_MAX)
        *recall->keepsakes = '\0';
    uint64_t identity = random_u64(build, station->seed, (uint64_t)station->origin_boot_ns);
    for (const char *at = boot_id; *at; at++)
        identity = random_u64(identity, (unsigned char)*at, 0);
    recall->identity = identity;
}

enum status recall_programme(struct recall *recall, struct app *app)
{
    char boot_id[STORE_BOOT_ID_BYTES];
    // A clock of another speed says nothing to the next process.
    if (app->clock.speed == 1)
        process_boot_id(boot_id, sizeof boot_id);
    else
        *boot_id = '\0';
    enum status status = recall_load(recall, app, boot_id);
    if (status == STATUS_OK && !recall->goes_on) {
        recall_finish(recall);
        recall_begin(recall, app, boot_id);
    }
    recall_identify(recall, &app->options, boot_id);
    return status;
}

enum status recall_keep(struct recall *recall, struct app *app)
{
    enum status status = STATUS_OK;
    if (!recall->goes_on)
        status = store_station_begin(app->store, &recall->station);
    else if (store_station_reach(app->store, &recall->station) != STATUS_OK)
        log_warn("the programme goes on, but nothing can be kept of it for now");
    recall_allow(recall, status == STATUS_OK);
    return status;
}

void recall_allow(struct recall *recall, bool kept)
{
    pthread_mutex_lock(&recall->mutex);
    recall->kept = kept;
    pthread_mutex_unlock(&recall->mutex);
}

bool recall_is_ours(const struct recall *recall, const struct app *app)
{
    struct store_station found;
    struct control_entry *past = NULL;
    size_t count;
    enum status status = store_station_load(app->store, APP_STATION, &found, &past, &count);
    free(past);
    return status == STATUS_OK && found.seed == recall->station.seed &&
           found.origin_boot_ns == recall->station.origin_boot_ns;
}

enum status recall_change(struct recall *recall, const struct app *app, const struct control_entry *entry)
{
    pthread_mutex_lock(&recall->mutex);
    enum status status = recall->kept ? store_station_keep(app->store, APP_STATION, entry) : STATUS_FULL;
    pthread_mutex_unlock(&recall->mutex);
    return status;
}

void recall_finish(struct recall *recall)
{
    free(recall->past);
    recall->past = NULL;
    recall->past_count = 0;
}

void recall_reach(const struct recall *recall, const struct app *app)
{
    struct store_station station = recall->station;
    station.reached_frame = app_playhead(app);
    // The machine's clock may have been set since: after the next boot it is to be believed.
    int64_t unix_ns = app->clock.speed == 1 ? clock_system_unix_ns() : clock_unix_ns(&app->clock);
    int64_t origin_ns = unix_ns - (int64_t)frames_to_ns(station.reached_frame);
    if (llabs(origin_ns - station.origin_unix_ns) > RECALL_SET_NS)
        station.origin_unix_ns = origin_ns;
    if (store_station_reach(app->store, &station) != STATUS_OK)
        log_debug("how far the programme has come was not kept");
}
